"""The form as a whole: search, *only what I set*, resets with undo, the groups, and the box of extra fields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import streamlit as st

from components.form.drawing import NO_PICKS, Form, Picks
from components.form.memory import EDITS, FOLDS, Change, ask, widget_key
from components.parameter_form.blocks import is_wanted, items_in, unknown_fields
from components.parameter_form.outline import ON_THE_LEFT, Item, child_path, count_set, outline, top_names
from components.plain_text import plain
from core.connection import ServerKind
from core.contract.parameters import parameter
from core.errors import Problem

ICONS = {
    "Request": "bolt",
    "Sampling": "tune",
    "Length and stopping": "content_cut",
    "Routing": "alt_route",
    "Cache and timeout": "timer",
    "Knowledge": "menu_book",
    "Prompt and inputs": "edit_note",
    "Thinking": "psychology",
    "Identity and trace": "fingerprint",
    "PII": "shield_person",
    "orq twins": "content_copy",
}
OPEN_AT_FIRST = frozenset({"Sampling", "Length and stopping"})
EXTRA_GROUP = "Extra fields"
EXTRA_HELP = 'JSON the contract does not know, such as `{"logit_bias": {}}`. It is sent as it is, unchecked.'


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The draft with what the widgets hold now, what is wrong with it, and whatever else on the page depends on it, to be compared."""

    draft: dict[str, Any]
    problems: Sequence[Problem]
    around: Hashable


Refresh = Callable[[], Refreshed]
Changed = Callable[[str], None]
"""What is called when a field was changed, before the rerun, with the key of its group's fragment: it may rerun that and others."""


@dataclass(slots=True)
class Page:
    """The page as the browser has it: the form last drawn, what was around it, and the groups drawn so far."""

    form: Form
    refresh: Refresh
    around: Hashable
    changed: Changed | None = None
    drawn: set[str] = field(default_factory=set)


def parameter_form(
    slot: str,
    draft: dict[str, Any],
    problems: Sequence[Problem],
    *,
    models: Sequence[str],
    kind: ServerKind,
    disabled: bool = False,
    refresh: Refresh | None = None,
    changed: Changed | None = None,
    picks: Picks = NO_PICKS,
) -> None:
    """Draw every parameter of ``draft`` (model and prompt have `request_field`), each problem under the widget it belongs to.

    ``models`` and ``picks`` fill the pickers of models and of what else the router lists, typing stays free. For ``kind`` ``"openai"``,
    fields such a server does not understand are marked.
    What is edited comes back through `collect` at the top of the next script. With ``refresh``, an edit that changes nothing outside
    its group redraws that group alone; the whole page is redrawn otherwise, and always without it. ``changed`` may do better: it knows
    what else on the page an edit concerns.
    """
    form = Form.begin(slot, draft, problems, models=models, kind=kind, disabled=disabled, picks=picks)
    with st.container(key=f"form-{slot}", gap="xsmall"):
        _everything(form, draft, refresh, changed)


def _everything(form: Form, draft: dict[str, Any], refresh: Refresh | None, changed: Changed | None) -> None:
    _tools(form, draft)
    stray = st.container()
    if refresh is None or form.query or form.only_set:
        drawn = [_group(form, group, items) for group, items in outline().items() if items]
    else:
        page = Page(form, refresh, refresh().around, changed)
        drawn = [
            bool(st.fragment(_group_by_itself, key=_fragment_key(form, group))(page, group, items))
            for group, items in outline().items()
            if items
        ]
    _extra_fields(form, draft.get("extra", ""))
    form.marked.update(ON_THE_LEFT)
    with stray:
        if not any(drawn):
            st.caption(_nothing(form))
        _unknown(form)
        for message in form.unmarked():
            st.markdown(f":small[:red[:material/error: {plain(message)}]]")


def _nothing(form: Form) -> str:
    if form.query:
        return f"No parameter matches “{plain(form.query)}”" + (" among those that are set." if form.only_set else ".")
    return "Nothing is set: every parameter has the server's default."


def _unknown(form: Form) -> None:
    """What an imported draft holds beside the contract's fields."""
    orq = form.body.get("orq")
    unknown_fields(form, form.body, {name for name in top_names("") if name != "orq" or isinstance(orq, dict)}, "")
    unknown_fields(form, orq, top_names("orq"), "orq")


def request_field(
    slot: str, draft: dict[str, Any], path: str, problems: Sequence[Problem], *, models: Sequence[str] = (), kind: ServerKind = "local"
) -> None:
    """Draw one field by itself, outside the form: ``model`` over the prompt, ``prompt`` over the output."""
    from components.parameter_form import fields

    fields.field(Form.begin(slot, draft, problems, models=models, kind=kind, disabled=False), parameter(path), path)


def open_groups(slot: str) -> frozenset[str]:
    """The groups that are open in the slot's form, by name, as it was drawn last."""
    return frozenset(group for group in outline() if st.session_state.get(_group_key(slot, group)))


def open_only(slot: str, groups: Collection[str]) -> None:
    """Have the slot's form begin with these groups open and the others closed, where it is not drawn yet. Call before it is."""
    for group in outline():
        st.session_state.setdefault(_group_key(slot, group), group in groups)


def _group_key(slot: str, group: str) -> str:
    return widget_key(slot, f"group.{group.lower().replace(' ', '_')}")


def set_count(body: dict[str, Any], group: str) -> int:
    """How many fields of ``group`` are sent; a block that is on with nothing in it counts as one."""
    return count_set(outline()[group], body)


def _tools(form: Form, draft: dict[str, Any]) -> None:
    total = sum(count_set(items, form.body) for items in outline().values()) + bool(draft.get("extra", "").strip())
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        query = st.text_input(
            "Find a parameter",
            key=form.key("search"),
            type="search",
            live=True,
            placeholder="Find a parameter",
            icon=":material/search:",
            label_visibility="collapsed",
        )
        form.only_set = st.toggle("Only set", key=form.key("only_set"), help="Show only what I set")
        if form.memory.undo:
            _tool(form, "undo", "undo", "undo", "Undo the last reset or removal")
        else:
            _tool(form, "reset_all", "restart_alt", "reset all", f"Reset all {total} fields (can be undone)", disabled=not total)
    form.query = (query or "").casefold().strip()


def _tool(form: Form, name: str, icon: str, edit: str, tip: str, *, disabled: bool = False) -> None:
    st.button(
        "",
        key=form.key(name),
        icon=f":material/{icon}:",
        help=tip,
        disabled=form.disabled or disabled,
        on_click=ask,
        args=(form.slot, edit),
    )


def _fragment_key(form: Form, group: str) -> str:
    return f"{form.slot}-group-{group.lower().replace(' ', '-')}"


def _group_by_itself(page: Page, group: str, items: tuple[Item, ...]) -> bool:
    """A group that is redrawn alone while nothing outside it changes: a whole page costs the browser several times as much."""
    if group in page.drawn:
        now, before = page.refresh(), page.form
        form = Form.begin(
            before.slot,
            now.draft,
            now.problems,
            models=before.models,
            kind=before.kind,
            disabled=before.disabled,
            picks=before.picks,
        )
        outside = now.around != page.around or _elsewhere(form, items) != _elsewhere(before, items)
        if outside or form.can_undo != before.can_undo:
            st.rerun()
        page.form = form
    page.drawn.add(group)
    page.form.changed = partial(page.changed, _fragment_key(page.form, group)) if page.changed else None
    return _group(page.form, group, items)


def _elsewhere(form: Form, items: tuple[Item, ...]) -> dict[str, list[str]]:
    inside = set(_problems_in(form, items))
    return {path: messages for path, messages in form.problems.items() if path not in inside}


def _group(form: Form, group: str, items: tuple[Item, ...]) -> bool:
    """Draw one group; ``False`` when search or *only set* leave nothing of it."""
    searching = bool(form.query or form.only_set)
    if searching and not any(is_wanted(form, item, child_path("", "", item)) for item in items):
        return False
    problems = _problems_in(form, items)
    key = _group_key(form.slot, group)
    with st.container(key=f"{key}.frame"):
        if searching:
            box, is_open = st.expander(group, expanded=True, key=f"{key}.found", icon=f":material/{ICONS[group]}:"), True
        else:
            _open_when_wrong(form, key, group, bool(problems))
            tracked = st.expander(group, key=key, icon=f":material/{ICONS[group]}:", on_change="rerun")
            box, is_open = tracked, bool(tracked.open)
        _count(key, count_set(items, form.body), len(problems))
    if is_open:
        with box, st.container(gap="small"):
            items_in(form, items, block="", root="", badges=True)
    else:
        form.marked.update(problems)
    return True


def _open_when_wrong(form: Form, key: str, group: str, wrong: bool) -> None:
    """Open a group when a problem appears in it; after that the reader may close it."""
    if key not in st.session_state:
        st.session_state[key] = group in OPEN_AT_FIRST or wrong
    elif wrong and group not in form.memory.alarmed:
        st.session_state[key] = True
    if wrong != (group in form.memory.alarmed):
        (form.memory.alarmed.append if wrong else form.memory.alarmed.remove)(group)


def _count(key: str, count: int, problems: int) -> None:
    """How many fields are set, laid over the group's header (form.css).

    Not in the expander's label: a new label makes a new expander, which closes and takes the focus away from what is being typed.
    """
    parts = [f":gray[{count} set]" if count else "", f":red[{problems} to correct]" if problems else ""]
    if count or problems:
        with st.container(key=f"{key}.count"):
            st.markdown(" · ".join(part for part in parts if part))


def _problems_in(form: Form, items: tuple[Item, ...]) -> list[str]:
    roots = tuple(child_path("", "", item) for item in items)
    return [path for path in form.problems if any(path == root or path.startswith(f"{root}.") for root in roots)]


def _extra_fields(form: Form, text: str) -> None:
    """The box of fields the contract does not know; its problems stand at ``extra``."""
    if (form.query and form.query not in "extra fields json") or (form.only_set and not text.strip()):
        form.faults("extra")
        return
    wrong = "extra" in form.problems
    key = form.key("group.extra")
    _open_when_wrong(form, key, EXTRA_GROUP, wrong)
    with st.container(key=f"{key}.frame"):
        box = st.expander(EXTRA_GROUP, key=key, icon=":material/extension:", on_change="rerun")
        _count(key, int(bool(text.strip())), int(wrong))
    if not box.open:
        form.faults("extra")
        return
    with box:
        form.memory.seed(form.key("extra"), "extra", "extra", text)
        st.text_area(
            "Extra fields as JSON",
            key=form.key("extra"),
            height=120,
            placeholder='{"logit_bias": {"50256": -100}}',
            help=EXTRA_HELP,
            disabled=form.disabled,
        )
        form.marks("extra")


def _fold_extra(draft: dict[str, Any], change: Change) -> None:
    draft["extra"] = change.now or ""


def _reset_all(draft: dict[str, Any]) -> None:
    """Send nothing but model and prompt."""
    draft["body"] = {name: draft["body"][name] for name in ON_THE_LEFT if name in draft["body"]}
    draft["extra"] = ""
    draft["shelf"] = {}


FOLDS["extra"] = _fold_extra
EDITS["reset all"] = _reset_all
