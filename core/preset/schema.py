"""The JSON Schema of preset files, for editors and checks: ``python -m core.preset.schema > docs/preset.schema.json``.

What stands in a body is described as the contract has it, save that no field is required: a preset may be half a request. The playground
takes a little more than the schema: a body with a wrong value is kept, and marked in the form.
"""

from __future__ import annotations

import copy
import json
import sys
from typing import Any

from core.comparison.board import MOST_REPEATS, MOST_SLOTS
from core.contract.json_schema import request_schema
from core.preset.document import FORMAT, FORMAT_VERSION, MOST_PRESETS
from core.preset.preset import LONGEST_DESCRIPTION, LONGEST_FOLDER, LONGEST_NAME, LONGEST_TAG, MOST_TAGS


def preset_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a file of one preset or of many."""
    request = copy.deepcopy(request_schema())
    definitions = request.pop("$defs")
    request.pop("required")
    head = {"format": {"const": FORMAT}, "format_version": {"const": FORMAT_VERSION}}
    own = _preset()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Presets of the router playground",
        "type": "object",
        "required": ["format", "format_version"],
        "oneOf": [
            {
                "properties": head | own,
                "additionalProperties": False,
                "required": ["name"],
                "oneOf": [{"required": ["draft"]}, {"required": ["comparison"]}],
            },
            {
                "properties": head
                | {"presets": {"type": "array", "minItems": 1, "maxItems": MOST_PRESETS, "items": {"$ref": "#/$defs/Preset"}}},
                "additionalProperties": False,
                "required": ["presets"],
            },
        ],
        "$defs": {
            **definitions,
            "Body": {**request, "title": "Body", "description": "The request's fields; what is not there is not sent."},
            "Preset": {
                "type": "object",
                "properties": own,
                "additionalProperties": False,
                "required": ["name"],
                "oneOf": [{"required": ["draft"]}, {"required": ["comparison"]}],
            },
        },
    }


def _preset() -> dict[str, Any]:
    tag = {"type": "string", "maxLength": LONGEST_TAG}
    return {
        "name": {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME, "description": "What it is called."},
        "description": {"type": "string", "maxLength": LONGEST_DESCRIPTION, "description": "What it is for."},
        "tags": {"type": "array", "maxItems": MOST_TAGS, "items": tag, "description": "Words to find it by."},
        "folder": {"type": "string", "maxLength": LONGEST_FOLDER, "description": "Where it stands; names joined by /."},
        "origin": {
            "type": "object",
            "description": "The preset and version it was forked from.",
            "properties": {"preset": {"type": "string", "minLength": 1, "maxLength": 100}, "version": {"type": "integer", "minimum": 1}},
            "required": ["preset", "version"],
        },
        "draft": _object({"body": _BODY, "extra": _EXTRA}, "One request, as the Playground edits it."),
        "comparison": _object(
            {
                "prompt": {"description": "The prompt of every slot that has none of its own."},
                "repeats": {"type": "integer", "minimum": 1, "maximum": MOST_REPEATS, "description": "Calls of each slot; default 1."},
                "keep_cache": {"type": "boolean", "description": "Whether the cache may answer repeats; default false."},
                "slots": {"type": "array", "minItems": 1, "maxItems": MOST_SLOTS, "items": _slot()},
            },
            "Requests side by side, as Compare edits them.",
            required="slots",
        ),
    }


_BODY = {"$ref": "#/$defs/Body"}
_EXTRA = {"type": ["object", "string"], "description": "Fields that the contract does not know, as an object or its JSON as a text."}


def _slot() -> dict[str, Any]:
    fields = {
        "name": {"type": "string", "maxLength": 40, "description": "A word for the slot."},
        "own_prompt": {"type": "boolean", "description": "Whether the body's prompt is used in place of the shared one; default false."},
        "body": _BODY,
        "extra": _EXTRA,
    }
    return _object(fields, "One slot; the first is the baseline.")


def _object(properties: dict[str, Any], description: str, *, required: str = "body") -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "additionalProperties": False,
        "required": [required],
    }


def schema_text() -> str:
    """The schema as the file has it."""
    return json.dumps(preset_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
