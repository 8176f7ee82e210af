"""What a router did before and around the answer, in sentences: the stored prompt, inputs, retrieval, personal data, thinking.

Any router may tell such events, and with other facts than ours tells: what is not known is left out, and an event of which nothing
is known is told by the facts it has.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from core.lane.trace_events import Event, plural, short, span

MOST_NAMED: Final = 4
_SEARCHES: Final = {"keyword_search": "keyword search", "vector_search": "vector search", "hybrid_search": "hybrid search"}
_LEFT_OUT: Final = {
    "threshold": "below the threshold",
    "top_k": "beyond top_k",
    "budget": "no room in the prompt",
    "duplicate": "found already",
    "rerank_threshold": "below the reranker's threshold",
    "rerank_top_k": "beyond the reranker's top_k",
}


def prompt_work_said(event: Event) -> str:
    """A sentence or two about one event, whatever it holds."""
    words = _SAID.get(event.kind)
    return (words(event) if words else "") or _plainly(event)


def prompt_work_headline(event: Event) -> str:
    """The same in a few words, where it matters to who reads the answer; else empty."""
    words = _HEADLINES.get(event.kind)
    return words(event) if words else ""


def facts(event: Event) -> str:
    """What an event tells that is short enough to be said, as it is named there: `` (language en, chunks: 3)``."""
    told = []
    for name, value in event.data.items():
        if name in ("type", "at_ms", "duration_ms") or isinstance(value, bool) or value is None:
            continue
        if isinstance(value, str | int | float):
            told.append(f"{name} {short(str(value))}")
        elif isinstance(value, list):
            told.append(f"{name}: {len(value)}")
        elif isinstance(value, Mapping) and all(isinstance(count, int) for count in value.values()):
            told += [f"{short(str(inner))} {count}" for inner, count in value.items()]
    return f" ({', '.join(told[:6])})" if told else ""


def _plainly(event: Event) -> str:
    label = _NAMES.get(event.kind, event.kind)
    return f"{label[:1].upper()}{label[1:]}{_took(event)}{facts(event)}."


def _took(event: Event) -> str:
    took_ms = event.number("duration_ms")
    return f" in {span(took_ms)}" if took_ms is not None else ""


def _prompt(event: Event) -> str:
    if not event.text("id"):
        return ""
    return f"The stored prompt {_stored(event)} took the prompt's place{_took(event)}."


def _stored(event: Event) -> str:
    version = event.number("version")
    return event.text("id") + (f", version {version:.0f}," if version is not None else "")


def _inputs(event: Event) -> str:
    filled, missing, unused = (event.texts(name) for name in ("filled", "missing", "unused"))
    said = [f"Filled {_named(filled)}{_took(event)}."] if filled else []
    if missing:
        said.append(f"{_named(missing)} had no value and stayed as written.")
    if unused:
        said.append(f"{_named(unused)} {'is' if len(unused) == 1 else 'are'} not in the prompt.")
    return " ".join(said)


def _named(names: list[str]) -> str:
    """``a``, ``a and b``, ``a, b, c, d and 3 more``."""
    shown = names if len(names) <= MOST_NAMED else [*names[:MOST_NAMED], f"{len(names) - MOST_NAMED} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _retrieval(event: Event) -> str:
    base, chunks, left_out = _base(event), _rows(event, "chunks"), _rows(event, "left_out")
    how = _SEARCHES.get(event.text("search_type"), event.text("search_type"))
    failed = event.number("failed")
    if base and failed is not None:
        return f"Searched {base}{f' by {how}' if how else ''}{_took(event)}: the search failed ({failed:.0f})."
    if not base or chunks is None:
        return ""
    tokens = event.number("tokens")
    about = f" (about {tokens:,.0f} tokens)" if tokens and chunks else ""
    found = f"{plural(len(chunks), 'chunk')}{about} went before the prompt{_scored(chunks)}" if chunks else "nothing went before the prompt"
    unkept = f"; {len(left_out)} left out ({_reasons(left_out)})" if left_out else ""
    return f"Searched {base}{f' by {how}' if how else ''}{_took(event)}: {found}{unkept}."


def _base(event: Event) -> str:
    return event.text("key") or event.text("knowledge_id")


def _rows(event: Event, name: str) -> list[Mapping[str, Any]] | None:
    value = event.data.get(name)
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else None


def _scored(chunks: list[Mapping[str, Any]]) -> str:
    scores = [score for row in chunks if isinstance(score := row.get("score"), int | float) and math.isfinite(score)]
    if not scores:
        return ""
    best, worst = f"{max(scores):.2f}", f"{min(scores):.2f}"
    return f", score {best}" if best == worst else f", scores {best} to {worst}"


def _reasons(left_out: list[Mapping[str, Any]]) -> str:
    counts = Counter(short(str(row.get("reason") or "no reason told")) for row in left_out)
    words = [(_LEFT_OUT.get(reason, reason.replace("_", " ")), count) for reason, count in counts.most_common(MOST_NAMED)]
    return ", ".join(word if len(counts) == 1 else f"{count} {word}" for word, count in words)


def _pii(event: Event) -> str:
    match event.text("result"):
        case "redacted":
            found = _kinds(event)
            return f"Looked for personal data{_took(event)}: {f'{found} hidden from the model' if found else 'none found'}."
        case "passed_through":
            return f"Personal data could not be looked for; the prompt went on as it was{_why(event)}."
        case "blocked":
            return f"Personal data could not be looked for, so nothing was sent on{_why(event)}."
        case _:
            return ""


def _why(event: Event) -> str:
    return f" ({event.text('reason')})" if event.text("reason") else ""


def _kinds(event: Event) -> str:
    """``2 EMAIL_ADDRESS and 1 IBAN_CODE``."""
    entities = event.data.get("entities")
    counts = entities.items() if isinstance(entities, Mapping) else ()
    told = [f"{count} {short(str(kind))}" for kind, count in counts if isinstance(count, int) and count > 0]
    return _named(told) if told else ""


def _thinking(event: Event) -> str:
    spent, most, drafts, steered = (event.number(name) for name in ("reasoning_tokens", "budget_tokens", "drafts", "steered_tokens"))
    if spent is None or drafts is None:
        return ""
    entropy = event.number("entropy_bits")
    why = f" The next token's entropy of {entropy:.2f} bits set that limit." if entropy is not None else ""
    if not spent:
        limit = f", with at most {plural(int(most), 'token')} to spend" if most is not None else ""
        return f"Did not think{limit}.{why}"
    led = f"; the best of them gave the answer its first {plural(int(steered), 'token')}" if steered else ""
    of = f" of at most {most:,.0f}" if most is not None else ""
    return f"Thought{_took(event)}: {spent:,.0f}{of} tokens in {plural(int(drafts), 'hidden draft')}{led}.{why}"


def _retrieval_headline(event: Event) -> str:
    chunks = _rows(event, "chunks")
    if _base(event) and event.number("failed") is not None:
        return f"the search of {_base(event)} failed"
    return f"{plural(len(chunks), 'chunk')} from {_base(event)}" if chunks is not None and _base(event) else ""


def _pii_headline(event: Event) -> str:
    if event.text("result") == "passed_through":
        return "personal data was not looked for"
    found = _kinds(event)
    return f"{found} hidden" if found else ""


def _thinking_headline(event: Event) -> str:
    spent = event.number("reasoning_tokens")
    return f"{spent:,.0f} tokens of thinking" if spent else ""


def _inputs_headline(event: Event) -> str:
    missing = event.texts("missing")
    return f"{_named(missing)} had no value" if missing else ""


_SAID: Final[Mapping[str, Callable[[Event], str]]] = {
    "prompt": _prompt,
    "inputs": _inputs,
    "retrieval": _retrieval,
    "pii": _pii,
    "thinking": _thinking,
}
_HEADLINES: Final[Mapping[str, Callable[[Event], str]]] = {
    "prompt": lambda event: f"stored prompt {_stored(event).rstrip(',')}" if event.text("id") else "",
    "inputs": _inputs_headline,
    "retrieval": _retrieval_headline,
    "pii": _pii_headline,
    "thinking": _thinking_headline,
}
_NAMES: Final = {"prompt": "stored prompt", "pii": "PII redaction"}
