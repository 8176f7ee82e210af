"""What no text of a snapshot may repeat: the values of the items that were left out, each with the mark that stands for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.contract.placeholders import input_values
from core.share import items
from core.share.addresses import clean_address
from core.share.snapshot import ItemName
from core.share.subject import Subject
from core.storage.run_record import prompt_of

REPEATED: tuple[ItemName, ...] = ("inputs", "identity", "thread", "names", "stored_prompt")


def hidden_values(subject: Subject, hidden: frozenset[ItemName], aliases: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Pairs of a mark and a text, for `TextScrubber`; ``aliases`` are what stands for names of models."""
    for name in REPEATED:
        if name in hidden:
            yield from ((f"[{items.LABELS[name].lower()} hidden]", text) for text in _texts(subject, name))
    if "prompt" in hidden:
        texts = (text for request in subject.requests for text in (prompt_of(request), items.rendered(request)))
        yield from (("[prompt hidden]", text) for text in dict.fromkeys((*texts, *_texts(subject, "prompt"))) if text)
    if "knowledge" in hidden:
        yield from (("[knowledge hidden]", text) for text in _knowledge(subject))
    if "extra" in hidden:
        extras = (items.extra_fields(request) for request in subject.requests)
        yield from (("[extra field hidden]", text) for extra in extras for text in (*extra, *items.strings(extra)))
    if "names" in hidden:
        own = (subject.name, subject.description, *subject.tags, *(slot.name for slot in subject.slots))
        yield from (("[name hidden]", text) for text in own if text)
    if "base_url" in hidden:
        yield from (("[address hidden]", text) for text in _addresses(subject))
    for model, alias in aliases.items():
        yield alias, model
        _, slash, tail = model.rpartition("/")
        if slash and len(tail) > 3:
            yield alias, tail


def _texts(subject: Subject, name: ItemName) -> list[str]:
    return [text for value in _standing(subject, name) for text in items.strings(value)]


def _standing(subject: Subject, name: ItemName) -> list[Any]:
    found = [value for request in subject.requests for value in items.at_paths(request, name)]
    if name == "inputs":
        return [input_values(value) for value in found]
    if name == "stored_prompt":
        return [value.get("id") for value in found if isinstance(value, Mapping)]
    return found


def _addresses(subject: Subject) -> Iterator[str]:
    """The addresses, and their hosts where those are more than a single word, which every sentence may have."""
    for address in dict.fromkeys(clean_address(run.base_url) for run in subject.runs):
        yield address
        host = address.partition("://")[2].partition("/")[0]
        if re.search(r"\w\W+\w", host):
            yield host


def _knowledge(subject: Subject) -> Iterator[str]:
    """What bases are called in requests and traces, what is searched in them, and by what they are filtered."""
    for base in (row for value in _standing(subject, "knowledge") for row in (value if isinstance(value, list | tuple) else ())):
        if isinstance(base, Mapping):
            yield from items.strings([base.get("knowledge_id"), base.get("query"), base.get("filter_by")])
    for run in subject.runs:
        events = (run.trace or {}).get("events")
        for event in events if isinstance(events, list) else ():
            if isinstance(event, Mapping) and event.get("type") == "retrieval":
                yield from items.strings([event.get("key"), event.get("knowledge_id")])
