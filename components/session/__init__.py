"""What one browser session remembers, and the only place that spells the durable keys of ``st.session_state``.

Widget keys come and go with what is drawn; the keys here stay. Values are ids, strings, plain dicts and, for typed keys, ``SecretStr``.
What every page asks for (drafts, runs, the connection) is here by name: ``session.draft("a")``. What one page remembers is in a module of
its own: ``session.history.ticked()``.
"""

from __future__ import annotations

from components.session import comparison, history, knowledge, presets, prices, share, sweep, upstreams
from components.session.connections import (
    connection,
    server_choice,
    set_server_choice,
    set_typed_key,
    set_verdict,
    streamlit_secrets,
    typed_key,
    verdict,
)
from components.session.drafts import (
    FIRST_DRAFT,
    draft,
    draft_before_import,
    imported,
    importing,
    keep_draft,
    replaced_draft,
    restore_draft,
    set_draft,
    set_draft_before_import,
    set_imported,
    set_importing,
    set_replaced_draft,
)
from components.session.runs import channel, refusal, refusal_lasts, replay_of, run_id, run_ids, set_refusal, set_replay, set_run_id

__all__ = [
    "FIRST_DRAFT",
    "channel",
    "comparison",
    "connection",
    "draft",
    "draft_before_import",
    "history",
    "imported",
    "importing",
    "keep_draft",
    "knowledge",
    "presets",
    "prices",
    "refusal",
    "refusal_lasts",
    "replaced_draft",
    "replay_of",
    "restore_draft",
    "run_id",
    "run_ids",
    "server_choice",
    "set_draft",
    "set_draft_before_import",
    "set_imported",
    "set_importing",
    "set_refusal",
    "set_replaced_draft",
    "set_replay",
    "set_run_id",
    "set_server_choice",
    "set_typed_key",
    "set_verdict",
    "share",
    "streamlit_secrets",
    "sweep",
    "typed_key",
    "upstreams",
    "verdict",
]
