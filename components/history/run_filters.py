"""Which runs the History page is about: a search, a popover of filters, and chips that say what is set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, get_args

import streamlit as st

from components.plain_text import plain
from core.run import RunStatus
from core.storage.run_query import RunFilter, RunOrder, SortColumn

STATUSES: Final[tuple[RunStatus, ...]] = get_args(RunStatus)
SORTS: Final[dict[SortColumn, str]] = {
    "created_at": "time",
    "model_asked": "model asked",
    "model_answered": "model that answered",
    "prompt_start": "prompt",
    "status": "status",
    "finish_reason": "finish reason",
    "total_tokens": "tokens",
    "cost_usd": "cost",
    "first_token_s": "first token",
    "total_s": "total time",
    "tokens_per_s": "tokens/s",
    "connection_name": "connection",
    "slot": "slot",
    "thread": "thread",
    "identity": "identity",
    "tag_line": "tags",
    "note_start": "note",
    "starred": "star",
}
_CHOICES: Final = (
    ("models", "Model", "asked or answered"),
    ("statuses", "Status", ""),
    ("finish_reasons", "Finish reason", ""),
    ("connections", "Connection", ""),
    ("threads", "Thread", ""),
    ("identities", "Identity", ""),
    ("tags", "Tag", ""),
)
_RANGES: Final = (
    ("cost_usd", "Cost in $", "%.6f"),
    ("first_token_s", "First token in s", "%.3f"),
    ("total_s", "Total time in s", "%.3f"),
)
Values = Callable[[str], Sequence[str]]
"""The values there are for a field of the filter."""


def key(name: str) -> str:
    """The widget's key of one part of the filter."""
    return f"history.{name}"


def run_filters(values: Values, *, sorting: bool) -> tuple[RunFilter, RunOrder]:
    """Draw the search and the filters, and the order where there is a list to sort; what they say."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="history-search"):
        st.text_input(
            "Search",
            key=key("text"),
            type="search",
            placeholder="Words of a prompt or an output",
            icon=":material/search:",
            help='All words must occur. "Two words" in quotation marks stand together; rout* begins a word.',
            persist_state="session",
        )
        if sorting:
            _order()
        st.toggle("Starred", key=key("starred"), persist_state="session")
        _popover(values)
    which = current_filter()
    _chips(which)
    return which, RunOrder(st.session_state.get(key("sort")) or "created_at", st.session_state.get(key("way")) != "ascending")


def _order() -> None:
    st.selectbox(
        "Sorted by",
        list(SORTS),
        format_func=lambda column: SORTS[column],
        key=key("sort"),
        width=190,
        persist_state="session",
    )
    st.segmented_control(
        "Order",
        ["descending", "ascending"],
        default="descending",
        required=True,
        format_func=lambda way: ":material/arrow_downward:" if way == "descending" else ":material/arrow_upward:",
        key=key("way"),
        label_visibility="collapsed",
        persist_state="session",
    )


def _popover(values: Values) -> None:
    popover = st.popover("Filters", icon=":material/filter_list:", key=key("filters"), on_change="rerun")
    if not popover.open:
        return
    with popover:
        left, right = st.columns(2, gap="medium")
        for place, (name, label, help_) in enumerate(_CHOICES):
            options = STATUSES if name == "statuses" else values(name)
            chosen = st.session_state.get(key(name)) or []
            (left, right)[place % 2].multiselect(
                label,
                list(dict.fromkeys([*chosen, *options])),
                key=key(name),
                placeholder="any",
                help=help_ or None,
                persist_state="session",
            )
        right.date_input("Days (UTC)", value=[], key=key("days"), format="YYYY-MM-DD", persist_state="session")
        for name, label, form in _RANGES:
            least, most = st.columns(2, gap="medium")
            for column, end in ((least, "min"), (most, "max")):
                column.number_input(
                    f"{label}, {'at least' if end == 'min' else 'at most'}",
                    min_value=0.0,
                    value=None,
                    format=form,
                    key=key(f"{name}_{end}"),
                    placeholder="any",
                    persist_state="session",
                )


def current_filter() -> RunFilter:
    """What the widgets say, drawn or not."""
    state = st.session_state
    fields: dict[str, Any] = {name: tuple(state.get(key(name)) or ()) for name, _, _ in _CHOICES}
    for name, _, _ in _RANGES:
        for end in ("min", "max"):
            value = state.get(key(f"{name}_{end}"))
            fields[f"{name}_{end}"] = Decimal(repr(value)) if name == "cost_usd" and value is not None else value
    created_from, created_before = _days(state.get(key("days")))
    return RunFilter(
        **fields,
        starred=True if state.get(key("starred")) else None,
        created_from=created_from,
        created_before=created_before,
        text=state.get(key("text")) or "",
    )


def _days(chosen: Any) -> tuple[datetime | None, datetime | None]:
    """Both ends of the chosen days, in and out; a single day is that day."""
    days: list[date] = [*chosen] if isinstance(chosen, tuple | list) else [chosen] if chosen else []
    if not days:
        return None, None
    start, end = days[0], days[-1]
    midnight = time(tzinfo=UTC)
    return datetime.combine(start, midnight), datetime.combine(end, midnight) + timedelta(days=1)


def _chips(which: RunFilter) -> None:
    """What is set, each with a click that takes it out."""
    chips = list(_set(which))
    if not chips:
        return
    with st.container(horizontal=True, gap="xsmall", key="history-chips"):
        for names, text in chips:
            st.button(plain(text, 60), key=f"history.chip.{names[0]}", icon=":material/close:", on_click=clear, args=(names,))
        if len(chips) > 1:
            everything = tuple(name for names, _ in chips for name in names)
            st.button("Clear all", key="history.chip.all", type="tertiary", on_click=clear, args=(everything,))


def _set(which: RunFilter) -> list[tuple[tuple[str, ...], str]]:
    """Each part that is set: the names of its widgets, and what it says."""
    found: list[tuple[tuple[str, ...], str]] = []
    if which.text:
        found.append((("text",), f"“{which.text}”"))
    for name, label, _ in _CHOICES:
        values = getattr(which, name)
        if values:
            found.append(((name,), f"{label}: {', '.join(values)}"))
    if which.created_from and which.created_before:
        first, last = which.created_from.date(), which.created_before.date() - timedelta(days=1)
        found.append((("days",), str(first) if first == last else f"{first} to {last}"))
    for name, label, _ in _RANGES:
        least, most = getattr(which, f"{name}_min"), getattr(which, f"{name}_max")
        ends = [f"{sign} {end:g}" for sign, end in (("≥", least), ("≤", most)) if end is not None]
        if ends:
            found.append(((f"{name}_min", f"{name}_max"), f"{label} {' and '.join(ends)}"))
    if which.starred:
        found.append((("starred",), "starred"))
    return found


def clear(names: Sequence[str]) -> None:
    """The callback of a chip: the parts it stands for are set no more."""
    empty: dict[str, Any] = {"text": "", "starred": False, "days": (), **{name: [] for name, _, _ in _CHOICES}}
    for name in names:
        st.session_state[key(name)] = empty.get(name)


def sort_by(column: SortColumn) -> None:
    """The callback of a column's header: sort by it, the other way where the list is sorted by it already."""
    state = st.session_state
    same = (state.get(key("sort")) or "created_at") == column
    state[key("way")] = "ascending" if same and state.get(key("way")) != "ascending" else "descending"
    state[key("sort")] = column
