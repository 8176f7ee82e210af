"""What a slot shows of its run while the router's trace is on its way."""

from __future__ import annotations

from dataclasses import dataclass, replace

from components.runs.run_column import as_traced
from core.run import RunSnapshot
from tests.core.storage.samples import run

TRACE = {"events": []}


@dataclass
class Traces:
    """A hub that is asking for a trace, or has ``now``."""

    now: RunSnapshot | None
    asking: bool = False

    def awaits_trace(self, run_id: str) -> bool:
        return self.asking

    def snapshot(self, run_id: str) -> RunSnapshot | None:
        return self.now


def test_trace_that_came_since_the_run_was_looked_up_is_shown() -> None:
    looked_up = replace(run(), trace=None)
    told = replace(looked_up, trace=TRACE)
    assert as_traced(looked_up, Traces(told)) == (told, None)


def test_run_that_storage_let_go_meanwhile_stays_as_it_was() -> None:
    looked_up = replace(run(), trace=None)
    assert as_traced(looked_up, Traces(None)) == (looked_up, None)


def test_run_whose_router_is_still_being_asked_is_given_later() -> None:
    looked_up = replace(run(), trace=None)
    hub = Traces(replace(looked_up, trace=TRACE), asking=True)
    shown, later = as_traced(looked_up, hub)
    assert later is not None
    assert (shown, later()) == (looked_up, None)
    hub.asking = False
    assert later() == hub.now
