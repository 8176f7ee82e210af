"""One slot: its draft, its form, its panel and its summary. The Playground draws one, Compare up to eight."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import streamlit as st

from components import session
from components.code_import import imported_line
from components.knowledge.library import KNOWLEDGE_ID, base_names
from components.parameter_form import Refreshed, collect, forget_widgets, parameter_form, request_field
from components.parameter_form.pii_picks import pii_picks
from components.plain_text import plain
from components.prompts.source import IDENTITY_ID, PROMPT_ID, identity_names, prompt_names, prompt_source
from components.routing.rehearsal import rehearsal
from components.routing.weights import weights
from components.runs.continuation import continuation
from components.runs.run_elsewhere import run_elsewhere
from components.runs.run_summary import run_summary
from components.services import workspace
from components.stream_panel import stream_panel
from core.connection import Connection
from core.errors import PlaygroundError
from core.local_router.catalog import description
from core.outgoing import Outgoing, outgoing
from core.prices.run_cost import run_cost
from core.rehearsal import ROUTING
from core.run import RunSnapshot

RUNNING = ("queued", "waiting", "streaming")
PLACEHOLDER = "The answer streams in here. Type a prompt and press Ctrl+Enter, or try one of these."
EXAMPLES = ("A function definition", "The for statement", "An exception is")
"""Beginnings that the local model can go on from; any other model can too."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What a slot is made of during one script run."""

    name: str
    draft: dict[str, Any]
    outgoing: Outgoing
    connection: Connection
    run: RunSnapshot | None
    elsewhere: bool = False
    """Whether its run is another process's."""

    @property
    def running(self) -> bool:
        """Whether its run is under way."""
        return self.run is not None and self.run.status in RUNNING

    @property
    def obstacles(self) -> tuple[str, ...]:
        """Why Run would refuse, apart from a prompt or model that may just be typed: those are checked at the press itself."""
        return tuple(p.sentence for p in self.outgoing.problems if p.path not in ("prompt", "model"))


def gather(slot: str, *, linked_draft: str | None, linked_run: str | None) -> Slot:
    """The slot as it stands: widgets folded into the draft, the draft checked, the run looked up. Call before anything is drawn."""
    current = workspace()
    if session.run_id(slot) is None and linked_run and session.draft(slot) is None:
        session.set_run_id(slot, linked_run)
    run, elsewhere = _shown_run(slot)
    known = run or elsewhere
    fallback = {"body": known.body, "extra": ""} if known else None
    draft = collect(slot, session.restore_draft(slot, current.drafts, linked=linked_draft, fallback=fallback))
    session.set_draft(slot, draft)
    return Slot(slot, draft, outgoing(draft), session.connection(), run, elsewhere is not None)


def standing(slot: str, draft: dict[str, Any], connection: Connection) -> Slot:
    """The slot with a draft that its widgets are folded into already."""
    run, elsewhere = _shown_run(slot)
    return Slot(slot, draft, outgoing(draft), connection, run, elsewhere is not None)


def _shown_run(slot: str) -> tuple[RunSnapshot | None, RunSnapshot | None]:
    """The run that the slot shows: ours, or another process's."""
    hub, shown = workspace().hub, session.run_id(slot)
    if shown is None:
        return None, None
    run = hub.snapshot(shown)
    return run, None if run else hub.elsewhere(shown)


def start(slot: str) -> None:
    """The callback of Run: what the widgets hold at this moment goes out, or the slot says why not."""
    draft = session.draft(slot)
    if draft is None:
        return
    draft = collect(slot, draft)
    session.set_draft(slot, draft)
    current = workspace()
    shown = session.run_id(slot)
    before = current.hub.snapshot(shown) if shown else None
    if before is not None and before.status in RUNNING:
        return
    leaving = outgoing(draft)
    if leaving.problems:
        session.set_refusal(slot, leaving.problems[0].sentence)
        return
    launch(slot, leaving.body)


def launch(slot: str, body: Mapping[str, Any], *, stored_as: str | None = None, shown: bool = True) -> str | None:
    """Send ``body`` and let the slot show it; the run's id, or None where nothing was sent and the slot says why.

    ``stored_as`` is the slot's name in the history, where that is not its own. One that is not ``shown`` sends the browser nothing.
    """
    hub, channel = workspace().hub, session.channel()
    session.set_refusal(slot, None)
    try:
        hub.channels.channel(channel)  # refuses before anything is sent, where there are too many
        run_id = hub.start(body, session.connection(), slot=stored_as or slot)
        if shown:
            hub.attach(channel, slot, run_id)
    except PlaygroundError as error:
        session.set_refusal(slot, f"{error.cause} {error.next_step}", lasts=True)
        return None
    session.set_run_id(slot, run_id)
    return run_id


def stop(slot: str) -> None:
    """The callback of Stop."""
    shown = session.run_id(slot)
    if shown:
        workspace().hub.stop(shown)


def request(slot: Slot, models: Sequence[str]) -> None:
    """The model and the prompt."""
    imported_line(slot.name, undo_import)
    problems = slot.outgoing.problems if session.refusal(slot.name) else ()
    for path in ("model", "prompt"):
        request_field(slot.name, slot.draft, path, problems, models=models, kind=slot.connection.kind)
        if path == "model" and (about := _about(slot, models)):
            st.caption(plain(about))
    prompt_source(slot.name, slot.draft, slot.connection)


def _about(slot: Slot, models: Sequence[str]) -> str:
    """What there is to know about the model that is set: what it is, or that nobody lists it."""
    model = str(slot.draft["body"].get("model") or "")
    if slot.connection.kind == "local" and (about := description(model)):
        return about
    return (
        f"{slot.connection.name} does not list this model; it is asked for as it is written."
        if model and models and model not in models
        else ""
    )


def output(
    slot: Slot,
    *,
    placeholder: str = PLACEHOLDER,
    height: int | None = None,
    alone: bool = True,
    on_done: Callable[[], None] | None = None,
) -> None:
    """The panel and, once the run has ended, its summary.

    A slot that is ``alone`` on its page offers what to run next: examples, or going on from an answer. ``on_done`` is called when the
    panel has seen its run's end, before the rerun.
    """
    current = workspace()
    channel = session.channel()
    run, shown = slot.run, session.run_id(slot.name)
    if slot.elsewhere and shown:
        run_elsewhere(shown, key=slot.name)
        return
    if run is not None:
        current.hub.attach(channel, slot.name, run.id)
    elif shown:
        st.info("This run was not found. It may have been deleted, or belong to another playground.", icon=":material/history:")
    stream_panel(
        key=f"panel-{slot.name}",
        channel=channel,
        channel_token=current.signer.channel_token(channel),
        slot=slot.name,
        run=run.id if run else None,
        run_token=current.signer.run_token(run.id) if run else None,
        status=run.status if run else None,
        placeholder=placeholder,
        height=height,
        on_done=on_done,
    )
    if run is not None:
        run, later = as_traced(run, current.hub)
        run_summary(run, key=slot.name, cost=run_cost(run, current.prices.prices), later=later)
    if not alone:
        return
    if run is not None:
        continuation(run, key=slot.name, on_continue=run_prompt)
    else:
        _examples(slot)


def routing(slot: Slot) -> None:
    """What can be tried of the draft's routing without sending anything; nothing where it has none."""
    routed, balanced = routing_shown(slot.outgoing.body)
    if routed:
        with st.container(horizontal=True, gap="small", key=f"routing-{slot.name}"):
            rehearsal(slot.outgoing.body, key=slot.name)
            if balanced:
                hub = workspace().hub
                weights(slot.outgoing.body, [run for run_id in session.run_ids(slot.name) if (run := hub.run(run_id))], key=slot.name)


def routing_shown(body: dict[str, Any]) -> tuple[bool, bool]:
    """Whether there is routing to rehearse, and whether a load balancer is part of it."""
    orq = body.get("orq")
    found = {name for name in ROUTING if name in body or (isinstance(orq, dict) and name in orq)}
    return bool(found), "load_balancer" in found


class TraceKeeper(Protocol):
    """Where traces arrive: the hub."""

    def awaits_trace(self, run_id: str) -> bool:
        """Whether a run's router is being asked what it did."""
        ...

    def snapshot(self, run_id: str) -> RunSnapshot | None:
        """The run as it is now."""
        ...


def as_traced(run: RunSnapshot, hub: TraceKeeper) -> tuple[RunSnapshot, Callable[[], RunSnapshot | None] | None]:
    """The run with what its router told, which may have come since ``run`` was taken; and, where the router is still being asked,
    what gives the run once it told or will not tell any more."""
    if hub.awaits_trace(run.id):
        return run, lambda: None if hub.awaits_trace(run.id) else hub.snapshot(run.id)
    return (hub.snapshot(run.id) or run) if run.ended and run.trace is None else run, None


def _examples(slot: Slot) -> None:
    with st.container(horizontal=True, gap="small", key=f"examples-{slot.name}"):
        for number, text in enumerate(EXAMPLES):
            st.button(text, key=f"{slot.name}.example.{number}", icon=":material/bolt:", on_click=run_prompt, args=(slot.name, text))


def run_prompt(slot: str, text: str) -> None:
    """The callback of an example and of *Continue from here*: ``text`` becomes the prompt and runs, everything else as it is set."""
    draft = session.draft(slot)
    if draft is not None:
        draft = collect(slot, draft)
        replace_draft(slot, {**draft, "body": {**draft["body"], "prompt": text}})
        start(slot)


def parameters(
    slot: Slot,
    models: Sequence[str],
    *,
    refresh: Callable[[Slot], Refreshed] | None = None,
    changed: Callable[[str], None] | None = None,
) -> None:
    """The form with every parameter. ``refresh`` and ``changed`` are as in ``components.parameter_form``."""
    parameter_form(
        slot.name,
        slot.draft,
        slot.outgoing.problems,
        models=models,
        kind=slot.connection.kind,
        refresh=partial(refresh, slot) if refresh else None,
        changed=changed,
        picks={
            KNOWLEDGE_ID: lambda: base_names(slot.connection),
            PROMPT_ID: lambda: prompt_names(slot.connection),
            IDENTITY_ID: lambda: identity_names(slot.connection),
            **pii_picks(slot.connection),
        },
    )


def replace_draft(slot: str, draft: dict[str, Any]) -> None:
    """Put ``draft`` in place of the slot's, for a callback: its widgets start from it at the next draw."""
    session.set_draft(slot, draft)
    forget_widgets(slot)


def undo_import(slot: str) -> None:
    """The callback of Undo after an import."""
    before = session.draft_before_import(slot)
    if before is not None:
        replace_draft(slot, before)
    session.set_imported(slot, None)
