"""What a run makes of what arrives, and of its end."""

from __future__ import annotations

import pytest

from core.contract.response import Choice
from core.run import RunStatus
from tests.core.new_runs import chunk, new_run


def test_a_finish_reason_is_told_early_only_where_null_came_before() -> None:
    run = new_run()
    run.add(chunk(Choice(0, "a", "stop"), Choice(1, "b", None)))
    assert run.told_finish == {}
    run.add(chunk(Choice(0, "c", "stop"), Choice(1, "", "length")))
    assert run.told_finish == {1: "length"}
    run.end("finished")
    assert run.told_finish == {0: "stop", 1: "length"}


def test_a_stopped_run_has_only_the_finish_reasons_that_meant_something() -> None:
    run = new_run()
    run.add(chunk(Choice(0, "a", "stop"), Choice(1, "b", None)))
    run.add(chunk(Choice(0, "c", "stop"), Choice(1, "", "length")))
    run.end("stopped")
    assert {index: choice.finish_reason for index, choice in run.snapshot().choices.items()} == {0: None, 1: "length"}


@pytest.mark.parametrize("status", ["stopped", "failed", "interrupted"])
def test_a_finish_reason_on_every_frame_is_not_believed_when_the_stream_did_not_end_well(status: RunStatus) -> None:
    run = new_run()
    run.add(chunk(Choice(0, "a", "stop"), Choice(1, "b", None)))
    run.add(chunk(Choice(0, "c", "stop"), Choice(1, "", "length")))
    run.end(status)
    assert run.told_finish == {1: "length"}
    assert run.snapshot().choices[0].finish_reason is None


def test_an_ended_run_never_changes() -> None:
    run = new_run()
    run.end("stopped")
    with pytest.raises(ValueError, match="stopped"):
        run.move("streaming")
    with pytest.raises(ValueError, match="closed"):
        run.log.append(0, "more")


def test_an_emoji_in_two_pieces_is_one_emoji_and_half_of_one_is_marked() -> None:
    run = new_run()
    for text in ("a\ud83d", "\ude00b", "\ud83d"):
        run.add(chunk(Choice(0, text)))
    run.end("finished")
    assert run.snapshot().text == "a\U0001f600b\ufffd"
