"""What a text or a file is, and the importer that reads it."""

from __future__ import annotations

import re
from typing import Any, Final

from core.contract.parameters import PARAMETERS
from core.errors import InvalidPreset
from core.importers.curl import looks_like_curl, read_curl
from core.importers.found import (
    MOST_BODY_VALUES,
    MOST_CHARACTERS,
    MOST_CODE,
    Found,
    InvalidImport,
    Repeats,
    check_size,
    read_json,
    tell_repeats,
)
from core.importers.har import is_har, read_har
from core.importers.javascript_code import looks_like_javascript, read_javascript
from core.importers.loss_report import Import, reported
from core.importers.python_code import looks_like_python, read_python
from core.preset.content import DraftContent
from core.preset.document import read_presets

_NEXT: Final = "Paste a curl command, a call in Python or JavaScript, a JSON body, a preset or a HAR file."
_NAMES: Final = frozenset(re.split(r"[.\[]", spec.path)[0] for spec in PARAMETERS) | {"messages"}


def read_import(text: str | bytes, file: str = "") -> Import:
    """What ``text`` (pasted, or the content of ``file``) asks for. InvalidImport where there is no call in it."""
    if isinstance(text, bytes):
        text = _decoded(text)
    if len(text) > MOST_CHARACTERS:
        raise InvalidImport(f"This has more than {MOST_CHARACTERS // 1_000_000} million characters.", "Paste the one request alone.")
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise InvalidImport("There is nothing in it.", _NEXT)
    return reported(_found(text, file))


def _decoded(data: bytes) -> str:
    if len(data) > 4 * MOST_CHARACTERS:
        raise InvalidImport(f"This file has more than {4 * MOST_CHARACTERS // 1_000_000} MB.", "Take the one request out of it.")
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")
    except UnicodeDecodeError:
        raise InvalidImport("This file is not text in UTF-8.", _NEXT) from None


def _found(text: str, file: str) -> Found:
    first = text.lstrip()[0]
    if first in "{[":
        repeats: Repeats = []
        return _json(read_json(text, repeats=repeats), text, file, repeats)
    if file.lower().endswith((".yaml", ".yml")) or re.match(r"\s*(#[^\n]*\n\s*)*format(_version)?\s*:", text[:2_000]):
        return _preset(text, file or "preset.yaml")
    if len(text) > MOST_CODE:
        raise InvalidImport(f"This program has more than {MOST_CODE // 1_000_000} million characters.", "Paste the call alone.")
    code = {
        ".py": read_python,
        ".js": read_javascript,
        ".mjs": read_javascript,
        ".ts": read_javascript,
        ".sh": read_curl,
        ".bat": read_curl,
    }
    for ending, reader in code.items():
        if file.lower().endswith(ending):
            return reader(text)
    head = re.sub(r"(?m)^\s*(?:#|//|rem\b)[^\n]*\n", "", text[:20_000]).lstrip()
    if re.match(r"""(?:curl(?:\.exe)?\s|\$?\s*curl\s|@['"]|Invoke-|irm\s|iwr\s)""", head, re.IGNORECASE):
        return read_curl(text)
    if looks_like_python(head):
        return read_python(text)
    if looks_like_javascript(head):
        return read_javascript(text)
    if looks_like_curl(text):
        return read_curl(text)
    raise InvalidImport("There is no call in this that could be read.", _NEXT)


def _json(value: Any, text: str, file: str, repeats: Repeats) -> Found:
    """A JSON value: a HAR file, a preset, a body, or a body in an envelope."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise InvalidImport("This JSON is no object.", _NEXT)
    if is_har(value):
        return read_har(value)
    if "format" in value or "format_version" in value or "presets" in value:
        return _preset(text, file or "preset.json")
    for envelope in ("body", "request"):
        if isinstance(value.get(envelope), dict) and not value.keys() & {"model", "prompt"}:
            return _body(value[envelope], value.get("extra"), repeats)
    if not value.keys() & _NAMES:
        raise InvalidImport("This JSON has no field of a completion request, such as model or prompt.", _NEXT)
    return _body(value, None, repeats)


def _body(value: dict[str, Any], extra: Any, repeats: Repeats) -> Found:
    check_size(value, MOST_BODY_VALUES)
    found = Found("JSON", dict(value), extra=extra if isinstance(extra, str) else "")
    tell_repeats(value, repeats, found)
    return found


def _preset(text: str, file: str) -> Found:
    try:
        presets = read_presets(text.encode("utf-8", "replace"), file)
    except InvalidPreset as problem:
        raise InvalidImport(problem.cause, problem.next_step) from None
    content = presets[0].content
    found = Found("preset")
    if len(presets) > 1:
        found.notes.append(f"The first of {len(presets)} presets: {presets[0].label.name}.")
    if isinstance(content, DraftContent):
        found.fields, found.extra = dict(content.body), content.extra
    else:
        slot = content.slots[0]
        found.fields, found.extra = dict(slot.body), slot.extra
        if not slot.own_prompt and content.prompt is not None:
            found.fields["prompt"] = content.prompt
        found.notes.append(f"The first of {len(content.slots)} slots of a comparison.")
    return found
