"""A comparison as files: all of it in JSON, and a report that no prompt and no output can break."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.comparison.board import opened
from core.comparison.markdown import fenced, text
from core.comparison.record import Comparison, parse_document
from core.comparison.report.as_json import to_json
from core.comparison.report.as_markdown import to_markdown
from core.comparison.report.as_zip import to_zip
from core.comparison.report.report import Report, report, was_edited
from core.comparison.runs import SlotRuns
from core.comparison.votes import PART, Vote, candidates
from core.contract.response import parse_usage
from core.prices.pricing import Price, PriceList
from core.run import ChoiceText, RunError, RunSnapshot
from core.storage.run_record import StoredRun
from tests.core.storage.samples import START, body, run
from tests.core.sweep.test_report import two_axes

PNG = b"\x89PNG\r\n\x1a\nchart"
EVIL = "```\n# heading\n````html\n<script>alert(1)</script> | a | b |\n~~~\n"


def comparison(*slots: list[RunSnapshot], missing: int = 0, **fields: Any) -> tuple[Comparison, tuple[SlotRuns, ...]]:
    """A comparison of slots with these runs, the settings being those of the first one."""
    board = opened([of_slot[0].body for of_slot in slots], ["" for _ in slots])
    board = replace(
        board, slots=tuple(replace(slot, runs=tuple(one.id for one in of_slot)) for slot, of_slot in zip(board.slots, slots, strict=True))
    )
    made = Comparison("c-1", board, START, START, stored=True, **fields)
    return made, tuple(SlotRuns(tuple(of_slot), missing if place == len(slots) - 1 else 0) for place, of_slot in enumerate(slots))


def made(*slots: list[RunSnapshot], **fields: Any) -> Report:
    return report(
        *comparison(*slots, **fields), PriceList([Price.from_dict({"model": "local/pydoc", "input": "1", "output": "2"})]), made_at=START
    )


def repeats(said: str, count: int, **fields: Any) -> list[RunSnapshot]:
    return [run(asked=body(**fields), text=f"{said} {number}") for number in range(count)]


def test_json_has_requests_as_sent_outputs_figures_and_verdicts_and_can_be_read_back():
    whole = made(repeats("a", 5, temperature=0.2), repeats("quite another", 5, temperature=0.9, top_p=None), name="Pair", missing=2)
    data = json.loads(to_json(whole))
    first, second = data["slots"]
    assert [StoredRun.from_json(line).snapshot for line in second["runs"]] == list(whole.slots[1].runs.found)
    assert second["runs"][0]["sent"] == whole.slots[1].runs.found[0].sent.decode()
    assert second["differences"][0] == {"path": "temperature", "text": "temperature 0.2 → 0.9", "before": 0.2, "after": 0.9}
    assert second["differences"][1] == {"path": "top_p", "text": "top_p not sent → null", "after": None}
    assert (second["figures"]["total"]["n"], second["missing_runs"], second["noise_floor"]["differs"]) == (5, 2, True)
    assert (first["verdicts"], "differs from A" in second["verdicts"][0]) == ([], True)
    assert parse_document(data["document"]).board == whole.comparison.board


def test_report_has_settings_figures_with_intervals_verdicts_and_every_output():
    said = to_markdown(made(repeats("one", 4), repeats("two", 4, temperature=0.9), name="A | B", note="seen\ntwice", missing=1))
    assert said.startswith("# A \\| B\n")
    assert "| B | local/pydoc | temperature not sent → 0.9 |" in said
    assert "| A | 4 of 4 | 300 ms |" in said
    assert "B differs from A by more than they differ from themselves (k = 4" in said
    assert "1 of 5 runs is missing" in said
    assert all(f"{slot} {number}" in said for slot in ("one", "two") for number in range(4))


def test_sweeps_are_in_every_file_of_the_comparison():
    whole = replace(made([run()], [run()]), sweeps=(two_axes(),))
    assert json.loads(to_json(whole))["sweeps"][0]["cells"][0]["figures"]["total"]["median"] == 1.5
    charts = {f"Sweep 1, {two_axes().name}: total": PNG}
    assert f"## Sweep: {two_axes().name}" in to_markdown(whole)
    with zipfile.ZipFile(io.BytesIO(to_zip(whole, charts))) as archive:
        names = archive.namelist()
        assert names[:2] == ["comparison.md", "comparison.json"]
        assert names[2].startswith("sweeps/01-sweep-")
        assert archive.read(names[2]).decode().splitlines()[1].startswith("0.2,0.5,[],1,finished,1,a,stop,")
        assert archive.read(names[3]) == PNG
        assert f"]({names[3]})" in archive.read("comparison.md").decode()


def test_what_could_not_be_read_is_said_at_the_top_of_every_file():
    whole = replace(made([run()], [run()]), left_out=("Sweeps are left out | the disk is full.",))
    assert json.loads(to_json(whole))["left_out"] == ["Sweeps are left out | the disk is full."]
    said = to_markdown(whole)
    assert said.index("**Sweeps are left out \\| the disk is full.**") < said.index("## ")
    assert json.loads(to_json(made([run()], [run()])))["left_out"] == []


def test_verdicts_on_figures_votes_and_determinism_are_in_every_file():
    slots = (
        repeats("one", 5),
        [run(asked=body(temperature=0.9), text=f"two {n}", usage=parse_usage({"completion_tokens": 90})) for n in range(5)],
    )
    of = comparison(*slots)[0]
    shown = candidates(of.board)
    whole = made(*slots, parts={PART: [Vote(START, shown, shown[1], ("a", "b")).to_json()]})
    said = to_markdown(whole)
    assert "- B against A: tokens out +85, +1700 % (+85 to +85)." in said
    assert "- Blind votes: B was picked in 1 of 1 vote (95 % interval 21 % to 100 %): not settled" in said
    assert json.loads(to_json(whole))["verdicts"] == [*whole.verdicts]
    checked = made([run(asked=body(seed=1), text="same") for _ in range(3)], [run(asked=body(seed=1), text=f"{n}") for n in range(3)])
    assert "- A: identical, 3 of 3 answers with seed 1." in to_markdown(checked)
    assert "3 different answers of 3 with seed 1" in json.loads(to_json(checked))["slots"][1]["verdicts"][0]
    assert checked.verdicts == ()


def test_identical_outputs_stand_there_once_with_their_numbers():
    same = [run(text="always the same") for _ in range(3)]
    said = to_markdown(made([*same, run(text="but once")], [run()]))
    assert said.count("always the same") == 1
    assert "runs 1 to 3, identical: finished" in said
    assert "run 4: finished" in said


def test_failed_run_says_why_and_a_slot_that_was_edited_since_says_so():
    refused = run(status="failed", choices={}, error=RunError("router_rejected", "The router said no.", "Try later."), asked=body(seed=2))
    one, runs = comparison([run(asked=body(seed=1))], [refused])
    board = one.board.with_slot(1, replace(one.board.slots[1], draft={"body": body(seed=7, top_p=0.1), "extra": ""}))
    whole = report(replace(one, board=board), runs, PriceList(), made_at=START)
    assert [slot.edited for slot in whole.slots] == [False, True]
    said = to_markdown(whole)
    assert "**The router said no.** Try later." in said
    assert "Edited after it ran, so that the figures are of other settings: B." in said


def test_seed_that_was_edited_is_an_edit_and_one_that_may_have_counted_up_is_none():
    sent = run(asked=body(seed=2))
    assert was_edited(body(seed=3), SlotRuns((sent,)))
    assert not was_edited(body(seed=1), SlotRuns((sent,), missing=1))
    check = SlotRuns(tuple(run(asked=body(seed=1)) for _ in range(3)))
    assert not was_edited(body(), check)
    assert was_edited(body(seed=4), check)
    assert was_edited(body(temperature=0.3), check)
    assert not was_edited(body(seed=2, cache={"type": "exact_match"}), SlotRuns((sent,)))
    assert not was_edited(body(seed=2), SlotRuns(()))


def test_outputs_and_names_cannot_become_markup():
    said = to_markdown(
        made([run(text=EVIL, asked=body(prompt=EVIL))], [run(choices={0: ChoiceText(EVIL, "<b>"), 1: ChoiceText("", None)})], name=EVIL)
    )
    tokens = MarkdownIt("commonmark").enable("table").parse(said)
    assert not [one for one in tokens if one.type in ("html_block",)]
    assert not [child for one in tokens for child in one.children or () if child.type == "html_inline"]
    assert [one.content for one in tokens if one.type == "fence" and "heading" in one.content and "{" not in one.content] == [
        EVIL + "\n"
    ] * 3
    assert [one.tag for one in tokens if one.type == "heading_open"].count("h1") == 1


@given(st.text(alphabet="`~a \n", max_size=60))
def test_fence_is_closed_by_nothing_in_it(value: str):
    (token,) = MarkdownIt("commonmark").parse("\n".join(fenced(value)))
    assert (token.type, token.content) == ("fence", value + "\n")


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=40))
def test_text_is_shown_literally(value: str):
    (paragraph, inline, _end) = MarkdownIt("commonmark").parse(f"x {text(value)} x")
    assert paragraph.type == "paragraph_open"
    assert {child.type for child in inline.children or ()} <= {"text", "text_special"}


def test_charts_are_embedded_or_lie_beside_the_report():
    whole = made([run()], [run()])
    assert "![First token](data:image/png;base64," in to_markdown(whole, {"First token": PNG})
    with zipfile.ZipFile(io.BytesIO(to_zip(whole, {"First token": PNG}))) as archive:
        assert sorted(archive.namelist()) == ["charts/01-first-token.png", "comparison.json", "comparison.md"]
        assert archive.read("charts/01-first-token.png") == PNG
        assert "![First token](charts/01-first-token.png)" in archive.read("comparison.md").decode()
        assert json.loads(archive.read("comparison.json"))["id"] == "c-1"


@pytest.mark.parametrize("slots", [1, 8])
def test_comparison_that_was_not_run_is_reported_too(slots: int):
    board = opened([body(seed=number) for number in range(slots)], ["" for _ in range(slots)])
    board = replace(board, slots=tuple(replace(slot, runs=()) for slot in board.slots))
    whole = report(Comparison("c", board, START, START), [SlotRuns(()) for _ in range(slots)], PriceList(), made_at=START)
    assert to_markdown(whole).count("No runs.") == slots
    assert len(json.loads(to_json(whole))["slots"]) == slots
