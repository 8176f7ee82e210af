"""Axes: what is typed becomes values of the contract's kind, or a sentence at the entry at fault."""

from __future__ import annotations

import pytest

from core.comparison.settings import NOT_SENT
from core.sweep.axes import MOST_VALUES, Axis, choices, shown_value, sweepable, values_of


@pytest.mark.parametrize(
    ("path", "typed", "expected"),
    [
        ("temperature", "0, 0.5; 1", (0, 0.5, 1)),
        ("temperature", "0…1 step 0.25", (0, 0.25, 0.5, 0.75, 1)),
        ("temperature", "0.3..0.1 step 0.1", (0.3, 0.2, 0.1)),
        ("max_tokens", "16 to 19", (16, 17, 18, 19)),
        ("temperature", "not sent, null, 0", (NOT_SENT, None, 0)),
        ("model", ["local/pydoc", "local/pydoc-3"], ("local/pydoc", "local/pydoc-3")),
        ("stream", ["true", "false"], (True, False)),
        ("retry.count", "1, 2", (1, 2)),
        ("temperature", "", ()),
    ],
)
def test_values_are_those_that_were_typed(path: str, typed: str, expected: tuple[object, ...]) -> None:
    assert values_of(path, typed) == (expected, ())


@pytest.mark.parametrize(
    ("path", "typed", "place", "words"),
    [
        ("temperature", "0, 2.5", 2, "between 0 and 2"),
        ("temperature", "0, warm", 2, "number"),
        ("max_tokens", "0", 1, "1"),
        ("temperature", "0…1", 0, ""),
        ("temperature", "0…1.5", 1, "say the step"),
        ("temperature", "0…1 step 0", 1, "never ends"),
        ("temperature", f"0…{MOST_VALUES * 2}", 1, "at most"),
        ("temperature", "0.5, 0.50", 2, "stands twice"),
        ("model", ["local/pydoc", "not sent"], 2, "without a model"),
        ("stream", ["true", "perhaps"], 2, "true or false"),
    ],
)
def test_what_is_wrong_is_said_at_its_entry(path: str, typed: str, place: int, words: str) -> None:
    _, problems = values_of(path, typed)
    assert [problem.place for problem in problems] == ([place] if place else [])
    assert all(words in problem.message for problem in problems)


def test_every_sweepable_parameter_is_one_value_and_choices_are_offered_where_there_are_some() -> None:
    paths = [spec.path for spec in sweepable()]
    assert {"model", "temperature", "top_p", "seed", "max_tokens", "stream", "echo", "retry.count", "thinking.type"} <= set(paths)
    assert not [path for path in paths if "[" in path]
    assert choices("echo") == ("true", "false", "null", "not sent")
    assert choices("temperature") == ()


def test_axis_comes_back_from_json_with_null_and_not_sent_apart() -> None:
    axis = Axis("temperature", (NOT_SENT, None, 0, 0.5))
    assert Axis.from_dict(axis.to_dict()) == axis
    assert [shown_value(value) for value in axis.values] == ["not sent", "null", "0", "0.5"]
