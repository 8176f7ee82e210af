"""The blind vote: answers without names, in an order that is drawn anew for every vote.

While it goes on, the page has nothing that tells whose an answer is: neither slots nor panels, chips, figures or events of runs are
drawn or sent, and which answer is which stays on the server, with the comparison (``core.comparison.blind_vote``): whoever opens its
link, in whatever tab, is in the same vote.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from components import session
from components.compare import desk
from components.plain_text import plain
from components.services import workspace
from core.comparison.blind_vote import PART as UNDER_WAY
from core.comparison.blind_vote import BlindVote, blind_vote_of
from core.comparison.board import MOST_SLOTS, Board
from core.comparison.settings import differences
from core.comparison.votes import PART, Tally, Vote, ballot, candidates, tally, votes_of
from core.outgoing import outgoing
from core.run import RunSnapshot

ASK_AGAIN_S: Final = 0.5
SHOWN: Final = 20_000
"""Characters of an answer that are shown."""
PEEKING: Final = "Whoever looks after every vote and stops when it is settled finds differences by chance more often than 5 % of the time."


def under_way() -> BlindVote | None:
    """The blind vote that the comparison is in; None while it is shown with its names."""
    return blind_vote_of(workspace().comparisons.part(session.comparison.current_id() or "", UNDER_WAY))


def _go_on(vote: BlindVote | None) -> None:
    with suppress(KeyError):  # the comparison was taken away meanwhile
        workspace().comparisons.set_part(session.comparison.current_id() or "", UNDER_WAY, vote and vote.to_json())


def enter() -> None:
    """The callback that begins a blind vote: the comparison's panels are gone from then on, and their events are not sent."""
    desk.remember(desk.collected())
    _send_no_events()
    _go_on(BlindVote())


def leave() -> None:
    """The callback that shows the comparison again."""
    _go_on(None)


def _send_no_events() -> None:
    for place in range(MOST_SLOTS):
        workspace().hub.channels.clear(session.channel(), desk.slot_key(place))


def blind_vote(board: Board, runs: Sequence[Sequence[RunSnapshot]], vote: BlindVote) -> None:
    """Draw the vote in place of the comparison."""
    _send_no_events()  # another tab may have begun it
    votes = _votes()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="blind-head"):
        st.markdown("##### Blind vote")
        st.space("stretch")
        st.button("Back to the comparison", key="blind.leave", icon=":material/compare:", type="tertiary", on_click=leave)
    _prompt(board)
    if any(not run.ended for of_slot in runs for run in of_slot):
        st.fragment(_waiting, run_every=ASK_AGAIN_S)([run.id for of_slot in runs for run in of_slot])
        return
    if vote.stage == "vote":
        _vote(board, runs, votes, vote)
    else:
        _voted(board, votes, vote)


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
    _go_on(BlindVote())
    if desk.asks():
        session.comparison.ask(None)
        session.set_refusal(desk.slot_key(0), "It may cost more than the budget. Run it from the comparison, which asks first.", lasts=True)
        return
    desk.run(shown=False)


def _waiting(ids: Sequence[str]) -> None:
    """How many answers have ended, and not which; the page is drawn anew with the last of them."""
    hub = workspace().hub
    ended = sum(((run := hub.find(run_id)) is None or run.ended) and hub.elsewhere(run_id) is None for run_id in ids)
    if ended == len(ids):
        st.rerun()
    st.progress(ended / max(len(ids), 1), text=f"{ended} of {len(ids)} answers have come")


def _vote(board: Board, runs: Sequence[Sequence[RunSnapshot]], votes: Sequence[Vote], vote: BlindVote) -> None:
    found = ballot(runs, votes)
    if len(found) < 2:
        _too_few(runs, len(votes))
        return
    order = list(vote.order)
    if not vote.is_of(found):
        order = list(found)
        secrets.SystemRandom().shuffle(order)
        _go_on(BlindVote("vote", tuple(order), tuple(found[place].id for place in order)))
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
    going_on, board = under_way(), desk.remembered()
    if going_on is None or going_on.stage != "vote" or not _stands(board, going_on):  # another tab has voted, left, or edited slots
        return
    named = candidates(board)
    shown = tuple(named[place] for place in going_on.order)
    choice = None if number is None else shown[number - 1]
    prompt = board.prompt if isinstance(board.prompt, str) else ""
    vote = Vote(datetime.now(UTC), shown, choice, going_on.runs, prompt[:200])
    store, comparison_id = workspace().comparisons, session.comparison.current_id() or ""
    with suppress(KeyError):
        store.set_part(comparison_id, PART, [*(store.part(comparison_id, PART) or []), vote.to_json()])
    _go_on(replace(going_on, stage="voted", choice=number))


def _stands(board: Board, vote: BlindVote) -> bool:
    """Whether the answers are still those of the slots at their places; a tab that shows the slots may have moved or removed some."""
    slots = [board.slots[place].runs if place < len(board.slots) else () for place in vote.order]
    return bool(slots) and all(run in of_slot for run, of_slot in zip(vote.runs, slots, strict=True))


def _voted(board: Board, votes: Sequence[Vote], vote: BlindVote) -> None:
    st.success("Kept: a tie." if vote.choice is None else f"Kept: answer {vote.choice}.", icon=":material/how_to_vote:")
    with st.container(horizontal=True, gap="small", key="blind-next"):
        st.button("Next vote", key="blind.next", icon=":material/skip_next:", type="primary", on_click=_next)
        if vote.stage == "voted":
            st.button("Reveal", key="blind.reveal", icon=":material/visibility:", on_click=_reveal)
    if vote.stage == "revealed":
        tallied(board, votes)
        stands = _stands(board, vote)
        with st.container(key="blind-revealed"):
            for number, (place, run_id) in enumerate(zip(vote.order, vote.runs, strict=True), 1):
                run = workspace().hub.snapshot(run_id)
                with st.container(border=True, key=f"blind-revealed-{number}", gap="small"):
                    whose = f"**{plain(board.title(place))}**: {_settings(board, place)}" if stands else "of a slot that was changed since"
                    st.markdown(f"**Answer {number}** was {whose}")
                    st.code((run.text[:SHOWN] if run else "") or " ", language=None, wrap_lines=True, height=260)


def _next() -> None:
    _go_on(BlindVote())


def _reveal() -> None:
    vote = under_way()
    if vote is not None and vote.stage == "voted":
        _go_on(replace(vote, stage="revealed"))


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
    return votes_of(workspace().comparisons.part(session.comparison.current_id() or "", PART))


def votes_here(board: Board) -> None:
    """The tally of the comparison that is shown."""
    tallied(board, _votes())
