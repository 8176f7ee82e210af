"""What lies over a subject when a snapshot is made of it: what was left out goes, whatever it stands in."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import BaseModel

from core.contract.request import check_request
from core.draft import drop_path
from core.lane.lane import lane
from core.outgoing import draft_of
from core.run import ChoiceText, RunSnapshot
from core.share import items
from core.share.addresses import address_secrets, clean_address
from core.share.hidden_values import hidden_values
from core.share.snapshot import (
    ItemName,
    SharedChoice,
    SharedConnection,
    SharedCost,
    SharedError,
    SharedLane,
    SharedRun,
    SharedTimings,
    SharedUsage,
)
from core.share.subject import ObservedRun, Subject
from core.share.text_scrubber import TextScrubber
from core.storage.run_record import prompt_of

LANE_HEADERS: Final = frozenset({"x-router-cache", "x-router-attempts", "x-router-request-id"})
"""What a lane reads of an answer's headers."""
TOLD_TYPES: Final = frozenset({"cache", "draw", "attempt", "back_off", "fallback", "first_token", "end", "pii", "thinking"})
"""Events of a trace whose texts are words of ours or names of models."""
WITH_NAMES: Final[Mapping[str, ItemName]] = {"retrieval": "knowledge", "prompt": "stored_prompt", "inputs": "inputs"}
"""Events that name what an item stands for."""
ERRORS: Final = {
    "router_rejected": "The router refused the request",
    "stream_broken": "The answer broke off",
    "timed_out": "No answer came in time",
    "connection_failed": "The server was not reached",
}


@dataclass(frozen=True, slots=True)
class Veil:
    """What is taken out, and how: whole fields by path, names of models by a number, the rest wherever a text repeats it."""

    hidden: frozenset[ItemName]
    aliases: Mapping[str, str]
    scrubber: TextScrubber

    @classmethod
    def of(cls, subject: Subject, hidden: frozenset[ItemName], secrets: Iterable[str]) -> Veil:
        """What leaves the ``hidden`` items out of ``subject``. ``secrets`` are known keys; those in addresses are found here."""
        names = items.model_names(subject) if "models" in hidden else []
        aliases = {name: f"model {number}" for number, name in enumerate(names, 1)}
        known = [*secrets, *(secret for run in subject.runs for secret in address_secrets(run.base_url))]
        return cls(hidden, aliases, TextScrubber(hidden_values(subject, hidden, aliases), known))

    def request(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A request without the fields of the hidden items. What they leave empty goes as well."""
        kept = copy.deepcopy(dict(body))
        if "extra" in self.hidden:
            kept = draft_of(kept)["body"]
            for problem in check_request({"model": "-", "prompt": "-", **kept}):  # what a list of the contract's has that it does not know
                drop_path(kept, problem.path)
        for name in self.hidden:
            for path in items.PATHS.get(name, ()):
                _drop(kept, path.split("."))
        return kept

    def run(self, observed: ObservedRun) -> SharedRun:
        """A run; what its texts repeat of hidden items is taken out at the end, by ``scrubbed``."""
        run, cost = observed.run, observed.cost
        seen = replace(run, body=self._aliased(run.body), model=self._alias(run.model), trace=self._trace(run), headers=self._headers(run))
        error = self._error(run)
        return SharedRun(
            status=run.status,
            created_at=run.created_at,
            connection=SharedConnection(
                name=run.connection_name, base_url=None if "base_url" in self.hidden else clean_address(run.base_url) or None
            ),
            model=seen.model,
            system_fingerprint=None if "models" in self.hidden else run.system_fingerprint,
            choices=tuple(self._choice(run, index, choice) for index, choice in sorted(run.choices.items())),
            usage=_usage(run),
            timings=SharedTimings(**{name: getattr(run.timings, name) for name in SharedTimings.model_fields}),
            cost=SharedCost(usd=None if cost.usd is None else f"{cost.usd:f}", reason=cost.reason) if cost else None,
            error=error,
            lane=None if "lane" in self.hidden else SharedLane.of(lane(replace(seen, error=_with(run, error)))),
        )

    def scrubbed(self, part: Any) -> Any:
        """A part of a snapshot with every free text in it scrubbed; words of ours (a status, a kind) are left as they are."""
        if isinstance(part, BaseModel):
            changed = {}
            for name, field in type(part).model_fields.items():
                value = getattr(part, name)
                free = not isinstance(value, str) or field.annotation in (str, str | None)
                changed[name] = self.scrubbed(value) if free else value
            return part.model_copy(update=changed)
        if isinstance(part, tuple):
            return tuple(map(self.scrubbed, part))
        if isinstance(part, Mapping) and any(isinstance(value, BaseModel) for value in part.values()):
            return {name: self.scrubbed(value) for name, value in part.items()}
        return self.scrubber.json(part)

    def _choice(self, run: RunSnapshot, index: int, choice: ChoiceText) -> SharedChoice:
        text = None if "output" in self.hidden else self._without_echo(run, choice.text)
        return SharedChoice(index=index, text=text, finish_reason=choice.finish_reason)

    def _without_echo(self, run: RunSnapshot, text: str) -> str | None:
        """An answer that repeats its prompt, less the prompt; None where the one cannot be told from the other."""
        if run.body.get("echo") is not True or not self.hidden & {"prompt", "inputs", "stored_prompt", "knowledge"}:
            return text
        orq = run.body.get("orq")
        asked = {items.rendered(run.body), prompt_of(run.body)}
        shaped = isinstance(orq, Mapping) and bool({"prompt", "knowledge_bases"} & orq.keys())
        prompt = next((one for one in asked if one and text.startswith(one)), None)
        return None if shaped or prompt is None else text[len(prompt) :]

    def _error(self, run: RunSnapshot) -> SharedError | None:
        if run.error is None:
            return None
        if "error" not in self.hidden:
            return SharedError(**{name: getattr(run.error, name) for name in SharedError.model_fields})
        status = f" with status {run.error.status}" if run.error.status else ""
        cause = ERRORS.get(run.error.kind, "The run failed")
        return SharedError(kind=run.error.kind, cause=f"{cause}{status}.", status=run.error.status, code=run.error.code)

    def _alias(self, name: str | None) -> str | None:
        return None if name is None else self.aliases.get(name, name)

    def _aliased(self, value: Any) -> Any:
        """A JSON value with a number in place of each name of a model."""
        if isinstance(value, str):
            return self.aliases.get(value, value)
        if isinstance(value, list | tuple):
            return [self._aliased(item) for item in value]
        if isinstance(value, Mapping):
            return {name: self._aliased(inner) for name, inner in value.items()}
        return value

    def _headers(self, run: RunSnapshot) -> dict[str, str]:
        """What a lane reads of an answer's headers."""
        return {name: value for name, value in run.headers.items() if name in LANE_HEADERS}

    def _trace(self, run: RunSnapshot) -> dict[str, Any] | None:
        """The events that a lane is drawn from, without what hidden items are called in them."""
        events = (run.trace or {}).get("events")
        if not isinstance(events, list):
            return None if run.trace is None else {}
        return {"events": [self._event(event) for event in events if isinstance(event, Mapping)]}

    def _event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        kind = event.get("type")
        item = WITH_NAMES.get(str(kind))
        if item in self.hidden or (item is None and kind not in TOLD_TYPES and self.hidden):
            return {"type": kind, **{name: _wordless(value) for name, value in event.items() if not isinstance(value, str)}}
        told: dict[str, Any] = self._aliased(event)
        if "extra" in self.hidden and isinstance(told.get("changed"), list):
            told["changed"] = [name for name in told["changed"] if _is_known(name)]
        return told


def _is_known(name: Any) -> bool:
    return isinstance(name, str) and not items.extra_fields(_nested(name))


def _nested(path: str) -> dict[str, Any]:
    """A body with something at ``path``."""
    first, _, rest = path.partition(".")
    return {first: _nested(rest) if rest else 0}


def _wordless(value: Any) -> Any:
    """Numbers, and how many there are of what else."""
    if isinstance(value, list | tuple):
        return [
            {"score": item["score"]} if isinstance(item, Mapping) and isinstance(item.get("score"), int | float) else {} for item in value
        ]
    return value if isinstance(value, int | float) else None


def _with(run: RunSnapshot, error: SharedError | None) -> Any:
    return None if error is None or run.error is None else replace(run.error, cause=error.cause, next_step=error.next_step)


def _usage(run: RunSnapshot) -> SharedUsage | None:
    return SharedUsage(**run.usage.to_dict()) if run.usage is not None else None


def _drop(holder: Any, names: list[str]) -> None:
    """Take a field out, and the ``orq`` that it leaves empty."""
    name, is_list = names[0].removesuffix("[]"), names[0].endswith("[]")
    if not isinstance(holder, dict) or name not in holder:
        return
    if len(names) == 1:
        del holder[name]
        return
    for inner in holder[name] if is_list and isinstance(holder[name], list) else [holder[name]]:
        _drop(inner, names[1:])
    if name == "orq" and holder[name] == {}:
        del holder[name]
