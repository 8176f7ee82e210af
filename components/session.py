"""What one browser session remembers, and the only place that spells the durable keys of ``st.session_state``.

Widget keys come and go with what is drawn; the keys here stay. Values are ids, strings, plain dicts and, for typed keys, ``SecretStr``.
"""

from __future__ import annotations

import copy
import secrets
from collections.abc import Mapping
from typing import Any

import streamlit as st
from pydantic import SecretStr

from core.connection import Connection, ServerKind
from core.draft_store import DraftStore, new_draft_id
from core.server_choice import ServerChoice, choose_connection

_CHANNEL = "session.channel"
_CHOICE = "session.connection"
_TYPED_KEYS = "session.keys"
_UPSTREAM_KEY = "session.upstream_key"
_HISTORY_PAGES = "session.history_pages"
_TICKED_RUNS = "session.ticked_runs"
_DELETED_RUNS = "session.deleted_runs"
_REPLAYS = "session.replays"
_EXPORT = "session.export"
_IMPORTING = "session.importing"
_IMPORT_REPORT = "session.import_report"
_PRICE_ROWS = "session.price_rows"
_PRICE_EDITION = "session.price_edition"
_PRICES_REFUSED = "session.prices_refused"
_PRICES_QUESTION = "session.prices_question"
_KNOWLEDGE_RESULT = "session.knowledge_result"
_SWITCHED_OFF = "session.switched_off"
_UPLOADS = "session.uploads"
_UPLOAD_REPORT = "session.upload_report"
_DELETION = "session.deletion"
_KNOWLEDGE_REFUSAL = "session.knowledge_refusal"
_SHOWN_VIEW = "session.knowledge_view"
_REPLACED_DRAFT = "session.replaced_draft"
_COMPARISON_PRESET = "session.comparison_preset"
_PRESET_REFUSAL = "session.preset_refusal"
_CHOSEN_PRESET = "session.chosen_preset"
_TICKED_PRESETS = "session.ticked_presets"
_PRESET_PAGES = "session.preset_pages"
_DELETED_PRESETS = "session.deleted_presets"
_PRESET_IMPORT = "session.preset_import"
_COMPARISON = "session.comparison"
_COMPARISON_ID = "session.comparison_id"
_COMPARISON_SEEN = "session.comparison_seen"
_MADE_SHARE = "session.made_share"
_VISITED_SHARES = "session.visited_shares"
_COMPARISON_UNDO = "session.comparison_undo"
_SWEEP_VIEW = "session.sweep_view"
_SWEEP_LINKED = "session.sweep_is_linked"
_SWEEP_LEFT = "session.sweep_left"
_SWEEP_FORM = "session.sweep_form"
_SWEEP_CALL = "session.sweep_call"
_COMPARISON_NOTICE = "session.comparison_notice"
_COMPARISON_COUNTED = "session.comparison_counted"
_COMPARISON_QUESTION = "session.comparison_question"
_DELETED_COMPARISONS = "session.deleted_comparisons"
KNOWLEDGE_VIEW = "knowledge.view"
KNOWLEDGE_VIEWS = ("Search", "Documents")

FIRST_DRAFT: dict[str, Any] = {
    "body": {"model": "local/pydoc", "max_tokens": 200, "stream": True},
    "extra": "",
}
"""What a new visitor starts from: a model that needs no account, room for more than 16 tokens, and a live stream."""

RUNS_REMEMBERED = 500
"""How many runs of a slot a session can go back to."""


def channel() -> str:
    """The id of this session's stream of run events; unguessable, one per browser session."""
    if _CHANNEL not in st.session_state:
        st.session_state[_CHANNEL] = secrets.token_urlsafe(12)
    return str(st.session_state[_CHANNEL])


def draft(slot: str) -> dict[str, Any] | None:
    """The draft being edited in ``slot``; ``None`` before the first ``set_draft``."""
    found: dict[str, Any] | None = st.session_state.get(f"session.draft.{slot}")
    return found


def set_draft(slot: str, value: dict[str, Any]) -> None:
    """Replace the draft of ``slot`` (an object of its own, never shared)."""
    st.session_state[f"session.draft.{slot}"] = value
    st.session_state.setdefault(f"session.draft_id.{slot}", new_draft_id())


def run_id(slot: str) -> str | None:
    """The run shown in ``slot``."""
    found: str | None = st.session_state.get(f"session.run.{slot}")
    return found


def set_run_id(slot: str, value: str | None) -> None:
    """Show run ``value`` in ``slot``; ``None`` empties it."""
    st.session_state[f"session.run.{slot}"] = value
    if value is not None:
        st.session_state[f"session.runs.{slot}"] = [*(run for run in run_ids(slot) if run != value), value][-RUNS_REMEMBERED:]


def run_ids(slot: str) -> list[str]:
    """The runs that were shown in ``slot`` during this session, the newest last."""
    found: list[str] = st.session_state.get(f"session.runs.{slot}", [])
    return found


def restore_draft(slot: str, store: DraftStore, *, linked: str | None, fallback: Mapping[str, Any] | None) -> dict[str, Any]:
    """The slot's draft. In a new session: a copy of the ``linked`` one, else of ``fallback`` (the linked run's), else the first draft.

    A copy, under an id of its own, so that two tabs opened on one link do not write over each other.
    """
    current = draft(slot)
    if current is None:
        found = store.load(linked) if linked else None
        current = found or copy.deepcopy(dict(fallback or FIRST_DRAFT))
        set_draft(slot, current)
        st.session_state[f"session.draft_id.{slot}"] = new_draft_id()
    return current


def keep_draft(slot: str, store: DraftStore) -> str:
    """Keep the slot's draft where a reload finds it; its id, for the URL."""
    draft_id = str(st.session_state[f"session.draft_id.{slot}"])
    current = draft(slot)
    if current is not None:
        store.save(draft_id, current)
    return draft_id


def importing() -> bool:
    """Whether the dialog of an import is open: Ctrl+Enter then belongs to what is typed there, not to Run."""
    return bool(st.session_state.get(_IMPORTING))


def set_importing(is_open: bool) -> None:
    """Remember whether the dialog of an import is open."""
    st.session_state[_IMPORTING] = is_open


def imported(slot: str) -> str | None:
    """What the last import into ``slot`` came to, while it can be undone."""
    found: str | None = st.session_state.get(f"session.imported.{slot}")
    return found


def set_imported(slot: str, text: str | None) -> None:
    """Remember what an import came to; ``None`` forgets it."""
    st.session_state[f"session.imported.{slot}"] = text


def draft_before_import(slot: str) -> dict[str, Any] | None:
    """The draft that the last import took the place of."""
    found: dict[str, Any] | None = st.session_state.get(f"session.before_import.{slot}")
    return found


def set_draft_before_import(slot: str, value: dict[str, Any] | None) -> None:
    """Keep the draft that an import takes the place of."""
    st.session_state[f"session.before_import.{slot}"] = value


def refusal(slot: str) -> str | None:
    """Why the last press of Run in ``slot`` sent nothing, if it did not."""
    found: str | None = st.session_state.get(f"session.refusal.{slot}")
    return found


def set_refusal(slot: str, text: str | None, *, lasts: bool = False) -> None:
    """Remember why Run sent nothing; ``None`` forgets it. One that ``lasts`` stays when the draft has no problems (any more)."""
    st.session_state[f"session.refusal.{slot}"] = text
    st.session_state[f"session.refusal_lasts.{slot}"] = lasts


def refusal_lasts(slot: str) -> bool:
    """Whether the refusal has nothing to do with the draft."""
    return bool(st.session_state.get(f"session.refusal_lasts.{slot}"))


def server_choice() -> ServerChoice:
    """Which server the session talks to, as edited on the Connections page."""
    return ServerChoice.model_validate(st.session_state.get(_CHOICE, {}))


def set_server_choice(choice: ServerChoice) -> None:
    """Remember which server to talk to."""
    st.session_state[_CHOICE] = choice.model_dump(exclude_unset=True)


def typed_key(kind: ServerKind) -> SecretStr | None:
    """The key typed for ``kind`` in this session."""
    found: SecretStr | None = st.session_state.get(_TYPED_KEYS, {}).get(kind)
    return found


def set_typed_key(kind: ServerKind, key: SecretStr | None) -> None:
    """Keep a typed key in the server's memory for this session; ``None`` forgets it."""
    keys = dict(st.session_state.get(_TYPED_KEYS, {}))
    keys.pop(kind, None)
    if key is not None:
        keys[kind] = key
    st.session_state[_TYPED_KEYS] = keys


def upstream_key() -> SecretStr | None:
    """The key typed for an upstream that is being added."""
    found: SecretStr | None = st.session_state.get(_UPSTREAM_KEY)
    return found


def set_upstream_key(key: SecretStr | None) -> None:
    """Keep a key until its upstream is added; ``None`` forgets it."""
    st.session_state[_UPSTREAM_KEY] = key


def knowledge_result() -> dict[str, Any] | None:
    """What the last search on the Knowledge page found, so that a redraw does not search again."""
    found: dict[str, Any] | None = st.session_state.get(_KNOWLEDGE_RESULT)
    return found


def set_knowledge_result(result: dict[str, Any] | None) -> None:
    """Keep what a search found; ``None`` makes the next draw search anew."""
    st.session_state[_KNOWLEDGE_RESULT] = result


def switched_off() -> list[dict[str, str]]:
    """The chunks that were switched off in this session: ``base_id``, ``document_id``, ``chunk_id`` and a ``name`` to show."""
    found: list[dict[str, str]] = st.session_state.get(_SWITCHED_OFF, [])
    return found


def set_switched_off(chunks: list[dict[str, str]]) -> None:
    """Replace the list of chunks that were switched off."""
    st.session_state[_SWITCHED_OFF] = chunks


def upload_edition() -> int:
    """A number for the widgets of an upload; a new one empties them."""
    return int(st.session_state.get(_UPLOADS, 0))


def next_upload(failed: list[str], *, added: int) -> None:
    """Empty the widgets of the upload, and keep what it came to: how many files were added, and a sentence for each that was not."""
    st.session_state[_UPLOADS] = upload_edition() + 1
    st.session_state[_UPLOAD_REPORT] = [added, failed]


def take_upload_report() -> tuple[int, list[str]]:
    """What the last upload came to, given once."""
    added, failed = st.session_state.pop(_UPLOAD_REPORT, [0, []])
    return added, failed


def deletion_asked() -> list[str]:
    """The ids of what is about to be deleted: a base, or a base and a document; empty when nothing is."""
    found: list[str] = st.session_state.get(_DELETION, [])
    return found


def ask_deletion(ids: list[str]) -> None:
    """Ask whether to delete what bears these ids."""
    st.session_state[_DELETION] = ids


def knowledge_refusal() -> str | None:
    """Why the last base was not made, if it was not."""
    found: str | None = st.session_state.get(_KNOWLEDGE_REFUSAL)
    return found


def set_knowledge_refusal(text: str | None) -> None:
    """Remember why a base was not made; ``None`` forgets it."""
    st.session_state[_KNOWLEDGE_REFUSAL] = text


def knowledge_view() -> str:
    """Which view of a base the Knowledge page shows: one of ``KNOWLEDGE_VIEWS``."""
    return str(st.session_state.get(KNOWLEDGE_VIEW) or st.session_state.get(_SHOWN_VIEW) or KNOWLEDGE_VIEWS[0])


def show_knowledge_view(view: str) -> None:
    """For a callback: show this view of a base."""
    st.session_state[KNOWLEDGE_VIEW] = st.session_state[_SHOWN_VIEW] = view


def seed_knowledge_view() -> None:
    """Let the view's widget, about to be drawn, start from the view shown last: other pages make Streamlit forget it."""
    st.session_state[KNOWLEDGE_VIEW] = st.session_state[_SHOWN_VIEW] = knowledge_view()


def connection() -> Connection:
    """The connection of this session, put together from its choice, its keys, the environment and Streamlit's secrets."""
    from components.services import workspace

    current = workspace()
    return choose_connection(
        server_choice(),
        current.settings,
        local=current.local_connection,
        typed_keys={"orq": typed_key("orq"), "openai": typed_key("openai")},
        secrets=streamlit_secrets(),
    )


def streamlit_secrets() -> dict[str, str]:
    """The top-level strings of Streamlit's secrets; empty when there is no secrets file."""
    try:
        return {name: value for name, value in st.secrets.items() if isinstance(value, str)}
    except FileNotFoundError:
        return {}


def history_pages(view: str) -> list[str]:
    """The cursors of the pages one went through on the History page, the shown one last; empty on the first page, or of another view.

    ``view`` says what is listed: another filter or order begins on the first page.
    """
    found: tuple[str, list[str]] = st.session_state.get(_HISTORY_PAGES, ("", []))
    return list(found[1]) if found[0] == view else []


def set_history_pages(view: str, cursors: list[str]) -> None:
    """Remember where in the history one is."""
    st.session_state[_HISTORY_PAGES] = (view, cursors)


def ticked_runs() -> list[str]:
    """The runs that are ticked on the History page."""
    found: list[str] = st.session_state.get(_TICKED_RUNS, [])
    return found


def set_ticked_runs(ids: list[str]) -> None:
    """Remember which runs are ticked, for when the list changes around them."""
    st.session_state[_TICKED_RUNS] = ids


def deleted_runs() -> tuple[str, int] | None:
    """What the last deletion on the History page took: its moment (ISO 8601), for undoing, and how many runs."""
    found: tuple[str, int] | None = st.session_state.get(_DELETED_RUNS)
    return found


def set_deleted_runs(deletion: tuple[str, int] | None) -> None:
    """Offer to undo a deletion; ``None`` offers nothing."""
    st.session_state[_DELETED_RUNS] = deletion


def replay_of(run_id: str) -> str | None:
    """The newest run that repeats ``run_id`` in this session."""
    found: str | None = st.session_state.get(_REPLAYS, {}).get(run_id)
    return found


def set_replay(run_id: str, replay: str) -> None:
    """Remember that ``replay`` repeats ``run_id``."""
    st.session_state[_REPLAYS] = {**st.session_state.get(_REPLAYS, {}), run_id: replay}


def export_id() -> str | None:
    """The export that was asked for last."""
    found: str | None = st.session_state.get(_EXPORT)
    return found


def set_export_id(value: str | None) -> None:
    """Remember the export that was asked for."""
    st.session_state[_EXPORT] = value


def import_report() -> str | None:
    """What the last import came to."""
    found: str | None = st.session_state.get(_IMPORT_REPORT)
    return found


def set_import_report(text: str | None) -> None:
    """Remember what an import came to."""
    st.session_state[_IMPORT_REPORT] = text


def price_rows() -> list[dict[str, str]] | None:
    """The rows of the price table as edited and not saved yet; ``None`` where they are as saved."""
    found: list[dict[str, str]] | None = st.session_state.get(_PRICE_ROWS)
    return found


def set_price_rows(rows: list[dict[str, str]] | None) -> None:
    """Keep the edited rows of the price table; ``None`` goes back to what is saved."""
    st.session_state[_PRICE_ROWS] = rows


def price_edition() -> int:
    """A number for the price table; a new one drops what was typed into the old one."""
    return int(st.session_state.get(_PRICE_EDITION, 0))


def next_price_edition() -> None:
    """Draw the price table anew."""
    st.session_state[_PRICE_EDITION] = price_edition() + 1


def prices_refused() -> bool:
    """Whether the last Save found something wrong with the price table."""
    return bool(st.session_state.get(_PRICES_REFUSED))


def set_prices_refused(refused: bool) -> None:
    """Remember whether Save was refused."""
    st.session_state[_PRICES_REFUSED] = refused


def prices_question() -> bool:
    """Whether the Settings page asks if the prices are to be reset."""
    return bool(st.session_state.get(_PRICES_QUESTION))


def ask_about_prices(asked: bool) -> None:
    """Ask whether the prices are to be reset; ``False`` asks no more."""
    st.session_state[_PRICES_QUESTION] = asked


def comparison() -> dict[str, Any] | None:
    """The comparison being edited, less its drafts, which each slot has under its own key; ``None`` before there is one."""
    found: dict[str, Any] | None = st.session_state.get(_COMPARISON)
    return found


def set_comparison(value: dict[str, Any]) -> None:
    """Replace the comparison being edited."""
    st.session_state[_COMPARISON] = value


def comparison_id() -> str | None:
    """The id of the comparison being edited; ``None`` before there is one."""
    found: str | None = st.session_state.get(_COMPARISON_ID)
    return found


def set_comparison_id(value: str, *, revision: int) -> None:
    """Edit this comparison, of which the session has ``revision``."""
    st.session_state[_COMPARISON_ID] = value
    st.session_state[_COMPARISON_SEEN] = revision


def comparison_revision() -> int:
    """The revision of the comparison that this session has."""
    return int(st.session_state.get(_COMPARISON_SEEN, 0))


def forget_comparison() -> None:
    """Edit none; the Compare page then begins a new one."""
    for key in (_COMPARISON, _COMPARISON_ID, _COMPARISON_SEEN, _COMPARISON_UNDO):
        st.session_state.pop(key, None)


def comparison_undo() -> tuple[str, dict[str, Any], dict[str, Any]] | None:
    """Which comparison was edited before the last button changed its slots or began anew, how it was, and what there was after."""
    found: tuple[str, dict[str, Any], dict[str, Any]] | None = st.session_state.get(_COMPARISON_UNDO)
    return found


def set_comparison_undo(change: tuple[str, dict[str, Any], dict[str, Any]] | None) -> None:
    """Remember a change of slots, for undoing; ``None`` forgets it."""
    st.session_state[_COMPARISON_UNDO] = change


def take_comparison_notice() -> str | None:
    """What there is to say about the comparison, given once."""
    found: str | None = st.session_state.pop(_COMPARISON_NOTICE, None)
    return found


def set_comparison_notice(text: str) -> None:
    """Say something about the comparison when the page is drawn next."""
    st.session_state[_COMPARISON_NOTICE] = text


def comparison_counted() -> float:
    """When (``time.monotonic()``) the figures of the comparison were drawn while runs were under way."""
    return float(st.session_state.get(_COMPARISON_COUNTED, 0.0))


def set_comparison_counted(moment: float) -> None:
    """Remember when the figures were drawn."""
    st.session_state[_COMPARISON_COUNTED] = moment


def comparison_question() -> list[int] | None:
    """The places of the slots that Run asks about, because they may cost more than the budget; ``None`` when it asks nothing."""
    found: list[int] | None = st.session_state.get(_COMPARISON_QUESTION)
    return found


def ask_about_comparison(places: list[int] | None) -> None:
    """Ask whether to run these slots; ``None`` asks no more."""
    st.session_state[_COMPARISON_QUESTION] = places


def sweep_view() -> str | None:
    """The sweep that stands in place of the comparison: its id, or empty for one that is being made; ``None`` for the comparison."""
    found: str | None = st.session_state.get(_SWEEP_VIEW)
    return found


def set_sweep_view(value: str | None) -> None:
    """Show a sweep, or the comparison again."""
    if value is not None:
        st.session_state[_SWEEP_LEFT] = value
    st.session_state[_SWEEP_VIEW] = value
    st.session_state.pop(_SWEEP_CALL, None)
    st.session_state.pop(_SWEEP_LINKED, None)


def sweep_is_linked() -> bool:
    """Whether the page's address has named the sweep that is shown."""
    return bool(st.session_state.get(_SWEEP_LINKED))


def set_sweep_is_linked() -> None:
    """The page's address names the sweep that is shown, from now on."""
    st.session_state[_SWEEP_LINKED] = True


def left_sweep() -> str | None:
    """The sweep that was shown last: its address may still stand there when the comparison is shown again."""
    found: str | None = st.session_state.get(_SWEEP_LEFT)
    return found


def sweep_form() -> dict[str, Any]:
    """The sweep being made, as ``components.sweep.builder`` keeps it."""
    found: dict[str, Any] = st.session_state.setdefault(_SWEEP_FORM, {})
    return found


def sweep_call() -> int | None:
    """The number of the call that is shown whole."""
    found: int | None = st.session_state.get(_SWEEP_CALL)
    return found


def set_sweep_call(value: int | None) -> None:
    """Show a call whole."""
    st.session_state[_SWEEP_CALL] = value


def deleted_comparisons() -> list[str]:
    """The comparisons that the last deletion on the History page took, for undoing."""
    found: list[str] = st.session_state.get(_DELETED_COMPARISONS, [])
    return found


def set_deleted_comparisons(ids: list[str]) -> None:
    """Offer to bring comparisons back; an empty list offers nothing."""
    st.session_state[_DELETED_COMPARISONS] = ids


def replaced_draft() -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The Playground's draft before a preset was opened in its place, and the one that was put there."""
    found: tuple[dict[str, Any], dict[str, Any]] | None = st.session_state.get(_REPLACED_DRAFT)
    return found


def set_replaced_draft(change: tuple[dict[str, Any], dict[str, Any]] | None) -> None:
    """Remember a draft that was replaced, for undoing; ``None`` forgets it."""
    st.session_state[_REPLACED_DRAFT] = copy.deepcopy(change)


def comparison_preset() -> tuple[str, str, int] | None:
    """The comparison whose preset was noted, the preset's id (empty for none) and its version."""
    found: tuple[str, str, int] | None = st.session_state.get(_COMPARISON_PRESET)
    return found


def set_comparison_preset(value: tuple[str, str, int]) -> None:
    """Note which preset's version a comparison is."""
    st.session_state[_COMPARISON_PRESET] = value


def preset_refusal(form: str) -> str | None:
    """Why the preset of a form was not saved at the last press, if it was not."""
    at, text = st.session_state.get(_PRESET_REFUSAL, ("", None))
    return text if at == form else None


def set_preset_refusal(form: str, text: str | None) -> None:
    """Remember why a form's preset was not saved; ``None`` forgets it."""
    st.session_state[_PRESET_REFUSAL] = (form, text)


def shown_preset() -> str | None:
    """The id of the preset that the library shows whole."""
    found: str | None = st.session_state.get(_CHOSEN_PRESET)
    return found


def show_preset(preset_id: str | None) -> None:
    """Let the library show a preset whole; ``None`` shows none."""
    st.session_state[_CHOSEN_PRESET] = preset_id


def ticked_presets() -> list[str]:
    """The presets that are ticked in the library."""
    found: list[str] = st.session_state.get(_TICKED_PRESETS, [])
    return found


def set_ticked_presets(ids: list[str]) -> None:
    """Remember which presets are ticked, for when the list changes around them."""
    st.session_state[_TICKED_PRESETS] = ids


def preset_pages(view: str) -> list[str]:
    """The cursors of the library's pages one went through, the shown one last; empty on the first page, or of another view."""
    found: tuple[str, list[str]] = st.session_state.get(_PRESET_PAGES, ("", []))
    return list(found[1]) if found[0] == view else []


def set_preset_pages(view: str, cursors: list[str]) -> None:
    """Remember where in the library one is."""
    st.session_state[_PRESET_PAGES] = (view, cursors)


def deleted_presets() -> tuple[str, int] | None:
    """What the last deletion in the library took: its moment (ISO 8601), for undoing, and how many presets."""
    found: tuple[str, int] | None = st.session_state.get(_DELETED_PRESETS)
    return found


def set_deleted_presets(deletion: tuple[str, int] | None) -> None:
    """Offer to undo a deletion; ``None`` offers nothing."""
    st.session_state[_DELETED_PRESETS] = deletion


def preset_import() -> tuple[int, list[str]]:
    """What the last import of presets came to: how many were added, and a sentence for whatever was not."""
    found: tuple[int, list[str]] = st.session_state.get(_PRESET_IMPORT, (0, []))
    return found


def set_preset_import(added: int, told: list[str]) -> None:
    """Remember what an import of presets came to."""
    st.session_state[_PRESET_IMPORT] = (added, told)


def made_share() -> dict[str, str] | None:
    """The link that the sheet made last: its ``id``, of what (``signature``), or the ``problem`` that kept it from being made."""
    found: dict[str, str] | None = st.session_state.get(_MADE_SHARE)
    return found


def set_made_share(value: dict[str, str] | None) -> None:
    """Remember the link that was made; ``None`` forgets it."""
    st.session_state[_MADE_SHARE] = value


def visited_shares() -> list[str]:
    """The links that this session has opened, each of which counts as one visit."""
    found: list[str] = st.session_state.get(_VISITED_SHARES, [])
    return found


def note_visit(share_id: str) -> None:
    """Remember that a link was opened."""
    st.session_state[_VISITED_SHARES] = [*visited_shares(), share_id][-100:]
