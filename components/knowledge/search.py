"""Searching a base before anything is generated: the fields of one of ``orq.knowledge_bases``, and what they find."""

from __future__ import annotations

import copy
import json
import time
from functools import partial
from typing import Any

import streamlit as st

from components import session
from components.form.drawing import Form
from components.knowledge.library import KNOWLEDGE_ID, base_names, change, find_base, read
from components.parameter_form import collect, forget_widgets
from components.parameter_form.one_item import item_fields
from components.plain_text import plain
from components.services import workspace
from core.connection import Connection
from core.draft import get_path
from core.errors import PlaygroundError, Problem
from core.outgoing import outgoing
from core.router_resources.knowledge import KnowledgeBase, Match, search_knowledge
from core.router_resources.knowledge_changes import switch_chunk

SLOT = "k"
BLOCK = "orq.knowledge_bases"
FIELDS = ("search_type", "top_k", "threshold", "filter_by", "rerank_config", "agentic_rag_config")
SHOWN_METADATA = 8


def gather(connection: Connection) -> dict[str, Any]:
    """The draft of the search, its widgets folded in: ``{"body": {"orq": {"knowledge_bases": [item]}}}``. Call before anything is drawn.

    A new one starts at the first base there is.
    """
    draft = session.draft(SLOT)
    if draft is None or not isinstance(get_path(draft["body"], f"{BLOCK}.0"), dict):
        first = next(iter(base_names(connection)), "")
        draft = {"body": {"orq": {"knowledge_bases": [{"knowledge_id": first}]}}, "extra": "", "shelf": {}}
    draft = collect(SLOT, draft)
    session.set_draft(SLOT, draft)
    return draft


def item_of(draft: dict[str, Any]) -> dict[str, Any]:
    """The search itself, as it would stand in a request."""
    item: dict[str, Any] = get_path(draft["body"], f"{BLOCK}.0")
    return item


def choose(base_id: str) -> None:
    """For a callback: search ``base_id`` from now on, with everything else as it is set."""
    draft = session.draft(SLOT)
    if draft is not None:
        draft = copy.deepcopy(draft)
        item_of(draft)["knowledge_id"] = base_id
        session.set_draft(SLOT, draft)
        forget_widgets(SLOT)


def begin(draft: dict[str, Any], connection: Connection) -> tuple[Form, tuple[Problem, ...]]:
    """The form of the search, and what is wrong with it."""
    problems = tuple(problem for problem in outgoing(draft).problems if problem.path.startswith(BLOCK))
    models = workspace().models(connection)
    picks = {KNOWLEDGE_ID: partial(base_names, connection)}
    return Form.begin(SLOT, draft, problems, models=models, kind=connection.kind, disabled=False, picks=picks), problems


def base_picker(form: Form) -> None:
    """Which base; an id that is not listed can be typed."""
    item_fields(form, BLOCK, 0, ("knowledge_id",))


def query(form: Form) -> None:
    """What to search for."""
    item_fields(form, BLOCK, 0, ("query",))


def settings(form: Form) -> None:
    """How to search: every field that a request has for it."""
    item_fields(form, BLOCK, 0, FIELDS)


def results(draft: dict[str, Any], problems: tuple[Problem, ...], connection: Connection) -> None:
    """What the search finds now; nothing is generated."""
    item = item_of(draft)
    _switched_off(connection)
    if problems:
        st.markdown(f":red[:material/error: **Not searched** — {plain(problems[0].sentence.removeprefix(f'{BLOCK}.0.'))}]")
    elif not str(item.get("query") or "").strip():
        st.info("Type what to search for. Nothing is generated: you see what a request would find.", icon=":material/manage_search:")
    else:
        _found(item, connection)


def _found(item: dict[str, Any], connection: Connection) -> None:
    asked = json.dumps([connection.base_url, item], sort_keys=True)
    known = session.knowledge.result()
    if known is None or known["asked"] != asked:
        known = {"asked": asked, **_search(item, connection)}
        if "error" not in known:
            session.knowledge.set_result(known)
    if "error" in known:
        st.error(plain(known["error"]), icon=":material/error:")
        st.button("Try again", key="knowledge.again", icon=":material/refresh:")
        return
    matches: list[Match] = [Match(**row) for row in known["matches"]]
    if not matches:
        st.info(_nothing(item), icon=":material/search_off:")
        return
    count = f"{len(matches)} chunk{'s' if len(matches) > 1 else ''}"
    st.caption(f"{count}, best first · {known['took_ms']:,.0f} ms · these would go before the prompt")
    base = find_base(connection, str(item["knowledge_id"]))
    for number, match in enumerate(matches, 1):
        _match(number, match, base)


def _search(item: dict[str, Any], connection: Connection) -> dict[str, Any]:
    began = time.perf_counter()
    try:
        with st.spinner("Searching…"):
            matches = read(connection, lambda client: search_knowledge(client, item))
    except PlaygroundError as error:
        return {"error": f"{error.cause} {error.next_step}".strip()}
    took_ms = (time.perf_counter() - began) * 1000
    rows = [
        {
            "id": match.id,
            "text": match.text,
            "scores": dict(match.scores),
            "metadata": dict(match.metadata),
            "document_id": match.document_id,
        }
        for match in matches
    ]
    return {"matches": rows, "took_ms": took_ms}


def _nothing(item: dict[str, Any]) -> str:
    tighter = [name for name in ("filter_by", "threshold", "rerank_config") if item.get(name)]
    if tighter:
        return f"Nothing is found. Loosen {', '.join(tighter)}, or search for something else. A request's prompt would stay as it is."
    return "Nothing is found. Search for other words, or by vector_search. A request's prompt would stay as it is."


def _match(number: int, match: Match, base: KnowledgeBase | None) -> None:
    with st.container(border=True, gap="xsmall", key=f"knowledge-match-{number}"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{number}** · {plain(_name(match))}", width="content")
            if base is not None and base.chunks is not None and match.document_id:
                st.button(
                    "Switch off",
                    key=f"knowledge.off.{match.id}",
                    icon=":material/visibility_off:",
                    type="tertiary",
                    help="No search finds this chunk until it is switched on again",
                    on_click=_switch,
                    args=(base.id, match.document_id, match.id, _name(match), False),
                )
        if match.score is not None:
            st.progress(min(1.0, max(0.0, match.score)), text=_scores(match))
        with st.container(key=f"knowledge-text-{number}"):
            st.text(match.text)
        if match.metadata:
            st.caption(" · ".join(f"{plain(name, 40)} {plain(_shown(value), 80)}" for name, value in _first(match)))


def _name(match: Match) -> str:
    name = match.metadata.get("document") or match.metadata.get("topic")
    position = match.metadata.get("position")
    where = f", part {position + 1}" if isinstance(position, int) else ""
    return f"{name}{where}" if isinstance(name, str) and name else match.id


def _first(match: Match) -> list[tuple[str, Any]]:
    """The metadata to show; what the card's title says is left out."""
    told = ("document", "position") if match.metadata.get("document") else ("topic", "position")
    return [(name, value) for name, value in match.metadata.items() if name not in told][:SHOWN_METADATA]


def _scores(match: Match) -> str:
    """Every score in one line, the one that decides in bold."""
    named = {"rerank_score": "rerank", "search_score": "search"}
    order = [*named, *(name for name in match.scores if name not in named)]
    decisive = next((name for name in named if name in match.scores), "")
    parts = []
    for name in order:
        if name in match.scores:
            text = f"{plain(named.get(name, name), 30)} {match.scores[name]:.2f}"
            parts.append(f"**{text}**" if name == decisive else f":gray[{text}]")
    return " · ".join(parts)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _switch(base_id: str, document_id: str, chunk_id: str, name: str, enabled: bool) -> None:
    """The callback of a chunk's switch: the next search is made anew."""
    outcome = change(session.connection(), lambda client: switch_chunk(client, base_id, document_id, chunk_id, enabled))
    session.knowledge.set_result(None)
    off = [row for row in session.knowledge.switched_off() if row["chunk_id"] != chunk_id]
    if isinstance(outcome, PlaygroundError):
        st.toast(plain(outcome.cause), icon=":material/error:")
    elif not enabled:
        off.append({"base_id": base_id, "document_id": document_id, "chunk_id": chunk_id, "name": name})
    session.knowledge.set_switched_off(off)


def _switched_off(connection: Connection) -> None:
    """What was switched off in this session, each with the way back."""
    off = session.knowledge.switched_off()
    if not off:
        return
    names = base_names(connection)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="knowledge-off"):
        st.caption("Switched off here:", width="content")
        for row in off:
            if row["base_id"] in names:
                st.button(
                    f"{plain(row['name'], 60)}",
                    key=f"knowledge.on.{row['chunk_id']}",
                    icon=":material/undo:",
                    help="Switch this chunk on again",
                    on_click=_switch,
                    args=(row["base_id"], row["document_id"], row["chunk_id"], row["name"], True),
                )


def use_in_playground(slot: str) -> None:
    """For a callback: the search as it stands becomes one of the requests of ``slot``; one of the same base is replaced."""
    draft = session.draft(SLOT)
    if draft is None:
        return
    item = copy.deepcopy(item_of(collect(SLOT, draft)))
    target = copy.deepcopy(session.restore_draft(slot, workspace().drafts, linked=None, fallback=None))
    target = collect(slot, target)
    orq = target["body"].setdefault("orq", {})
    bases = orq.get("knowledge_bases")
    others = [base for base in bases if not isinstance(base, dict) or base.get("knowledge_id") != item["knowledge_id"]] if bases else []
    orq["knowledge_bases"] = [*others, item]
    session.set_draft(slot, target)
    forget_widgets(slot)
