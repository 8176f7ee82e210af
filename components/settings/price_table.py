"""What models cost: a table to edit, files to take it from and to, and runs that get a cost once their price is known."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from components import session
from components.plain_text import plain
from components.services import workspace
from components.table_editor import Row, edited_rows, table_editor
from core.errors import StorageProblem
from core.prices.reckoning import Reckoned
from core.prices.rows import cells_of, check_rows, merged, read_csv, write_csv

KEY: Final = "prices.table"
COLUMNS: Final[dict[str, Any]] = {
    "model": st.column_config.TextColumn("model", help="An id, or a pattern such as local/*; an exact id wins over a pattern", width=230),
    "input": st.column_config.TextColumn("input", help="$ per million prompt tokens", width=80, alignment="right"),
    "output": st.column_config.TextColumn("output", help="$ per million completion tokens", width=80, alignment="right"),
    "cached": st.column_config.TextColumn(
        "cached", help="$ per million prompt tokens from the provider's cache; empty: as input", width=80, alignment="right"
    ),
    "reasoning": st.column_config.TextColumn(
        "reasoning", help="$ per million tokens spent on thinking; empty: as output", width=90, alignment="right"
    ),
    "source": st.column_config.TextColumn("source", help="Where the price was read"),
    "as_of": st.column_config.TextColumn("date", help="When it was read, such as 2026-03-31", width=100),
}
PROBLEMS_SHOWN: Final = 10
LARGEST_MB: Final = 2
ASK_AGAIN_S: Final = 0.4


def price_table() -> None:
    """Draw the section; what is typed counts when it is saved."""
    with st.container(key="prices", gap="small", width=1100):
        st.subheader("Prices", anchor=False)
        st.caption(
            "US dollars per million tokens, by the model that answered. A run's cost is calculated when it ends; a model without a "
            "price has unknown cost, never 0. Type into the last row to add a model."
        )
        rows, saved = _rows(), _saved()
        session.prices.set_rows(None if rows == saved else rows)
        _keep_edits_apart(rows)
        table_editor(rows, key=KEY, columns=COLUMNS, edition=session.prices.edition(), alt="Prices of models")
        _problems(rows)
        _buttons(rows, changed=rows != saved)
        if session.prices.question():
            _sure()
        _reckoning(changed=rows != saved)


def _saved() -> list[Row]:
    return [dict(cells_of(price)) for price in workspace().prices.prices.prices]


def _rows() -> list[Row]:
    """The rows as they are with what is typed into the table."""
    drawn = session.prices.rows()
    rows: list[Row] = _saved() if drawn is None else [*drawn]
    held = st.session_state.get(KEY)
    return [row for _, row in edited_rows(rows, held)] if held else rows


def _keep_edits_apart(rows: list[Row]) -> None:
    """A new table where the old one's edits would change the rows once more: a tick that removed a row removes the next one."""
    held = st.session_state.get(KEY)
    if held and [row for _, row in edited_rows(rows, held)] != rows:
        session.prices.next_edition()


def _replace(rows: list[Row] | None) -> None:
    """For callbacks: show other rows, ``None`` for those that are saved; nothing typed before is left."""
    st.session_state.pop(KEY, None)
    session.prices.set_rows(rows)
    session.prices.next_edition()
    session.prices.set_refused(False)
    session.prices.ask(False)


def _problems(rows: list[Row]) -> None:
    if not session.prices.refused():
        return
    _, problems = check_rows(rows)
    if not problems:
        session.prices.set_refused(False)
        return
    count = len(problems)
    said = [f"{_named(place, rows[place])}: {plain(problem)}" for place, problem in list(problems.items())[:PROBLEMS_SHOWN]]
    more = [f"… and {count - PROBLEMS_SHOWN:,} more"] if count > PROBLEMS_SHOWN else []
    head = f"Nothing was saved: {count} row{' has a problem' if count == 1 else 's have problems'}."
    with st.container(key="prices.problems"):
        st.error("  \n".join([head, *said, *more]), icon=":material/error:")


def _named(place: int, row: Row) -> str:
    model = str(row.get("model", "")).strip()
    return f"Row {place + 1}, {plain(model, 60)}" if model else f"Row {place + 1}"


def _buttons(rows: list[Row], *, changed: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Save prices", key="prices.save", type="primary", icon=":material/check:", disabled=not changed, on_click=_save)
        if changed:
            st.button("Discard changes", key="prices.discard", type="tertiary", on_click=_replace, args=(None,))
        st.download_button(
            "Export", write_csv(rows), "prices.csv", "text/csv", key="prices.export", icon=":material/download:", on_click="ignore"
        )
        with st.popover("Import", icon=":material/upload:", key="prices.import"):
            _import(rows)
        st.button(
            "Reset",
            key="prices.reset",
            icon=":material/restart_alt:",
            help="Back to the prices of a new installation; asks first",
            on_click=session.prices.ask,
            args=(True,),
        )
        if changed:
            st.caption(":orange[Not saved yet]")


def _save() -> None:
    rows = _rows()
    prices, problems = check_rows(rows)
    if problems:
        session.prices.set_rows(rows)
        session.prices.set_refused(True)
        return
    try:
        workspace().prices.replace(prices)
    except StorageProblem as problem:
        session.prices.set_rows(rows)
        st.toast(plain(f"Not saved. {problem.cause} {problem.next_step}"), icon=":material/error:")
        return
    _replace(None)
    st.toast(
        f"{len(prices):,} price{'' if len(prices) == 1 else 's'} saved; they count for runs that end from now on.", icon=":material/check:"
    )


def _import(rows: list[Row]) -> None:
    edition = session.prices.edition()
    file = st.file_uploader("Prices as CSV", type=["csv"], key=f"prices.file.{edition}", max_upload_size=LARGEST_MB)
    st.caption("With the columns of the table, as Export writes them. A model that is listed gets the file's price.")
    if file is None:
        return
    try:
        found = read_csv(file.getvalue())
    except ValueError as problem:
        st.markdown(f":red[:material/error: {plain(str(problem))}]")
        return
    st.button(
        f"Put {len(found):,} row{'' if len(found) == 1 else 's'} into the table",
        key="prices.take",
        type="primary",
        disabled=not found,
        on_click=_replace,
        args=(merged(rows, found),),
    )


def _sure() -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key="prices-sure"):
        st.markdown(
            ":material/warning: Replace the whole list by the prices of a new installation? Prices of your own go.", width="stretch"
        )
        st.button("Reset", key="prices.reset.sure", type="primary", on_click=_reset)
        st.button("Keep", key="prices.reset.keep", on_click=session.prices.ask, args=(False,))


def _reset() -> None:
    try:
        workspace().prices.reset()
    except StorageProblem as problem:
        st.toast(plain(f"Not reset. {problem.cause} {problem.next_step}"), icon=":material/error:")
        return
    _replace(None)


def _reckoning(*, changed: bool) -> None:
    """Runs of unknown cost: how many, and a button that reckons them again."""
    progress = workspace().reckoning.progress
    running = progress is not None and not progress.ended
    unknown = workspace().reckoning.unknown()
    st.caption("A run keeps the cost it had when it ended, whatever prices are now.")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Calculate unknown costs again",
            key="prices.reckon",
            icon=":material/calculate:",
            disabled=changed or running or not unknown,
            help="Save the prices first" if changed else "Fills in what can be known with the prices that are saved; nothing else changes",
            on_click=workspace().reckoning.start,
        )
        st.caption(f"{unknown:,} run{' has' if unknown == 1 else 's have'} unknown cost" if unknown else "No run has unknown cost")
    if progress is not None:
        st.fragment(_progress, run_every=ASK_AGAIN_S if running else None)(running)


def _progress(was_running: bool) -> None:
    progress = workspace().reckoning.progress
    if progress is None:
        return
    if not progress.ended:
        st.progress(min(progress.looked / max(progress.total, 1), 1.0), f"{progress.looked:,} of {progress.total:,} runs")
    elif was_running:
        st.rerun()
    else:
        st.markdown(plain(reckoned(progress)))


def reckoned(progress: Reckoned) -> str:
    """What a pass came to, in words."""
    said = f"Looked at {progress.looked:,} run{'' if progress.looked == 1 else 's'}: {progress.filled:,} got a cost."
    left = progress.looked - progress.filled
    if progress.problem:
        return f"{said} Then it ended. {progress.problem}"
    return said + (f" {left:,} stay unknown: their models have no price, or no usage was reported." if left else "")
