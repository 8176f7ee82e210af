"""Plans: which requests a sweep sends, and how many."""

from __future__ import annotations

import itertools
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.comparison.settings import NOT_SENT
from core.prices.pricing import PriceList
from core.sweep.axes import Axis
from core.sweep.bounds import sweep_bounds
from core.sweep.plan import NOTHING_TO_VARY, SweepPlan, SweepSettings
from core.sweep.prompt_rows import RowsRefused, read_rows

BODY: dict[str, Any] = {"model": "local/pydoc", "prompt": "A {{thing}} is", "max_tokens": 10}
TEMPERATURES, TOP_P = Axis("temperature", (0, 0.5, 1)), Axis("top_p", (0.5, 1))


def plan(*axes: Axis, **more: Any) -> SweepPlan:
    return SweepPlan(SweepSettings(more.pop("body", BODY), axes, **more))


def test_grid_is_every_combination_once_and_leaves_the_rest_as_the_baseline() -> None:
    made = plan(TEMPERATURES, TOP_P)
    sent = [made.body(call) for call in range(made.calls)]
    assert [(body["temperature"], body["top_p"]) for body in sent] == list(itertools.product((0, 0.5, 1), (0.5, 1)))
    assert all({name: body[name] for name in BODY} == BODY for body in sent)
    assert (made.problems, made.title(3)) == ((), "temperature 0.5 · top_p 1")


def test_list_takes_one_value_of_each_together_and_needs_as_many() -> None:
    made = plan(TEMPERATURES, Axis("seed", (1, 2, 3)), mode="list")
    assert [(made.body(call)["temperature"], made.body(call)["seed"]) for call in range(made.calls)] == [(0, 1), (0.5, 2), (1, 3)]
    assert "needs as many: temperature 3, top_p 2" in plan(TEMPERATURES, TOP_P, mode="list").problems[0]


def test_value_that_is_not_sent_takes_the_baselines_out() -> None:
    made = plan(Axis("temperature", (NOT_SENT, None, 1)), body={**BODY, "temperature": 0.3})
    assert [made.body(call).get("temperature", "absent") for call in range(3)] == ["absent", None, 1]


def test_axis_within_a_block_switches_the_block_on() -> None:
    made = plan(Axis("cache.ttl", (60, 120)))
    assert [made.body(call)["cache"] for call in range(2)] == [{"type": "exact_match", "ttl": 60}, {"type": "exact_match", "ttl": 120}]
    assert made.problems == ()


@pytest.mark.parametrize(("seeds", "expected"), [("none", [None] * 6), ("same", [7] * 6), ("counting", [7, 7, 8, 8, 9, 9])])
def test_repeats_come_in_rounds_with_the_seeds_that_were_chosen(seeds: str, expected: list[int | None]) -> None:
    made = plan(TOP_P, repeats=3, seeds=seeds, first_seed=7)
    assert [made.cell_of(call) for call in range(made.calls)] == [0, 1] * 3
    assert [made.body(call).get("seed") for call in range(made.calls)] == expected


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_rows_of_a_file_are_an_axis_of_prompts_with_their_names_filled_in(kind: str) -> None:
    data = b'thing;n\nlist;1\n"set; or not";2\n' if kind == "csv" else b'{"thing": "list", "n": 1}\n\n{"thing": "set; or not", "n": 2}\n'
    made = plan(TOP_P, rows=read_rows(f"prompts.{kind}", data))
    assert [made.body(call)["prompt"] for call in range(4)] == ["A list is", "A set; or not is"] * 2
    assert made.paths == ("top_p", "prompt")
    assert SweepSettings.from_dict(made.settings.to_dict()) == made.settings


def test_column_called_prompt_is_the_template_of_its_row() -> None:
    made = plan(rows=read_rows("p.csv", b"prompt,who\nHello {{who}} and {{nobody}},Ada\n"))
    assert made.body(0)["prompt"] == "Hello Ada and {{nobody}}"
    assert made.settings.rows is not None
    assert made.settings.rows.unfilled(None, None) == ("nobody",)


def test_row_of_a_file_may_be_a_whole_document():
    document = "word " * 200_000
    made = read_rows("p.csv", f'prompt,who\n"{document}",Ada\n'.encode())
    assert made.rows == ((document, "Ada"),)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no row"),
        (b"a,b\n1\n", "Line 2 has 1 fields"),
        (b"a,a\n1,2\n", "another name"),
        (b"{\n", "Line 1 is not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"a\n" + b"1\n" * 1_001, "1,001 rows"),
    ],
)
def test_file_that_cannot_be_used_is_refused_with_its_line(data: bytes, words: str) -> None:
    with pytest.raises(RowsRefused, match=words):
        read_rows("p.csv", data)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (plan(), NOTHING_TO_VARY),
        (plan(TEMPERATURES, TEMPERATURES), "temperature is on two axes"),
        (plan(Axis("top_p", ())), "top_p has no value yet"),
        (plan(Axis("seed", (1, 2)), seeds="same"), "seed is an axis"),
        (plan(TEMPERATURES, TOP_P, most_calls=5), "6 calls are more than the limit of 5"),
        (plan(TEMPERATURES, repeats=99), "repeats must be between 1 and 20"),
        (plan(rows=read_rows("p.csv", b"other\n1\n")), "names none of the columns"),
        (plan(Axis("thinking.type", ("enabled",))), "thinking.type enabled"),
        (plan(TOP_P, body={"model": "m"}), "prompt"),
    ],
)
def test_what_keeps_it_from_starting_is_said(made: SweepPlan, words: str) -> None:
    assert words in " ".join(made.problems)


def test_calls_that_would_be_copies_are_sent_without_cache_unless_it_is_kept() -> None:
    body = {**BODY, "cache": {"type": "exact_match"}}
    assert "cache" not in plan(TOP_P, body=body, repeats=2).body(0)
    assert "cache" in plan(TOP_P, body=body, repeats=2, keep_cache=True).body(0)
    assert "cache" in plan(TOP_P, body=body, repeats=2, seeds="counting").body(0)
    assert "cache" in plan(TOP_P, body=body).body(0)


def test_bounds_are_of_all_calls_and_tries_stay_below_the_limit() -> None:
    bounds = sweep_bounds(plan(TEMPERATURES, TOP_P, repeats=2, most_calls=20, at_once=4), PriceList(), parallel=16, call_s=1.5)
    assert (bounds.calls, bounds.most_calls, bounds.tokens, bounds.parallel, bounds.seconds) == (12, 20, 120, 4, 4.5)
    assert bounds.cost_usd == Decimal(0)


_AXES = st.lists(
    st.sampled_from(["temperature", "top_p", "frequency_penalty", "presence_penalty"]).flatmap(
        lambda path: st.lists(st.integers(0, 1), min_size=1, max_size=2, unique=True).map(lambda values: Axis(path, tuple(values)))
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda axis: axis.path,
)


@settings(max_examples=60, deadline=None)
@given(_AXES, st.integers(1, 4), st.sampled_from(["grid", "list"]), st.sampled_from(["none", "same", "counting"]))
def test_every_cell_is_called_as_often_as_asked_and_never_otherwise(axes: list[Axis], repeats: int, mode: Any, seeds: Any) -> None:
    made = plan(*axes, repeats=repeats, mode=mode, seeds=seeds)
    lengths = [len(axis.values) for axis in axes]
    product = 1
    for length in lengths:
        product *= length
    assert made.size == (product if mode == "grid" else min(lengths))
    called = Counter(made.cell_of(call) for call in range(made.calls))
    assert called == dict.fromkeys(range(made.size), repeats)
    assert all(call in made.calls_of(made.cell_of(call)) for call in range(made.calls))
    bodies = Counter(tuple(made.body(call)[axis.path] for axis in axes) for call in range(made.calls))
    assert len(bodies) == made.size
    assert SweepSettings.from_dict(made.settings.to_dict()) == made.settings
