"""Which runs are let go by themselves: none, unless somebody sets it here."""

from __future__ import annotations

from typing import Final

import streamlit as st

from components.plain_text import plain
from components.services import workspace
from core.errors import StorageProblem
from core.retention import DELETED_FOR, LARGEST_MB, LONGEST_DAYS, MEGABYTE, Outcome, RetentionRule
from core.storage.run_retention import Falling

DAYS, MB = "retention.days", "retention.mb"
ASK_AGAIN_S: Final = 0.5


def retention_form() -> None:
    """Draw the section; what would go is counted before anything is saved."""
    with st.container(key="retention", gap="small", width=720):
        st.subheader("Retention", anchor=False)
        st.caption(
            "Off unless set: every run stays. Starred runs always stay. What retention removes is gone for good. Runs that were deleted by "
            f"hand are removed for good after {DELETED_FOR.days} days."
        )
        saved = workspace().retention.rule
        typed = _fields(saved)
        falling = workspace().retention.falling(typed)
        st.markdown(plain(told(typed, falling)), width="stretch")
        count = falling.runs if typed != saved else 0
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                f"Save and remove {_runs(count)}" if count else "Save limits",
                key="retention.save",
                type="primary",
                icon=":material/delete_sweep:" if count else ":material/check:",
                disabled=typed == saved,
                on_click=_save,
                args=(typed,),
            )
            if typed != saved:
                st.caption(":orange[Not saved yet]")
        running = workspace().retention.applying
        st.fragment(_last, run_every=ASK_AGAIN_S if running else None)(running)


def _fields(saved: RetentionRule) -> RetentionRule:
    for key, value in ((DAYS, saved.max_age_days), (MB, saved.max_mb)):
        st.session_state.setdefault(key, value)  # given as `value`, a number could not be cleared any more
    left, right = st.columns(2, gap="small")
    left.number_input("Remove runs older than, in days", 1, LONGEST_DAYS, None, 1, key=DAYS, placeholder="no limit")
    right.number_input(
        "Keep at most, in MB",
        1,
        LARGEST_MB,
        None,
        1,
        key=MB,
        placeholder="no limit",
        help="Of what the runs take, about; the oldest go first. 1 MB is 1,000,000 bytes.",
    )
    return _typed()


def _typed() -> RetentionRule:
    return RetentionRule(st.session_state.get(DAYS), st.session_state.get(MB))


def _save(counted: RetentionRule) -> None:
    """Save the rule whose runs were counted; one that was typed in the same moment is counted first."""
    if _typed() != counted:
        return
    try:
        workspace().retention.save(counted)
    except StorageProblem as problem:
        st.toast(plain(f"Not saved. {problem.cause} {problem.next_step}"), icon=":material/error:")
        return
    workspace().retention.apply_soon()
    st.toast("Every run stays." if counted.off else "Saved. It is applied now, and then once an hour.", icon=":material/check:")


def told(rule: RetentionRule, falling: Falling) -> str:
    """What a rule does to the runs that are there, in words."""
    if rule.off:
        return "No limit: every run stays."
    stay = f" {falling.starred:,} starred stay{'s' if falling.starred == 1 else ''}." if falling.starred else ""
    if not falling.runs:
        return f"Nothing would go now.{stay}"
    deleted = f", {falling.deleted:,} of them deleted by hand before" if falling.deleted else ""
    return f"Would remove {_runs(falling.runs)}, {megabytes(falling.size_bytes)}{deleted}.{stay}"


def _last(was_running: bool) -> None:
    if workspace().retention.applying:
        st.caption(":material/hourglass_top: Removing…")
    elif was_running:
        st.rerun()
    else:
        st.caption(plain(last(workspace().retention.outcome)))


def last(outcome: Outcome | None) -> str:
    """When retention was applied, and what it removed, in words."""
    if outcome is None:
        return "Applied once an hour, for the first time in a moment."
    checked = f"Last applied {outcome.at:%Y-%m-%d %H:%M} UTC"
    if outcome.removed_at is None:
        return f"{checked}; nothing was ever removed."
    parts = [f"{_runs(outcome.removed)} by the limits"] * bool(outcome.removed)
    parts += [f"{_runs(outcome.purged)} that had been deleted by hand"] * bool(outcome.purged)
    when = "then" if outcome.removed_at == outcome.at else f"{outcome.removed_at:%Y-%m-%d %H:%M} UTC"
    return f"{checked}. Last removal: {when}, {' and '.join(parts)}."


def megabytes(size_bytes: int) -> str:
    """``0.4 MB``, ``41 MB``, ``1,204 MB``."""
    size = size_bytes / MEGABYTE
    return f"{size:,.0f} MB" if size >= 10 else f"{size:.1f} MB" if size >= 0.1 else f"{size_bytes / 1000:,.0f} kB"


def _runs(count: int) -> str:
    return f"{count:,} run{'' if count == 1 else 's'}"
