"""The lane's HTML: everything that is drawn is also said, and whatever comes from outside stays text."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from streamlit.testing.v1 import AppTest

from components.runs.lane import lane_html
from core.errors import PlaygroundError
from core.lane.lane import lane
from core.run import RunError
from tests.core.lane.lane_runs import run, trace

HOSTILE = '</li></ol><script>window.hacked=1</script><img src=x onerror="window.hacked=2">\'"&\u202egnp.exe\x00 [x](javascript:alert(1))'


def drawn(*events: tuple[object, ...], **options: object) -> BeautifulSoup:
    told = trace(*events, ("end", 990, {"state": "finished"})) if events else None
    return BeautifulSoup(lane_html(lane(run(first=0.5, total=1, trace=told, **options))), "html.parser")  # type: ignore[arg-type]


def attempt(number: int, target: str = "a", status: int = 429) -> tuple[object, ...]:
    return ("attempt", number * 10, {"target": target, "number": number, "status": status, "duration_ms": 5})


def test_hostile_names_are_text_everywhere() -> None:
    page = drawn(attempt(1, HOSTILE), ("fallback", 12, {"after": 500, "target": HOSTILE}), ("draw", 13, {"drawn": HOSTILE}), (HOSTILE, 14))
    assert {element.name for element in page.find_all()} <= {"div", "ol", "li", "span", "p", "i", "details", "summary"}
    for element in page.find_all():
        assert not [name for name in element.attrs if name.startswith("on")]
    assert "<script>window.hacked=1</script>" in page.get_text()
    assert "\u202e" not in page.get_text()
    assert "\x00" not in str(page)


def test_hostile_error_and_model_of_a_remote_run_are_text() -> None:
    error = RunError(PlaygroundError.kind, HOSTILE, status=500)
    html = lane_html(lane(run("failed", body={"model": HOSTILE, "fallbacks": [{"model": HOSTILE}]}, model=HOSTILE, error=error)))
    assert BeautifulSoup(html, "html.parser").find(["script", "img"]) is None


def test_every_segment_is_said_for_screen_readers_and_again_in_the_text() -> None:
    page = drawn(("cache", 0, {"result": "miss"}), attempt(1), attempt(2, "b", 200))
    steps = page.select("ol.lane-bar > li")
    hidden = [step.select_one(".lane-hidden").get_text() for step in steps]  # type: ignore[union-attr]
    assert hidden == [step["title"] for step in steps]
    assert any("Attempt 2 asked b: answered with 200" in sentence for sentence in hidden)
    assert len(page.select(".lane-words > ol > li")) == len(steps)
    assert all(label["aria-hidden"] == "true" for label in page.select(".lane-label"))
    assert page.select_one("ol.lane-bar")["aria-label"]  # type: ignore[index]
    assert page.select_one("details > summary") is not None, "reached with the Tab key"


def test_inferred_segments_are_hatched_and_the_legend_says_so() -> None:
    page = drawn(headers={"x-router-attempts": "2"})
    hatched = page.select("li.lane-inferred")
    assert len(hatched) == 2
    assert all("(inferred)" in step["title"] for step in hatched)
    assert "inferred" in page.select_one(".lane-legend").get_text()  # type: ignore[union-attr]
    assert "This router tells no trace" in page.select_one(".lane-said").get_text()  # type: ignore[union-attr]


def test_nothing_is_hatched_where_all_was_observed() -> None:
    page = drawn(("attempt", 0, {"target": "a", "status": 200, "duration_ms": 980}), ("first_token", 499))
    assert not page.select(".lane-inferred")
    assert "inferred" not in page.get_text()


def test_forty_segments_leave_room_for_each_other() -> None:
    page = drawn(*(attempt(number) for number in range(40)))
    least = [float(step["style"].split(",")[1].split("%")[0]) for step in page.select("ol.lane-bar > li")]  # type: ignore[union-attr]
    assert sum(least) <= 61


def test_long_names_and_causes_are_cut() -> None:
    assert len(lane_html(lane(run(trace=trace(attempt(1, "m" * 5_000), ("end", 9)))))) < 5_000


def page() -> None:
    import streamlit as st

    from components.runs.lane import run_lane
    from tests.core.lane.lane_runs import run

    found = {"no": None, "yes": run(first=0.5)}[st.session_state["trace"]]
    run_lane(run(first=0.5), key="a", later=None if st.session_state.get("drawn") else lambda: found)


@pytest.mark.parametrize("there", [True, False])
def test_while_the_trace_is_on_its_way_the_lane_says_that_it_waits(there: bool) -> None:
    at = AppTest.from_function(page)
    at.session_state["trace"] = "no"
    if there:
        at.session_state["drawn"] = True
    at.run()
    assert not at.exception
    assert bool(at.caption) is not there
    assert any("lane-bar" in str(element.proto) for element in at.get("html")) is there
