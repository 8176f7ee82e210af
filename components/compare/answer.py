"""The answer to a comparison: figures of every slot, what the outputs have in common, and whether a difference is more than noise."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import lru_cache

import streamlit as st

from components.compare.answer_charts import charts
from components.compare.blind_vote import votes_here
from components.compare.determinism import is_check, verdicts
from components.plain_text import plain
from components.services import workspace
from components.text_diff import diff_tools, shows_space, text_diff
from core.comparison.board import LETTERS, Board
from core.comparison.distance import groups, which_answers
from core.comparison.figure_text import UNKNOWN, figure_text
from core.comparison.figure_verdict import figure_verdict
from core.comparison.figures import COST, MEASURES, SlotFigures, slot_figures
from core.comparison.noise_floor import NoiseFloor, corrected, noise_floor
from core.comparison.output_diff import verdict, visible
from core.comparison.settings import differences
from core.run import RunSnapshot

KEY = "compare"
"""The key of the diff and its switches."""
ASK_AGAIN_S = 0.5
HOW = (
    "An exact permutation test: the answers of both slots are dealt anew in every way, and the p-value is the share of deals that part "
    "them at least as far. It is corrected for the number of slots (Holm): where none differs, 5 % of comparisons claim any at most."
)
HOW_FIGURES = (
    "Differences of medians with 95 % bootstrap intervals. Claimed by permutation tests that are corrected together for every slot and "
    "figure (Holm), apart from those of the answers."
)


def answer(board: Board, runs: Sequence[Sequence[RunSnapshot]]) -> None:
    """Draw the answer of ``runs``, a list for every slot; nothing before the first of them has ended."""
    if any(len(of_slot) > 1 and not all(run.ended for run in of_slot) for of_slot in runs):
        st.fragment(_progress, run_every=ASK_AGAIN_S)([[run.id for run in of_slot] for of_slot in runs], _complete(runs))
    prices = workspace().prices.prices
    figures = [slot_figures(of_slot, prices) for of_slot in runs]
    if not any(one.ended for one in figures):
        return
    with st.container(key="compare-answer", gap="small"):
        st.markdown("##### The answer")
        with st.container(key="compare-figures"):
            st.html(_figures_table(board, runs, figures))
        if any(one.finished > 1 for one in figures):
            st.caption("Medians over the runs that finished, with 95 % bootstrap intervals.")
        if is_check(runs):
            verdicts(board, runs)
        else:
            _noise(board, figures)
        votes_here(board)
        charts(figures)
        _outputs(board, figures)


def _complete(runs: Sequence[Sequence[RunSnapshot]]) -> int:
    return sum(all(run.ended for run in of_slot) for of_slot in runs)


def _progress(ids: Sequence[Sequence[str]], complete: int) -> None:
    """How far repeats are; the page is drawn anew when a slot has all of its answers."""
    hub = workspace().hub
    found = [[run for run_id in of_slot if (run := hub.find(run_id))] for of_slot in ids]
    if sum(all(run.ended for run in of_slot) for of_slot in found) > complete:
        st.rerun()
    told = " · ".join(f"{LETTERS[place]} {sum(run.ended for run in of_slot)} of {len(of_slot)}" for place, of_slot in enumerate(found))
    st.caption(f":material/hourglass_top: {told}")


def _figures_table(board: Board, runs: Sequence[Sequence[RunSnapshot]], figures: Sequence[SlotFigures]) -> str:
    """A row for every slot. HTML, for a table that scrolls sideways on its own; everything in it is escaped."""
    names = [name for name in (*MEASURES, COST) if any(one.figures[name] for one in figures)]
    heads = ["slot", "runs", *names, "finish reason", "against the baseline"]
    rows = []
    for place, one in enumerate(figures):
        cells = [
            board.title(place),
            _ended(one),
            *(figure_text(name, one.figures[name]) + _delta(figures[0], one, name) for name in names),
            _reasons(one),
        ]
        cells.append("baseline" if place == 0 else _against(runs[0], runs[place]))
        rows.append("".join(f"<td>{html.escape(cell)}</td>" for cell in cells))
    head = "".join(f"<th scope='col'>{html.escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<div class='figures'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _ended(one: SlotFigures) -> str:
    if not one.runs:
        return "none"
    if one.finished == one.runs:
        return str(one.runs)
    return f"{one.finished} of {one.runs} " + ("finished" if one.ended == one.runs else "so far")


def _delta(baseline: SlotFigures, one: SlotFigures, name: str) -> str:
    """How far a figure is from the baseline's, in percent; nothing where it is the same or there is no baseline."""
    before, now = baseline.figures[name], one.figures[name]
    if one is baseline or before is None or now is None or not before.median or before.median == now.median:
        return ""
    return f" {(now.median - before.median) / before.median:+.0%}".replace("%", " %").replace("-", "−")


def _reasons(one: SlotFigures) -> str:
    return ", ".join(reason if count == 1 and one.finished < 2 else f"{reason} ×{count}" for reason, count in one.finish_reasons) or UNKNOWN


def _against(baseline: Sequence[RunSnapshot], runs: Sequence[RunSnapshot]) -> str:
    """What was sent differently, by the first run of each."""
    if not baseline or not runs:
        return UNKNOWN
    return ", ".join(one.text for one in differences(baseline[0].body, runs[0].body)) or "nothing"


def _noise(board: Board, figures: Sequence[SlotFigures]) -> None:
    """One sentence for every slot that repeats were made of."""
    if not any(one.finished > 1 for one in figures) or not figures[0].answers:
        return
    places = [place for place, one in enumerate(figures) if place and one.answers]
    floors = corrected([_floor(figures[0].answers, figures[place].answers, board.title(0), board.title(place)) for place in places])
    with st.container(key="compare-noise", gap="xsmall"):
        for floor in floors:
            icon = ":material/difference:" if floor.differs else ":material/equal:" if floor.p_value is not None else ":material/help:"
            more = f" {plain(floor.next_step)}" if floor.p_value is not None and floor.next_step else ""
            st.markdown(f"{icon} **{plain(floor.sentence)}**{more}  \n:gray[{_distances(floor)}]", help=HOW)
        _figure_differences(board, figures)


def _figure_differences(board: Board, figures: Sequence[SlotFigures]) -> None:
    """Which figures differ by more than chance, and by how much."""
    found = figure_verdict(figures, [board.title(place) for place in range(len(figures))])
    if found.remark:
        st.caption(found.remark, help=HOW_FIGURES)
    for sentence in found.claims:
        st.markdown(f":material/monitoring: {plain(sentence)}", help=HOW_FIGURES)


@lru_cache(maxsize=256)
def _floor(baseline: tuple[str, ...], other: tuple[str, ...], name_a: str, name_b: str) -> NoiseFloor:
    """Half a second for the longest answers and the most repeats, and a page is drawn often."""
    return noise_floor(baseline, other, name_a=name_a, name_b=name_b)


def _distances(floor: NoiseFloor) -> str:
    """How far apart answers are, from 0 % (identical) to 100 %."""
    parts = [(f"within {floor.name_a}", floor.within_a), (f"within {floor.name_b}", floor.within_b), ("between them", floor.between)]
    told = ", ".join(f"{plain(name)} {value:.0%}" for name, value in parts if value is not None)
    return f"Mean distance by word: {told}"


def _outputs(board: Board, figures: Sequence[SlotFigures]) -> None:
    """A slot's answer against the baseline's, word by word, and which answers were identical."""
    others = [place for place in range(1, len(figures)) if figures[place].answers]
    if not figures[0].answers or not others:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="compare-diff-tools"):
        place = others[0]
        if len(others) > 1:
            place = (
                st.segmented_control(
                    "Compare with the baseline",
                    others,
                    format_func=lambda other: f"{LETTERS[0]} → {LETTERS[other]}",
                    key="compare.diff",
                    default=others[0],
                    required=True,
                    label_visibility="collapsed",
                )
                or others[0]
            )
        diff_tools(KEY)
    before, after = (groups(figures[at].answers)[0][0] for at in (0, place))
    which = which_answers(figures[0].answers, figures[place].answers)
    st.markdown(f"**{which} of {LETTERS[0]} and {LETTERS[place]}:** {plain(verdict(before, after))}")
    if before != after:
        text_diff(before, after, names=(board.title(0), board.title(place)), key=KEY)
    _identical(figures, show_space=shows_space(KEY))


def _identical(figures: Sequence[SlotFigures], *, show_space: bool) -> None:
    everything = [text for one in figures for text in one.answers]
    found = groups(everything)
    distinct = len(found)
    label = f"{distinct} distinct answer{'s' if distinct > 1 else ''} of {len(everything)}"
    box = st.expander(label, icon=":material/stacks:", key="compare.groups", on_change="rerun")
    if not box.open:
        return
    with box:
        for text, _count in found[:40]:
            told = ", ".join(f"{LETTERS[place]} ×{n}" for place, one in enumerate(figures) if (n := one.answers.count(text)))
            st.caption(told)
            st.code((visible(text) if show_space else text)[:2_000] or " ", language=None, wrap_lines=True)
        if distinct > 40:
            st.caption(f"and {distinct - 40} more")
