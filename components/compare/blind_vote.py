"""The blind vote: answers without names, in an order that is drawn anew for every vote.

While it goes on, the page has nothing that tells whose an answer is: neither slots nor panels, chips, figures or events of runs are
drawn or sent, and which answer is which stays in the session on the server. Its state is ``{"stage", "order", "runs"}``: ``order`` has the
slots' places as their answers stand, ``runs`` the answers' ids.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import streamlit as st

from components import session
from components.compare import desk
from components.plain_text import plain
from components.services import workspace
from core.comparison.board import Board
from core.comparison.settings import differences
from core.comparison.votes import PART, Tally, Vote, ballot, candidates, tally, votes_of
from core.outgoing import outgoing
from core.run import RunSnapshot

ASK_AGAIN_S: Final = 0.5
SHOWN: Final = 20_000
"""Characters of an answer that are shown."""
PEEKING: Final = "Whoever looks after every vote and stops when it is settled finds differences by chance more often than 5 % of the time."


def enter() -> None:
    """The callback that begins a blind vote: the comparison's panels are gone from then on, and their events are not sent."""
    board = desk.collected()
    desk.remember(board)
    for place in range(len(board.slots)):
        workspace().hub.detach(session.channel(), desk.slot_key(place))
    session.set_blind_vote({"stage": "vote", "order": [], "runs": []})


def leave() -> None:
    """The callback that shows the comparison again."""
    session.set_blind_vote(None)


def blind_vote(board: Board, runs: Sequence[Sequence[RunSnapshot]]) -> None:
    """Draw the vote in place of the comparison."""
    state = session.blind_vote() or {}
    votes = _votes()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="blind-head"):
        st.markdown("##### Blind vote")
        st.space("stretch")
        st.button("Back to the comparison", key="blind.leave", icon=":material/compare:", type="tertiary", on_click=leave)
    _prompt(board)
    if any(not run.ended for of_slot in runs for run in of_slot):
        st.fragment(_waiting, run_every=ASK_AGAIN_S)([run.id for of_slot in runs for run in of_slot])
        return
    if state.get("stage") == "vote":
        _vote(board, runs, votes, state)
    else:
        _voted(board, votes, state)


def _prompt(board: Board) -> None:
    """What was asked, and how to ask something else."""
    key = "blind.prompt"
    st.session_state.setdefault(key, board.prompt if isinstance(board.prompt, str) else "")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="blind-request"):
        st.text_area("prompt", key=key, height=100)
        calls = len(board.slots) * board.repeats
        st.button(
            f"Run {calls} call{'s' if calls > 1 else ''} and vote",
            key="blind.run",
            icon=":material/play_arrow:",
            help="Runs every slot; the answers stand here, in a new order, once all of them have ended",
            on_click=_run,
            args=(key,),
        )
    problem = next(filter(None, (session.refusal(desk.slot_key(place)) for place in range(len(board.slots)))), None)
    if problem:
        st.error(f"Nothing was sent. {plain(problem)}", icon=":material/error:")


def _run(key: str) -> None:
    prompt = str(st.session_state[key] or "")
    desk.remember(desk.collected().with_prompt(prompt or None))
    session.set_blind_vote({"stage": "vote", "order": [], "runs": []})
    if desk.asks():
        session.ask_about_comparison(None)
        session.set_refusal(desk.slot_key(0), "It may cost more than the budget. Run it from the comparison, which asks first.", lasts=True)
        return
    desk.run(shown=False)


def _waiting(ids: Sequence[str]) -> None:
    """How many answers have ended, and not which; the page is drawn anew with the last of them."""
    hub = workspace().hub
    ended = sum((run := hub.find(run_id)) is None or run.ended for run_id in ids)
    if ended == len(ids):
        st.rerun()
    st.progress(ended / max(len(ids), 1), text=f"{ended} of {len(ids)} answers have come")


def _vote(board: Board, runs: Sequence[Sequence[RunSnapshot]], votes: Sequence[Vote], state: Mapping[str, Any]) -> None:
    found = ballot(runs, votes)
    if len(found) < 2:
        _too_few(runs, len(votes))
        return
    order = [place for place in state["order"] if place in found]
    if len(order) != len(found) or [found[place].id for place in order] != state["runs"]:
        order = list(found)
        secrets.SystemRandom().shuffle(order)
        session.set_blind_vote({"stage": "vote", "order": order, "runs": [found[place].id for place in order]})
    absent = len(board.slots) - len(found)
    st.caption(
        f"{len(order)} answers, in an order drawn for this vote" + (f"; {absent} without an answer" if absent else "") + ". Pick the best."
    )
    with st.container(key="blind-answers"):
        for number, place in enumerate(order, 1):
            with st.container(border=True, key=f"blind-answer-{number}", gap="small"):
                with st.container(horizontal=True, vertical_alignment="center", key=f"blind-answer-head-{number}"):
                    st.markdown(f"**Answer {number}**")
                    st.space("stretch")
                    st.button("This one", key=f"blind.pick.{number}", icon=":material/thumb_up:", on_click=_pick, args=(number,))
                st.code(found[place].text[:SHOWN] or " ", language=None, wrap_lines=True, height=260)
    st.button("No difference: a tie", key="blind.tie", icon=":material/balance:", on_click=_pick, args=(None,))


def _too_few(runs: Sequence[Sequence[RunSnapshot]], votes: int) -> None:
    if any(runs) and votes:
        st.info("Every answer was voted on. Ask the next thing above, and vote again.", icon=":material/how_to_vote:")
    else:
        st.info("Two slots need a finished answer. Write a prompt above and run it.", icon=":material/how_to_vote:")


def _pick(number: int | None) -> None:
    """The callback of a vote; it is kept with the comparison."""
    state, board = session.blind_vote(), desk.remembered()
    if not state or not state["order"]:
        return
    named = candidates(board)
    shown = tuple(named[place] for place in state["order"])
    choice = None if number is None else shown[number - 1]
    prompt = board.prompt if isinstance(board.prompt, str) else ""
    vote = Vote(datetime.now(UTC), shown, choice, tuple(state["runs"]), prompt[:200])
    store, comparison_id = workspace().comparisons, session.comparison_id() or ""
    with suppress(KeyError):
        store.set_part(comparison_id, PART, [*(store.part(comparison_id, PART) or []), vote.to_json()])
    session.set_blind_vote({**state, "stage": "voted", "choice": number})


def _voted(board: Board, votes: Sequence[Vote], state: Mapping[str, Any]) -> None:
    picked = state.get("choice")
    st.success("Kept: a tie." if picked is None else f"Kept: answer {picked}.", icon=":material/how_to_vote:")
    with st.container(horizontal=True, gap="small", key="blind-next"):
        st.button("Next vote", key="blind.next", icon=":material/skip_next:", type="primary", on_click=_next)
        if state["stage"] == "voted":
            st.button("Reveal", key="blind.reveal", icon=":material/visibility:", on_click=_reveal)
    if state["stage"] == "revealed":
        tallied(board, votes)
        with st.container(key="blind-revealed"):
            for number, (place, run_id) in enumerate(zip(state["order"], state["runs"], strict=True), 1):
                run = workspace().hub.snapshot(run_id)
                with st.container(border=True, key=f"blind-revealed-{number}", gap="small"):
                    st.markdown(f"**Answer {number}** was **{plain(board.title(place))}**: {_settings(board, place)}")
                    st.code((run.text[:SHOWN] if run else "") or " ", language=None, wrap_lines=True, height=260)


def _next() -> None:
    session.set_blind_vote({"stage": "vote", "order": [], "runs": []})


def _reveal() -> None:
    session.set_blind_vote({**(session.blind_vote() or {}), "stage": "revealed"})


def _settings(board: Board, place: int) -> str:
    """What a slot asks for: its model, and what it sets differently from the baseline."""
    body = outgoing(board.slots[place].draft).body
    found = [one.text for one in differences(outgoing(board.slots[0].draft).body, body) if one.path not in ("model", "prompt")]
    return plain("; ".join((str(body.get("model", "no model")), *found)))


def tallied(board: Board, votes: Sequence[Vote]) -> None:
    """The votes on these settings; nothing where there is none."""
    found = tally(votes, candidates(board))
    if not found.votes:
        return
    names = [board.title(place) for place in range(len(board.slots))]
    with st.container(key="compare-votes", gap="xsmall"):
        st.markdown(f":material/how_to_vote: **Blind votes:** {plain(found.sentence(names))}", help=PEEKING)
        st.caption(" · ".join(_shares(found, names)))
        if found.others:
            st.caption(f"{found.others} more on other settings of this comparison.")


def _shares(found: Tally, names: Sequence[str]) -> list[str]:
    return [
        plain(f"{name} {share.picked} of {share.decided} ({share.low:.0%}–{share.high:.0%})".replace("%", " %"))
        for name, share in zip(names, found.shares, strict=True)
    ]


def _votes() -> tuple[Vote, ...]:
    return votes_of(workspace().comparisons.part(session.comparison_id() or "", PART))


def votes_here(board: Board) -> None:
    """The tally of the comparison that is shown."""
    tallied(board, _votes())
