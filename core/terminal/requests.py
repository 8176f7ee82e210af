"""What a file given on the command line asks for: a bare body, a draft, a preset or a shared file."""

from __future__ import annotations

import codecs
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.contract.request import parse_request
from core.errors import InvalidRequest, Problem
from core.outgoing import outgoing
from core.preset.calls import SlotCalls, calls_of, chosen
from core.preset.document import read_presets
from core.share.opening import content_of
from core.share.reading import read_snapshot
from core.terminal.streams import complain

_SHARED = re.compile(r'\s*\{\s*"format"\s*:\s*"playground\.share/')


def read_slots(file: str, name: str | None = None) -> tuple[SlotCalls, ...]:
    """The calls that a file comes to: one, or those of a comparison; streamed unless they say otherwise.

    Raises InvalidRequest with every problem, InvalidPreset for a preset file that is none, NotReadable for a shared file.
    """
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequest((Problem("", f"{file} is not text in UTF-8."),)) from None
    except OSError as problem:
        raise InvalidRequest((Problem("", f"{file} cannot be read: {problem.strerror or problem}."),)) from None
    if _SHARED.match(text):
        slots = calls_of(content_of(read_snapshot(data.removeprefix(codecs.BOM_UTF8))))
    elif _is_preset(text, file):
        slots = calls_of(chosen(read_presets(data, file), name, file).content)
    else:
        slots = (SlotCalls("", (read_request(text),)),)
    streamed = (replace(slot, bodies=tuple({**body, "stream": body.get("stream", True)} for body in slot.bodies)) for slot in slots)
    return tuple(streamed)


def _is_preset(text: str, file: str) -> bool:
    """Whether a file is for presets: YAML, or JSON that says its format."""
    if file.lower().endswith((".yaml", ".yml")) or (file == "-" and text.lstrip().startswith("format:")):
        return True
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and "format" in value


def read_request(text: str) -> dict[str, Any]:
    """The body to send, from a text that holds one or a draft of one. Raises InvalidRequest with every problem."""
    draft = _draft(text)
    if draft is None:
        return parse_request(text).to_wire()
    built = outgoing({"body": parse_request(draft["body"]).to_wire(), "extra": draft.get("extra") or ""})
    if built.problems:
        raise InvalidRequest(built.problems)
    return built.body


def _draft(text: str) -> Mapping[str, Any] | None:
    """``text`` as a draft; ``None`` when it is a bare body, or nothing that can be read, which ``parse_request`` explains."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("body"), dict):
        return None
    if not isinstance(value.get("extra") or "", str):
        raise InvalidRequest((Problem("extra", "This must be the extra fields' JSON as a text."),))
    unused = sorted(value.keys() - {"body", "extra"})
    if unused:
        complain(f"note: only body and extra of the file are used, not {', '.join(unused)}")
    return value
