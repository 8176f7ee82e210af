"""Presets as files, JSON or YAML: one, or many under ``presets``. ``docs/preset.schema.json`` says what is in them.

Each file says ``format: preset`` and its ``format_version``. Files of older versions are brought up to date step by step when they are
read; version 0 is what was there before presets: a draft (``{"body": …, "extra": …}``) or a bare request body, without any format.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

from core.errors import InvalidPreset
from core.preset.content import ComparisonContent, Content, DraftContent, content_from
from core.preset.preset import Label, NewPreset, Origin, label
from core.preset.yaml_text import LARGEST_BYTES as LARGEST_YAML
from core.preset.yaml_text import read_yaml, write_yaml

FORMAT: Final = "preset"
FORMAT_VERSION: Final = 1
LARGEST_BYTES: Final = 64 * 1024 * 1024
MOST_PRESETS: Final = 20_000
Form = Literal["json", "yaml"]
SUFFIXES: Final[dict[str, Form]] = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}
_OWN: Final = {"name", "description", "tags", "folder", "origin", "draft", "comparison"}


def read_presets(data: bytes, file: str) -> tuple[NewPreset, ...]:
    """The presets of a file, whose name tells its form; where it has no known ending, its first character does.

    InvalidPreset says in one sentence what is wrong, and where.
    """
    stem = file.rpartition("/")[2].rpartition("\\")[2]
    value = _value(data, stem)
    if not isinstance(value, dict):
        raise InvalidPreset(f"{stem}: a file of presets is an object, with a format and a name.")
    value = _of_today(value, stem)
    many = value.get("presets", [{name: inner for name, inner in value.items() if name not in ("format", "format_version")}])
    if "presets" in value and value.keys() - {"format", "format_version", "presets"}:
        raise InvalidPreset(f"{stem}: beside presets there may be format and format_version only.")
    if not isinstance(many, list) or not 1 <= len(many) <= MOST_PRESETS:
        raise InvalidPreset(f"{stem}: presets must be a list of 1 to {MOST_PRESETS:,} presets.")
    return tuple(_preset(one, f"{stem}: preset {place + 1}" if "presets" in value else stem) for place, one in enumerate(many))


def write_presets(presets: Iterable[NewPreset], form: Form) -> bytes:
    """A file of presets: one stands alone, several stand in a list. InvalidPreset where YAML cannot hold them."""
    found = [_document(one) for one in presets]
    head = {"format": FORMAT, "format_version": FORMAT_VERSION}
    value = head | (found[0] if len(found) == 1 else {"presets": found})
    if form == "json":
        text = json.dumps(value, ensure_ascii=False, indent=2)
        try:
            return f"{text}\n".encode()
        except UnicodeEncodeError:  # half of a character is written as an escape
            return f"{json.dumps(value, indent=2)}\n".encode()
    try:
        written = write_yaml(value).encode()
    except ValueError as problem:
        raise InvalidPreset(f"This cannot be written as YAML: {problem}.", "Export it as JSON.") from None
    if len(written) > LARGEST_YAML:
        raise InvalidPreset(f"As YAML this has more than {LARGEST_YAML // 1024**2} MB.", "Export it as JSON.")
    return written


# Reading


def _value(data: bytes, file: str) -> Any:
    if len(data) > LARGEST_BYTES:
        raise InvalidPreset(f"{file}: a file of presets may have {LARGEST_BYTES // 1024**2} MB, this one has more.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidPreset(f"{file} is not text in UTF-8.") from None
    form = SUFFIXES.get(f".{file.rpartition('.')[2].lower()}")
    if form is None:
        form = "json" if text.lstrip()[:1] in ("{", "[") else "yaml"
    try:
        return read_json(text) if form == "json" else read_yaml(text)
    except ValueError as problem:
        raise InvalidPreset(f"{file} is not {form.upper()}: {problem}.") from None


def read_json(text: str) -> Any:
    """The value of a JSON document in which no key stands twice. ValueError, in words, for what is none."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:40]!r} stands twice")
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def _of_today(value: dict[str, Any], file: str) -> dict[str, Any]:
    """The document in today's version. InvalidPreset for one that is newer, or none."""
    if "format" not in value and "format_version" not in value and value.keys() & {"body", "model", "prompt"}:
        version: Any = 0
    else:
        if value.get("format") != FORMAT:
            raise InvalidPreset(f"{file}: a file of presets says “format: {FORMAT}”, this one says {str(value.get('format'))[:40]!r}.")
        version = value.get("format_version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 0:
        raise InvalidPreset(f"{file}: format_version must be a whole number; the newest is {FORMAT_VERSION}.")
    if version > FORMAT_VERSION:
        raise InvalidPreset(
            f"{file} is of format version {version}, which a newer playground wrote; this one reads up to {FORMAT_VERSION}.",
            "Update the playground, or export the preset with the older one.",
        )
    for step in STEPS[version:]:
        value = step(value, file)
    return value


def _from_before_presets(value: dict[str, Any], file: str) -> dict[str, Any]:
    """Version 0: a draft as ``core run`` took it, or a request body. The file's name becomes the preset's."""
    name = file.rpartition(".")[0] or file
    draft = {"body": value} if "body" not in value else {part: value[part] for part in ("body", "extra") if value.get(part) is not None}
    return {"format": FORMAT, "format_version": 1, "name": name if name.strip() else "Without a name", "draft": draft}


STEPS: Final[tuple[Callable[[dict[str, Any], str], dict[str, Any]], ...]] = (_from_before_presets,)
"""The way from each version to the next one: the first is from 0 to 1."""


def _preset(data: Any, where: str) -> NewPreset:
    if not isinstance(data, dict):
        raise InvalidPreset(f"{where} must be an object.")
    unknown = sorted(data.keys() - _OWN)
    if unknown:
        raise InvalidPreset(f"{where} has an unknown field {unknown[0][:60]!r}; there are {', '.join(sorted(_OWN))}.")
    try:
        content = content_from({name: data[name] for name in ("draft", "comparison") if name in data})
        return NewPreset(_label(data), content, _origin(data.get("origin")))
    except InvalidPreset as problem:
        raise InvalidPreset(f"{where}: {problem.cause}", problem.next_step) from None


def _label(data: Mapping[str, Any]) -> Label:
    name, description, tags, folder = data.get("name", ""), data.get("description", ""), data.get("tags", []), data.get("folder", "")
    for what, text in (("name", name), ("description", description), ("folder", folder)):
        if not isinstance(text, str):
            raise InvalidPreset(f"{what} must be a text.")
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise InvalidPreset("tags must be a list of texts.")
    return label(name, description, tags, folder)


def _origin(data: Any) -> Origin | None:
    if data is None:
        return None
    preset, version = (data.get("preset"), data.get("version")) if isinstance(data, Mapping) else (None, None)
    if (
        not isinstance(preset, str)
        or not 0 < len(preset) <= 100
        or isinstance(version, bool)
        or not isinstance(version, int)
        or version < 1
    ):
        raise InvalidPreset("origin has the id of a preset and a version from 1.")
    return Origin(preset, version)


# Writing


def _document(one: NewPreset) -> dict[str, Any]:
    """A preset as a file has it: what is empty is left out."""
    kept = {"name": one.label.name, "description": one.label.description, "tags": list(one.label.tags), "folder": one.label.folder}
    found: dict[str, Any] = {name: value for name, value in kept.items() if value}
    if one.origin is not None:
        found["origin"] = {"preset": one.origin.preset, "version": one.origin.version}
    return found | _content(one.content)


def _content(content: Content) -> dict[str, Any]:
    match content:
        case DraftContent():
            return {"draft": _without_empty(content.to_dict()["draft"])}
        case ComparisonContent():
            value = content.to_dict()["comparison"]
            kept = {name: inner for name, inner in value.items() if name != "slots" and inner != _DEFAULTS[name]}
            return {"comparison": {**kept, "slots": [_without_empty(one) for one in value["slots"]]}}


_DEFAULTS: Final = {"prompt": None, "repeats": 1, "keep_cache": False}


def _without_empty(draft: dict[str, Any]) -> dict[str, Any]:
    """A draft or slot without its empty parts; extra fields stand as an object where that gives the same text back."""
    kept = {name: value for name, value in draft.items() if name == "body" or value not in ("", False)}
    if "extra" in kept:
        kept["extra"] = _extra(kept["extra"])
    return kept


def _extra(text: str) -> Any:
    try:
        value = read_json(text)
    except ValueError:
        return text
    exact = isinstance(value, dict) and json.dumps(value, indent=2, ensure_ascii=False) == text
    return value if exact else text
