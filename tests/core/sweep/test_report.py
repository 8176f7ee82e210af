"""A sweep in its comparison's report: what varied, its grid, its cells' figures, and nothing that a text of it could break."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

from markdown_it import MarkdownIt

from core.comparison.settings import NOT_SENT
from core.sweep.axes import Axis
from core.sweep.plan import SweepPlan
from core.sweep.progress import CallState, SweepState
from core.sweep.prompt_rows import PromptRows
from core.sweep.report import SweepReport
from tests.core.sweep.test_cell_rows import row, state

AXES = (Axis("temperature", (0.2, NOT_SENT)), Axis("top_p", (0.5, 1)))
CALLS = [
    CallState(0, "finished", ("a",), "first | answer\n# not a heading"),
    CallState(1, "finished", ("b",), "second"),
    CallState(2, "failed", ("c",), "<b>refused</b>"),
    CallState(3, "waiting"),
]
RUNS = {
    "a": row("a", total_s=1.5, completion_tokens=20, finish_reason="stop", cost_usd=Decimal("0.0001")),
    "b": row("b", total_s=0.5, completion_tokens=40, finish_reason="length"),
    "c": row("c", status="failed"),
}


def two_axes() -> SweepReport:
    return SweepReport.of(state(CALLS, *AXES), RUNS)


def test_json_has_axes_cells_with_figures_and_every_call_and_can_be_written() -> None:
    data = json.loads(json.dumps(two_axes().to_json()))
    assert data["axes"] == [{"path": "temperature", "values": ["0.2", "not sent"]}, {"path": "top_p", "values": ["0.5", "1"]}]
    assert [(cell["values"], cell["not_sent"]) for cell in data["cells"]] == [
        ({"temperature": 0.2, "top_p": 0.5}, []),
        ({"temperature": 0.2, "top_p": 1}, []),
        ({"top_p": 0.5}, ["temperature"]),
        ({"top_p": 1}, ["temperature"]),
    ]
    assert data["cells"][0]["figures"]["tokens out"] == {"median": 20, "values": [20]}
    assert (data["cells"][0]["figures"]["cost"]["median"], "cost" in data["cells"][1]["figures"]) == (0.0001, False)
    told = [(call["status"], call["run"]) for call in data["calls"]]
    assert told == [
        ("finished", "a"),
        ("finished", "b"),
        ("failed", "c"),
        ("waiting", None),
    ]
    assert data["settings"]["body"] == {"model": "m", "prompt": "p"}


def test_markdown_has_the_grid_and_the_figures_of_every_cell_and_texts_stay_texts() -> None:
    said = "\n".join(two_axes().markdown())
    assert "4 cells (2 × 2), 4 calls: 1 failed, 2 finished, 1 waiting; 3 sent." in said
    assert "| temperature | top\\_p 0.5 | top\\_p 1 |" in said
    assert "| 0.2 | first \\| answer \\# not a heading | second |" in said
    assert "| not sent | \\<b\\>refused\\</b\\> | waiting |" in said
    assert "| 0.2 | 0.5 | 1 finished | 1.50 s | 20 | \\$0.0001 | stop ×1 |" in said
    assert "| 0.2 | 1 | 1 finished | 500 ms | 40 | – | length ×1 |" in said
    html = MarkdownIt("commonmark").enable("table").render(said)
    assert (html.count("<h2>"), html.count("<h3>"), html.count("<table>"), html.count("<b>")) == (1, 2, 2, 0)


def test_further_axes_and_prompts_of_a_file_stand_before_the_second_axis() -> None:
    rows = PromptRows("cities.csv", ("city",), (("Kraków",), ("Delft",)))
    plan = SweepPlan(replace(state([], *AXES).record.plan.settings, rows=rows, body={"model": "m", "prompt": "{{city}}"}))
    made = SweepState(replace(state([], *AXES).record, plan=plan), tuple(CallState(number) for number in range(plan.calls)))
    said = "\n".join(SweepReport.of(made, {}).markdown())
    assert "| temperature | prompt | top\\_p 0.5 | top\\_p 1 |" in said
    assert "| not sent | 2 · Delft | waiting | waiting |" in said


def test_a_sweep_of_one_axis_has_a_row_for_each_value() -> None:
    said = "\n".join(SweepReport.of(state(CALLS[:2], Axis("temperature", (0, 1))), RUNS).markdown())
    assert "| temperature | answer |" in said
    assert "| 1 | second |" in said
