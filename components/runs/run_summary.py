"""What a run came to: finish reasons, usage, timings, which model answered, and the answer as received."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import streamlit as st

from components.code_block import long_code
from components.plain_text import badge_label, plain
from components.runs.lane import Later, run_lane
from core.contract.response import Usage
from core.metrics import seconds
from core.prices.pricing import dollars
from core.prices.run_cost import RunCost
from core.run import RunSnapshot

FINISH_COLORS = {"stop": "green", "length": "orange", "content_filter": "red", "tool_calls": "blue"}
FINISH_HELP = {
    "stop": "The model ended by itself, or a stop sequence came.",
    "length": "max_tokens was reached: the text is cut. Raise max_tokens for more.",
    "content_filter": "A filter of the provider held the text back.",
    "tool_calls": "The model asked for a tool.",
}


def run_summary(run: RunSnapshot, *, key: str, cost: RunCost | None = None, later: Later | None = None) -> None:
    """One quiet line under the output, the lane, and the details folded below. Draws nothing while the run is under way.

    ``later`` is given while the run's trace is on its way (``components.runs.lane``).
    """
    if run.status in ("queued", "waiting", "streaming"):
        return
    with st.container(key=f"summary-{key}", gap="xsmall"):
        quiet_line(run, cost)
        run_lane(run, key=key, later=later)
        details = st.expander("Usage, timings and response", icon=":material/receipt_long:", key=f"{key}.details", on_change="rerun")
        if details.open:
            with details:
                _details(run, cost)


def quiet_line(run: RunSnapshot, cost: RunCost | None) -> None:
    """Finish reasons, tokens, times, cost and the model that answered, in one line."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        for index, reason in _finish_reasons(run):
            label = badge_label(reason if len(run.choices) == 1 else f"{index + 1} · {reason}")
            st.badge(label, color=FINISH_COLORS.get(reason, "gray"), help=FINISH_HELP.get(reason))  # type: ignore[arg-type]
        st.caption(" · ".join(_line(run, cost)))


def _finish_reasons(run: RunSnapshot) -> Iterator[tuple[int, str]]:
    for index, (_text, reason) in sorted(run.choices.items()):
        if reason is not None:
            yield index, reason


def _line(run: RunSnapshot, cost: RunCost | None) -> Iterator[str]:
    if run.usage is not None and run.usage.total_tokens is not None:
        into, out = _count(run.usage.prompt_tokens), _count(run.usage.completion_tokens)
        yield f"{run.usage.total_tokens:,} tokens ({into} in, {out} out{_hidden(run.usage)})"
    elif run.usage is None and run.status == "finished":
        yield "no usage reported"
    timings = run.timings
    if timings.first_token_s is not None:
        yield f"first token {seconds(timings.first_token_s)}"
    if timings.total_s is not None:
        yield f"total {seconds(timings.total_s)}"
    if timings.tokens_per_s is not None:
        yield f"{timings.tokens_per_s:,.0f} tokens/s"
    if cost is not None and run.usage is not None:
        yield plain(dollars(cost.usd))
    if run.model:
        yield f"answered by **{plain(run.model)}**"


def _hidden(usage: Usage) -> str:
    """How many of the tokens out are none of the text, because the model thought."""
    details = usage.completion_tokens_details
    thought = details.reasoning_tokens if details else None
    return f", {thought:,} of them thinking" if thought else ""


def _count(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _details(run: RunSnapshot, cost: RunCost | None) -> None:
    rows = list(usage_rows(run.usage))
    if rows:
        st.markdown(_table("Usage", rows))
    else:
        st.caption("The server reported no usage.")
    st.markdown(_table("Run", list(_facts(run, cost))))
    st.caption("Response as received" + (f" (only its first {len(run.raw):,} characters are kept)" if run.raw_truncated else ""))
    if run.raw:
        long_code(run.raw, height=260)
    else:
        st.caption("Nothing was received.")
    st.caption("Request as sent")
    long_code(json.dumps(run.body, indent=2, ensure_ascii=False), language="json", height=260)
    if run.trace is not None:
        st.caption("What the router says it did (its trace)")
        long_code(json.dumps(run.trace, indent=2, ensure_ascii=False), language="json", height=260)


def _facts(run: RunSnapshot, cost: RunCost | None) -> Iterator[tuple[str, Any]]:
    yield "status", run.status
    yield "sent to", f"{run.connection_name} · {run.base_url}"
    yield "model asked", run.body.get("model")
    yield "model that answered", run.model
    yield "completion id", run.completion_id
    yield "request id", run.request_id
    yield "system_fingerprint", run.system_fingerprint
    yield "started", f"{run.created_at:%Y-%m-%d %H:%M:%S} UTC"
    timings = run.timings
    if cost is not None:
        yield "cost", f"{dollars(cost.usd)}: {cost.reason}"
    yield "waited in queue", seconds(timings.queued_s) if timings.queued_s else None
    yield "time to first token", None if timings.first_token_s is None else seconds(timings.first_token_s)
    yield "total", None if timings.total_s is None else seconds(timings.total_s)
    yield "tokens/s after the first", None if timings.tokens_per_s is None else f"{timings.tokens_per_s:,.1f}"
    for name, value in sorted(run.headers.items()):
        if name.startswith("x-router-"):
            yield name, value


def usage_rows(usage: Usage | None) -> Iterator[tuple[str, Any]]:
    """Every number of the usage that came, details by their dotted wire name."""
    if usage is None:
        return
    for name, value in usage.to_dict().items():
        if isinstance(value, dict):
            for inner, count in value.items():
                yield f"{name}.{inner}", "null" if count is None else f"{count:,}"
        else:
            yield name, "null" if value is None else f"{value:,}"


def _table(title: str, rows: list[tuple[str, Any]]) -> str:
    lines = [f"| {title} | |", "|---|---|"]
    lines += [f"| {plain(name)} | {plain(str(value))} |" for name, value in rows if value is not None]
    return "\n".join(lines)
