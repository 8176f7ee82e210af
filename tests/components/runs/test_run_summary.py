"""What stands under an answer: the line of figures, and what was received, sent and told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core.contract.response import CompletionTokensDetails, Usage
from tests.core.lane.lane_runs import run, trace

USAGE = Usage(3, 1_106, 1_109, completion_tokens_details=CompletionTokensDetails(reasoning_tokens=1_024))


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (USAGE, "1,109 tokens (3 in, 1,106 out, 1,024 of them thinking)"),
        (replace(USAGE, completion_tokens_details=CompletionTokensDetails(reasoning_tokens=0)), "1,109 tokens (3 in, 1,106 out) ·"),
        (replace(USAGE, completion_tokens_details=None), "1,109 tokens (3 in, 1,106 out) ·"),
    ],
)
def test_line_says_how_many_tokens_were_thinking(usage: Usage, words: str) -> None:
    assert any(words in caption.value for caption in _drawn(usage).caption)


def test_details_show_the_routers_trace_where_there_is_one() -> None:
    told = trace(("attempt", 1, {"target": "a", "status": 200}), ("end", 5))
    assert any('"router.trace"' in block.value for block in _drawn(None, told).code)
    assert not any('"router.trace"' in block.value for block in _drawn(None).code)


def _drawn(usage: Usage | None, told: dict[str, object] | None = None) -> AppTest:
    def script() -> None:
        import streamlit as st

        from components.runs.run_summary import run_summary

        run_summary(st.session_state["snapshot"], key="a")

    page = AppTest.from_function(script)
    page.session_state["snapshot"] = replace(run(total=1, trace=told), usage=usage)
    page.session_state["a.details"] = True
    return page.run()
