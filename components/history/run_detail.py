"""One stored run, whole: what was sent, what came, and what can be done with it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import streamlit as st

from components import session
from components.code_export import code_export
from components.history.changes import said_if_refused
from components.plain_text import plain
from components.runs.run_column import replace_draft
from components.runs.run_summary import run_summary
from components.services import workspace
from components.share.entries import share_run
from core.comparison.output_diff import verdict, visible
from core.comparison.settings import differences
from core.metrics import seconds
from core.outgoing import draft_of
from core.prices.pricing import dollars
from core.prices.run_cost import RunCost
from core.run import RunSnapshot
from core.snippets.call import ran_over
from core.storage.run_record import StoredRun

PLAYGROUND_SLOT = "a"
EMBEDDED = "Local router"
SHOWN = 100_000
"""Characters of one text that the page shows; exports have all of it."""
ASK_AGAIN_S = 0.3


def run_detail(run: StoredRun) -> None:
    """Everything about ``run``."""
    seen = run.snapshot
    with st.container(border=True, key="history-run"):
        _head(run)
        _actions(run)
        replay = session.replay_of(seen.id)
        if replay:
            _replayed(seen, replay)
        output, request, code, response, marks = st.tabs(["Output", "Request as sent", "Code", "Response as received", "Tags and note"])
        with output:
            _output(run)
        with request:
            st.caption(f"POST {plain(seen.base_url)} · {len(seen.sent):,} bytes")
            readable, exact = json.dumps(seen.body, indent=2, ensure_ascii=False), seen.sent.decode("utf-8", "replace")
            st.code(_cut(readable), language="json", wrap_lines=True)
            with st.expander("Exact bytes"):
                st.code(_cut(exact), language=None, wrap_lines=True)
        with code:
            code_export(seen.body, ran_over(seen.connection_name, seen.base_url, session.connection()), key="history")
        with response:
            if seen.raw:
                st.code(_cut(seen.raw), language=None, wrap_lines=True, height=420)
            else:
                st.caption("Nothing was received.")
        with marks:
            _marks(run)


def _head(run: StoredRun) -> None:
    seen = run.snapshot
    parts = [f"{seen.created_at:%Y-%m-%d %H:%M:%S} UTC", seen.connection_name, f"slot {seen.slot.upper()}", f"run {seen.id}"]
    star = "★ " if run.starred else ""
    st.markdown(f"**{star}{plain(str(seen.body.get('model', '')))}** · {plain(seen.status)}")
    st.caption(" · ".join(plain(part) for part in parts))
    if seen.error:
        st.error(plain(f"{seen.error.cause} {seen.error.next_step}"), icon=":material/error:")


def _actions(run: StoredRun) -> None:
    seen = run.snapshot
    with st.container(horizontal=True, gap="small", key="history-run-actions"):
        if st.button("Open in Playground", key="history.open", icon=":material/experiment:", help="Exactly this request, to go on from"):
            open_in_playground(seen)
        st.button(
            "Run again",
            key="history.again",
            icon=":material/replay:",
            help="Send the same bytes over the connection that is chosen now, and compare the outputs",
            on_click=run_again,
            args=(seen.id,),
        )
        st.button(
            "Unstar" if run.starred else "Star",
            key="history.star",
            icon=":material/star:",
            on_click=_star,
            args=(seen.id, not run.starred),
        )
        share_run(run)


def open_in_playground(run: RunSnapshot) -> None:
    """Leave for the Playground with the run's request as the draft, and the run shown."""
    replace_draft(PLAYGROUND_SLOT, draft_of(run.body))
    session.set_run_id(PLAYGROUND_SLOT, run.id)
    st.switch_page("playground.py")


@said_if_refused
def run_again(run_id: str) -> None:
    """The callback of Run again."""
    current = workspace()
    stored = current.runs.find(run_id)
    if stored is None:
        return
    session.set_replay(run_id, current.hub.start(stored.snapshot.body, session.connection(), slot=stored.snapshot.slot))


@said_if_refused
def _star(run_id: str, starred: bool) -> None:
    workspace().runs.star([run_id], starred)


def _replayed(before: RunSnapshot, replay: str) -> None:
    after = workspace().hub.snapshot(replay)
    if after is None:
        st.caption("The repeated run is not there any more.")
    elif not after.ended:
        st.fragment(_waiting, run_every=ASK_AGAIN_S)(before, replay)
    else:
        with st.container(key="history-verdict"):
            _verdict(before, after)


def _waiting(before: RunSnapshot, replay: str) -> None:
    after = workspace().hub.snapshot(replay)
    if after is None or after.ended:
        st.rerun()
    else:
        st.caption(f":material/hourglass_top: Running again: {after.pieces:,} pieces so far, {before.pieces:,} the first time.")


def _verdict(before: RunSnapshot, after: RunSnapshot) -> None:
    first, *rest = replay_verdict(before, after)
    st.markdown(f"**{plain(first, 400)}**  \n" + "  \n".join(plain(said, 400) for said in rest))


def replay_verdict(before: RunSnapshot, after: RunSnapshot) -> Iterator[str]:
    """Whether a repeated run said the same, and what else was different about it."""
    if after.status != "finished":
        cause = f": {after.error.cause}" if after.error else ""
        yield f"Run again: it {'was ' if after.status in ('stopped', 'interrupted') else ''}{after.status}{cause}"
    for index in sorted(before.choices.keys() | after.choices.keys()):
        texts = [run.choices[index].text if index in run.choices else "" for run in (before, after)]
        name = "Run again" if len({*before.choices, *after.choices}) == 1 else f"Choice {index + 1} again"
        yield f"{name}: {verdict(*texts)}."
    yield from _changed(before, after)


def _changed(before: RunSnapshot, after: RunSnapshot) -> Iterator[str]:
    pairs = (
        ("Model that answered", before.model, after.model),
        ("Fingerprint", before.system_fingerprint, after.system_fingerprint),
        ("Connection", *(f"{run.connection_name} ({run.base_url})" for run in (before, after))),
        ("Finish reason", _reasons(before), _reasons(after)),
    )
    embedded = before.connection_name == after.connection_name == EMBEDDED  # on another port after every start
    for name, one, other in pairs:
        if one != other and not (embedded and name == "Connection"):
            yield f"{name}: {one or 'not told'} → {other or 'not told'}."
    if before.timings.total_s is not None and after.timings.total_s is not None:
        yield f"Total: {seconds(before.timings.total_s)} → {seconds(after.timings.total_s)}."


def _reasons(run: RunSnapshot) -> str:
    return ", ".join(str(choice.finish_reason) for _, choice in sorted(run.choices.items()) if choice.finish_reason)


def _output(run: StoredRun) -> None:
    seen = run.snapshot
    show_space = st.toggle("Show white space", key="history.space", persist_state="session")
    for index, choice in sorted(seen.choices.items()):
        if len(seen.choices) > 1:
            st.caption(f"Choice {index + 1}")
        text = _cut(choice.text)
        st.code(visible(text) if show_space else text or " ", language=None, wrap_lines=True)
    if not seen.choices:
        st.caption("No text came.")
    run_summary(seen, key="history", cost=stored_cost(run))


def stored_cost(run: StoredRun) -> RunCost:
    """The cost as it was reckoned when the run ended, whatever prices are now."""
    reason = (run.cost_detail or {}).get("reason") or "no price was known when it ran"
    return RunCost(run.cost_usd, str(reason))


def _marks(run: StoredRun) -> None:
    """Tags and note. Their keys change with what is stored, so that a change made elsewhere is shown and not undone."""
    run_id = run.snapshot.id
    tags_key, note_key = (f"history.{name}.{run_id}.{hash(stored)}" for name, stored in (("tags", run.tags), ("note", run.note)))
    st.multiselect(
        "Tags",
        list(dict.fromkeys([*run.tags, *workspace().runs.tags()])),
        default=list(run.tags),
        accept_new_options=True,
        key=tags_key,
        placeholder="Type a tag and press Enter",
        on_change=_set_tags,
        args=(run_id, run.tags, tags_key),
    )
    st.text_area("Note", value=run.note, key=note_key, placeholder="What this run showed", on_change=_set_note, args=(run_id, note_key))


@said_if_refused
def _set_tags(run_id: str, before: tuple[str, ...], key: str) -> None:
    chosen = [tag for tag in st.session_state[key] if tag.strip()]
    for tag in set(chosen) - set(before):
        workspace().runs.tag([run_id], tag)
    for tag in set(before) - set(chosen):
        workspace().runs.untag([run_id], tag)


@said_if_refused
def _set_note(run_id: str, key: str) -> None:
    workspace().runs.note(run_id, st.session_state[key])


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN] + f"\n… {len(text) - SHOWN:,} characters more: export the run for all of it"


def settings_chips(one: RunSnapshot, other: RunSnapshot) -> list[str]:
    """What ``other`` was sent differently from ``one``."""
    return [difference.text for difference in differences(one.body, other.body)]


def cost_text(run: StoredRun) -> str:
    """The cost, or that it is unknown."""
    return "unknown" if run.cost_usd is None else dollars(run.cost_usd)
