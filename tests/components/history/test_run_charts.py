"""Charts and usage figures of stored runs, as the page shows them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.storage.run_query import RunFilter
from core.workspace import Workspace, opened_workspace
from tests.core.storage.samples import body, run

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
OURS = "charts-test"


@pytest.fixture
def current() -> Iterator[Workspace]:
    found = opened_workspace()
    yield found
    found.runs.delete(RunFilter(connections=(OURS,)))
    found.runs.purge(datetime.now(UTC) + timedelta(days=1))


def charts() -> None:
    from components.history.run_charts import run_charts
    from core.storage.run_query import RunFilter

    run_charts(RunFilter(connections=("charts-test",)))


def usage() -> None:
    from components.history.run_charts import usage_figures
    from core.storage.run_query import RunFilter

    usage_figures(RunFilter(connections=("charts-test",)))


def drawn(function: Any) -> AppTest:
    page = AppTest.from_function(function, default_timeout=30).run()
    assert not page.exception, page.exception[0].stack_trace
    return page


def text(page: AppTest) -> str:
    return "\n".join(element.value for kind in ("markdown", "caption", "info") for element in getattr(page, kind)).replace("\\", "")


def specs(page: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in page.get("vega_lite_chart")]


def test_charts_say_how_many_runs_failed_and_how_many_costs_are_unknown(current: Workspace) -> None:
    made = [run(connection_name=OURS, created_at=NOON + timedelta(minutes=10 * n), model="m") for n in range(4)]
    made.append(run(connection_name=OURS, created_at=NOON + timedelta(hours=5), model=None, status="failed", usage=None))
    current.runs.save(made)
    current.runs.set_cost(made[0].id, Decimal("0.25"), None)
    page = drawn(charts)
    said = text(page)
    assert "5 runs. A bar or a point is 15 minutes; times are UTC." in said
    assert "1 of 5 failed or were interrupted." in said
    assert "$0.25 in all. The cost of 4 of 5 runs is unknown; they are not in it." in said
    assert len(specs(page)) == 5


def test_a_filter_without_runs_and_runs_without_cost_are_told_in_words(current: Workspace) -> None:
    assert "nothing to draw" in text(drawn(charts))
    current.runs.save([run(connection_name=OURS, usage=None)])
    said = text(drawn(charts))
    assert "No cost is known." in said
    assert "No run here told its tokens." in said


def test_names_of_models_are_shown_as_text_in_the_legend(current: Workspace) -> None:
    current.runs.save([run(connection_name=OURS, model="<b>m</b>")])
    legend = " ".join(element.proto.body for element in drawn(charts).get("html"))
    assert "&lt;b&gt;m&lt;/b&gt;" in legend
    assert "<b>" not in legend


def test_usage_is_counted_for_each_identity_and_thread_and_says_how_to_set_them(current: Workspace) -> None:
    current.runs.save([run(connection_name=OURS)])
    said = text(drawn(usage))
    assert "Set `orq.identity`" in said
    assert "Set `orq.thread`" in said
    asked = body(orq={"identity": {"id": "alice"}, "thread": {"id": "t-1"}})
    current.runs.save([run(connection_name=OURS, asked=asked, created_at=NOON) for _ in range(2)])
    page = drawn(usage)
    models, identities, threads = (table.value for table in page.dataframe)
    assert models.to_dict("records")[0]["runs"] == 3
    alice = identities.to_dict("records")[0]
    assert (alice["identity"], alice["runs"], alice["tokens in"], alice["tokens out"], alice["cost unknown"]) == ("alice", 2, 8, 10, 2)
    assert threads["thread"].tolist() == ["t-1", "no thread"]
    assert "Set `orq" not in text(page)
