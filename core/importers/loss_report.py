"""From what was found to a draft, and field by field what became of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from core.contract.request import check_request
from core.draft import MISSING, drop_path, get_path
from core.errors import Problem
from core.importers.found import Found, has_surrogate
from core.outgoing import draft_of, outgoing
from core.snippets.call import extra_paths, without_credentials

Verdict = Literal["understood", "kept raw", "rejected"]
VERDICTS: Final[tuple[Verdict, ...]] = ("understood", "kept raw", "rejected")
MOST_REJECTIONS: Final = 30
"""Refusals that are looked at one by one; of what is refused after that, whole fields go."""
MOST_LINES: Final = 200
_SHOWN: Final = 60
_SECRET: Final = re.compile(
    r"(x[-_])?(api[-_]?key|authorization|access[-_]?token|auth[-_]?token|bearer|client[-_]?secret|secret|password|cookies?)", re.IGNORECASE
)
_KEY: Final = re.compile(r"(Bearer\s+\S{8,}|(sk|pk|rk|orq|hf|ghp|xox[a-z])[-_][\w-]{12,})")
_CHAT: Final = "belongs to chat, and this is a text completion: put the text into prompt"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report: a field, what became of it, and its value in short or the reason."""

    path: str
    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True)
class Import:
    """A draft that was read, and what became of each field.

    ``url`` is where the call went, without anything secret; empty where it did not say. ``secrets`` names what was removed.
    """

    source: str
    draft: dict[str, Any]
    lines: tuple[Line, ...]
    secrets: tuple[str, ...]
    notes: tuple[str, ...]
    url: str

    def count(self, verdict: Verdict) -> int:
        """How many lines have this verdict."""
        return sum(line.verdict == verdict for line in self.lines)


def reported(found: Found) -> Import:
    """The draft of what was found, and the report."""
    rejected = list(found.rejected)
    body = _without_secrets(found.fields, found)
    for name in [name for name, value in body.items() if has_surrogate(name) or has_surrogate(value)]:
        del body[name]
        rejected.append((name.encode("utf-8", "replace").decode(), "it holds half of a character, which no request can"))
    _one_prompt(body, found, rejected)
    if "messages" in body:
        del body["messages"]
        rejected.append(("messages", _CHAT))
    draft = draft_of(body)
    if found.extra:
        draft["extra"] = found.extra
    rejected += _refused(draft)
    raw = {path: why for path, why in found.raw if get_path(draft["body"], path) is not MISSING}
    lines = [line for line in (*_understood(draft["body"]), *_kept(draft)) if line.path not in raw]
    lines += [Line(path, "kept raw", why) for path, why in raw.items()]
    lines += [Line(path, "rejected", why) for path, why in rejected]
    notes = list(dict.fromkeys(found.notes))
    if len(lines) > MOST_LINES:
        notes.append(f"{len(lines) - MOST_LINES} more fields are not listed.")
        lines = [line for line in lines if line.verdict != "understood"][:MOST_LINES] or lines[:MOST_LINES]
    url = without_credentials(found.url) if "://" in found.url else found.url.partition("?")[0].rpartition("@")[2]
    return Import(found.source, draft, tuple(lines), tuple(dict.fromkeys(found.secrets)), tuple(notes), url)


def _without_secrets(fields: Mapping[str, Any], found: Found) -> dict[str, Any]:
    """The fields less those beyond the contract whose names or values are keys."""
    kept = dict(fields)
    for names in list(extra_paths(fields)):
        if len(names) == 1 and (_SECRET.fullmatch(names[0]) or (isinstance(fields[names[0]], str) and _KEY.match(fields[names[0]]))):
            del kept[names[0]]
            found.secrets.append(f"the field {names[0][:100]}")
    return kept


def _one_prompt(body: dict[str, Any], found: Found, rejected: list[tuple[str, str]]) -> None:
    """OpenAI takes a list of prompts; one in a list is that one."""
    prompt = body.get("prompt")
    if isinstance(prompt, list):
        if len(prompt) == 1 and isinstance(prompt[0], str):
            body["prompt"] = prompt[0]
            found.notes.append("The prompt was the only one of a list.")
        else:
            del body["prompt"]
            rejected.append(("prompt", f"a list of {len(prompt)}, and this endpoint takes one text"))


def _refused(draft: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Take out of the draft what the contract refuses, and say why."""
    body = draft["body"]
    for looked in range(10_000):
        problems = [problem for problem in check_request(body) if problem.path not in ("model", "prompt") or problem.path in body]
        if not problems:
            break
        last = problems[-1]
        path = last.path if looked < MOST_REJECTIONS else last.path.partition(".")[0]
        while path and get_path(body, path) is MISSING:
            path = path.rpartition(".")[0]
        if not path:
            break
        drop_path(body, path)
        yield path, _why(last)
        above = path.rpartition(".")[0]
        while above and get_path(body, above) in ({}, []):  # a block that lost all it had would mean its defaults
            drop_path(body, above)
            above = above.rpartition(".")[0]
    extra = [problem for problem in outgoing(draft).problems if problem.path == "extra"]
    if extra:
        draft["extra"] = ""
        yield "extra fields", extra[0].message


def _why(problem: Problem) -> str:
    return problem.sentence if len(problem.sentence) < 300 else problem.sentence[:299] + "…"


def _understood(body: Mapping[str, Any], parents: tuple[str, ...] = ()) -> Iterator[Line]:
    for name, value in body.items():
        path = ".".join((*parents, name))
        if (isinstance(value, dict) and value and path in ("orq", "retry", "cache", "timeout", "thinking", "load_balancer")) or (
            isinstance(value, dict) and value and parents == ("orq",) and name not in ("inputs",)
        ):
            yield from _understood(value, (*parents, name))
        else:
            yield Line(path, "understood", short(value))


def _kept(draft: Mapping[str, Any]) -> Iterator[Line]:
    if draft["extra"]:
        extra = json.loads(draft["extra"])
        for names in extra_paths(extra):
            value: Any = extra
            for name in names:
                value = value[name]
            yield Line(".".join(names), "kept raw", short(value))


def short(value: Any) -> str:
    """A value on one line, cut."""
    if isinstance(value, str):
        value = value[: _SHOWN * 2]
    elif isinstance(value, dict | list) and len(value) > _SHOWN:
        return f"{len(value):,} items"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
