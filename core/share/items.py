"""What a snapshot would reveal, item by item: which parts of a request and its runs each switch leaves out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from core.contract.placeholders import PLACEHOLDER, input_values
from core.outgoing import draft_of
from core.run import RunSnapshot
from core.share.addresses import clean_address
from core.share.snapshot import ItemName
from core.share.subject import Subject
from core.share.text_scrubber import looks_like_key
from core.storage.run_record import prompt_of

OFF_AT_FIRST: Final[frozenset[ItemName]] = frozenset({"identity", "thread", "base_url"})
"""Who asked, and where: nobody needs it to understand an answer."""

PREVIEW: Final = 120
PATHS: Final[Mapping[ItemName, tuple[str, ...]]] = {
    "prompt": ("prompt", "orq.knowledge_bases[].query"),
    "inputs": ("orq.inputs",),
    "stored_prompt": ("orq.prompt",),
    "knowledge": ("orq.knowledge_bases",),
    "identity": ("user", "orq.identity", "orq.contact"),
    "thread": ("orq.thread",),
    "names": ("name", "orq.name"),
    "stop": ("stop",),
    "models": (
        "model", "fallbacks", "load_balancer", "orq.fallbacks", "orq.load_balancer",
        "orq.knowledge_bases[].rerank_config", "orq.knowledge_bases[].agentic_rag_config",
    ),
}  # fmt: skip
"""Where in a request each item stands; leaving it out takes away what is there."""

LABELS: Final[Mapping[ItemName, str]] = {
    "prompt": "Prompt",
    "output": "Output",
    "inputs": "Inputs",
    "stored_prompt": "Stored prompt's id",
    "knowledge": "Knowledge bases and filters",
    "identity": "Identity and user",
    "thread": "Thread",
    "names": "Names and description",
    "stop": "Stop sequences",
    "models": "Model names",
    "extra": "Extra fields",
    "base_url": "Base URL",
    "error": "Error message",
    "lane": "Lane",
}
NOTES: Final[Mapping[ItemName, str]] = {
    "prompt": "Off: its phrases of five words are taken out of the output and the error too (a shorter prompt as a whole). "
    "What the model says about it in other words stays.",
    "inputs": "Off: their values are taken out of every text; one of a single letter or two is not found there.",
    "identity": "Off: its id, names and addresses are taken out of every text, too.",
    "models": "Off: a number stands for each name, also in the lane; fallbacks and weights are left out of the request.",
    "error": "Off: only the kind of error, its status and code are kept. On: the router's words, which may quote the request.",
    "knowledge": "Off: the ids are taken out of the lane, too. The chunks that were found are never in it.",
    "lane": "What happened on the way: times and statuses of every attempt, as drawn under the answer.",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that would be revealed: ``label`` names it, ``detail`` says how much it is and how it begins, ``note`` what off means."""

    name: ItemName
    label: str
    detail: str
    note: str = ""

    @property
    def on_at_first(self) -> bool:
        """Whether it is shared unless somebody switches it off."""
        return self.name not in OFF_AT_FIRST


def items(subject: Subject) -> tuple[Item, ...]:
    """What is there to be revealed, in the order of a form; nothing that is not there."""
    found = ((name, _DETAILS[name](subject)) for name in get_args(ItemName))
    return tuple(Item(name, LABELS[name], detail, NOTES.get(name, "")) for name, detail in found if detail)


def always_shown(subject: Subject) -> tuple[str, ...]:
    """The fields that no switch takes out: the settings, by their wire names."""
    belongs = {path.partition("[")[0] for paths in PATHS.values() for path in paths}
    names: dict[str, None] = {}
    for request in subject.requests:
        known = draft_of(request)["body"]
        orq = known.get("orq")
        inner = {f"orq.{name}": value for name, value in orq.items()} if isinstance(orq, Mapping) else {}
        names |= dict.fromkeys(name for name in {**known, **inner} if name != "orq" and name not in belongs)
    return tuple(names)


def key_like(subject: Subject) -> bool:
    """Whether something in it looks like a key, which is masked in every snapshot."""
    texts = [text for request in subject.requests for text in strings(request)]
    texts += [choice.text for run in subject.runs for choice in run.choices.values()]
    return any(looks_like_key(text) for text in texts)


def at_paths(request: Mapping[str, Any], name: ItemName) -> list[Any]:
    """What stands in a request at the item's paths."""
    return [value for path in PATHS.get(name, ()) for value in _found(request, path.split("."))]


def extra_fields(request: Mapping[str, Any]) -> dict[str, Any]:
    """What the contract does not know."""
    text = draft_of(request)["extra"]
    return dict(json.loads(text)) if text else {}


def strings(value: Any) -> Iterator[str]:
    """Every text in a JSON value, and every number of three digits and more."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, int | float) and not isinstance(value, bool) and len(str(value)) >= 3:
        yield str(value)


def rendered(request: Mapping[str, Any]) -> str:
    """The prompt with its inputs filled in, as the router would."""
    orq = request.get("orq")
    values = input_values(orq.get("inputs")) if isinstance(orq, Mapping) else {}
    return PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), prompt_of(request))


def _found(value: Any, names: list[str]) -> list[Any]:
    if not names:
        return [value]
    name, is_list = names[0].removesuffix("[]"), names[0].endswith("[]")
    if not isinstance(value, Mapping) or name not in value:
        return []
    inner = value[name]
    each = inner if is_list and isinstance(inner, list | tuple) else [] if is_list else [inner]
    return [leaf for item in each for leaf in _found(item, names[1:])]


def _said(texts: list[str], unit: str = "") -> str:
    """How much it is, and how it begins."""
    distinct = [text for text in dict.fromkeys(texts) if text]
    if not distinct:
        return ""
    count = f"{len(distinct)} {unit}, " if len(distinct) > 1 and unit else ""
    beginning = " ".join(distinct[0].split())
    beginning = beginning if len(beginning) <= PREVIEW else beginning[: PREVIEW - 1] + "…"
    size = sum(map(len, distinct))
    return f"{count}{size:,} character{'' if size == 1 else 's'}: {beginning}"


def _listed(texts: list[str]) -> str:
    distinct = list(dict.fromkeys(text for text in texts if text))
    return ", ".join(distinct[:6]) + (f" and {len(distinct) - 6} more" if len(distinct) > 6 else "")


def _texts_at(subject: Subject, name: ItemName) -> list[str]:
    return [text for request in subject.requests for value in at_paths(request, name) for text in strings(value)]


def _prompt(subject: Subject) -> str:
    return _said([*map(prompt_of, subject.requests), *_texts_at(subject, "prompt")], "prompts")


def _output(subject: Subject) -> str:
    return _said([choice.text for run in subject.runs for choice in run.choices.values()], "outputs")


def _inputs(subject: Subject) -> str:
    values = [input_values(value) for request in subject.requests for value in at_paths(request, "inputs")]
    return _listed([f"{name} = {_short(value)}" for one in values for name, value in one.items()]) or _listed(_texts_at(subject, "inputs"))


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:39] + "…"


def _knowledge(subject: Subject) -> str:
    bases = [base for request in subject.requests for value in at_paths(request, "knowledge") for base in _rows(value)]
    filtered = any("filter_by" in base for base in bases)
    return _listed([str(base.get("knowledge_id", "")) for base in bases]) + (", with filters" if filtered else "")


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list | tuple) else []


def _names(subject: Subject) -> str:
    own = [subject.name, subject.description, *subject.tags, *(slot.name for slot in subject.slots)]
    return _listed([*own, *_texts_at(subject, "names")])


def model_names(subject: Subject) -> list[str]:
    """Every model that is named: asked, fallen back to, drawn, answered; in order, each once."""
    found: dict[str, None] = {}
    for request in subject.requests:
        found |= dict.fromkeys(_models_in(at_paths(request, "models")))
    for run in subject.runs:
        told = (run.model, run.headers.get("x-router-model"))
        found |= dict.fromkeys(name for name in (*told, *_models_in(_events(run), ("target", "drawn", "model"))) if name)
    return list(found)


def _events(run: RunSnapshot) -> Any:
    return (run.trace or {}).get("events")


def _models_in(value: Any, names: tuple[str, ...] = ("model",)) -> Iterator[str]:
    """The texts under the name ``model``, and those that stand by themselves at a model's path."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if isinstance(inner, list | tuple | Mapping) or name in names:
                yield from _models_in(inner, names)
    elif isinstance(value, list | tuple):
        for inner in value:
            if not isinstance(inner, str) or names == ("model",):
                yield from _models_in(inner, names)


def _extra(subject: Subject) -> str:
    return _listed([name for request in subject.requests for name in extra_fields(request)])


def _base_url(subject: Subject) -> str:
    return _listed([clean_address(run.base_url) for run in subject.runs])


def _error(subject: Subject) -> str:
    return _said([run.error.cause for run in subject.runs if run.error], "errors")


def _lane(subject: Subject) -> str:
    count = sum(1 for _ in subject.runs)
    return "" if not count else "1 run" if count == 1 else f"{count} runs"


_DETAILS: Final[Mapping[ItemName, Callable[[Subject], str]]] = {
    "prompt": _prompt,
    "output": _output,
    "inputs": _inputs,
    "stored_prompt": lambda subject: _listed(_texts_at(subject, "stored_prompt")),
    "knowledge": _knowledge,
    "identity": lambda subject: _listed(_texts_at(subject, "identity")),
    "thread": lambda subject: _listed(_texts_at(subject, "thread")),
    "names": _names,
    "stop": lambda subject: _listed([repr(text) for text in _texts_at(subject, "stop")]),
    "models": lambda subject: _listed(model_names(subject)),
    "extra": _extra,
    "base_url": _base_url,
    "error": _error,
    "lane": _lane,
}
