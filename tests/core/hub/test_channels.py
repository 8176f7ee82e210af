"""Cursors, readers and channels, without a network."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.connection import Connection
from core.contract.response import Choice, CompletionChunk
from core.hub import hub as hub_module
from core.hub.channels import Attachment, Channel, Numbers, Reader, format_cursor, parse_cursor
from core.hub.hub import Hub, HubFull
from core.piece_log import PieceLog, SurrogateJoiner
from core.run import Run, RunStatus

PIECES = st.lists(st.tuples(st.integers(0, 2), st.text(min_size=1, max_size=4)), max_size=60)
CURSORS = st.dictionaries(st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=6), st.integers(0, 10**9), max_size=8)


def chunk(*choices: Choice) -> CompletionChunk:
    return CompletionChunk("id", None, None, None, None, choices, None, {})


def new_run(run_id: str = "r") -> Run:
    run = Run(run_id, "a", {"model": "m"}, b"{}", Connection("c", "local", "http://127.0.0.1:1", "/"))
    run.leave()
    return run


def whole(pieces: list[tuple[int, str]]) -> dict[int, str]:
    texts: dict[int, str] = {}
    for choice, text in pieces:
        texts[choice] = texts.get(choice, "") + text
    return texts


@given(CURSORS)
def test_a_cursor_survives_its_text(cursor: dict[str, int]) -> None:
    assert parse_cursor(format_cursor(cursor)) == cursor


@given(st.text(string.printable))
def test_what_is_no_cursor_has_seen_nothing(text: str) -> None:
    assert all(seen >= 0 for seen in parse_cursor(text).values())


def test_numbers_are_never_given_twice() -> None:
    numbers = Numbers()
    assert len({numbers.take() for _ in range(1000)}) == 1000


@given(PIECES, st.lists(st.integers(1, 12)), st.booleans())
def test_a_log_read_in_any_steps_gives_the_whole_text_once(pieces: list[tuple[int, str]], limits: list[int], packed: bool) -> None:
    log = PieceLog()
    for choice, text in pieces:
        log.append(choice, text)
    reading = log.packed() if packed else log
    got: dict[int, str] = {}
    at = 0
    for limit in [*limits, *([10**9] * len(pieces))]:
        texts, reached = reading.since(at, limit)
        assert reached > at or at == len(pieces)
        at = reached
        for choice, text in texts.items():
            got[choice] = got.get(choice, "") + text
    assert got == whole(pieces) == dict(reading.texts())
    assert at == len(pieces) == len(reading)


@given(PIECES, st.lists(st.tuples(st.integers(0, 10), st.booleans(), st.booleans()), max_size=40))
def test_readers_that_come_and_go_lose_and_double_nothing(pieces: list[tuple[int, str]], steps: list[tuple[int, bool, bool]]) -> None:
    """Each step: so many pieces arrive; the reader takes what there is; it loses its connection, or the event it was just sent."""
    channel, run = Channel("c", 0), new_run()
    channel.show(Attachment("n1", "a", run))
    left = list(pieces)
    reader = Reader(channel, str)
    cursor, got, ends = "", dict[int, str](), 0

    def take() -> None:
        nonlocal cursor, ends
        for event in reader.take():
            if event.name == "":
                for key, text in event.data.items():
                    choice = int(key.partition(".")[2] or 0)
                    got[choice] = got.get(choice, "") + text
            ends += event.name == "end"
            cursor = event.cursor if event.cursor is not None else cursor

    for arriving, takes, reconnects in [*steps, (len(pieces), True, True)]:
        for choice, text in left[:arriving]:
            run.add(chunk(Choice(choice, text)))
        del left[:arriving]
        if takes:
            take()
        if reconnects:
            reader = Reader(channel, str, parse_cursor(cursor))
    run.end("finished")
    take()
    reader = Reader(channel, str, parse_cursor(cursor))
    take()
    assert got == whole(pieces)
    assert ends == 1
    assert reader.done


def test_an_unread_event_is_sent_again_after_a_reconnect() -> None:
    channel, run = Channel("c", 0), new_run()
    channel.show(Attachment("n1", "a", run))
    run.add(chunk(Choice(0, "lost on the way")))
    Reader(channel, str).take()
    again = Reader(channel, str, parse_cursor("")).take()
    assert [event.data for event in again if event.name == ""] == [{"a": "lost on the way"}]


def test_a_cursor_from_another_time_counts_as_nothing_seen() -> None:
    channel, run = Channel("c", 0), new_run()
    channel.show(Attachment("n1", "a", run))
    run.add(chunk(Choice(0, "text")))
    for cursor in ("n1:500", "zz:1", "garbage", "n1:-3"):
        events = Reader(channel, str, parse_cursor(cursor)).take()
        assert [event.data for event in events if event.name == ""] == [{"a": "text"}]


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


@given(st.text(st.characters(codec="utf-8")), st.data())
def test_halves_are_joined_wherever_a_text_is_split(text: str, data: st.DataObject) -> None:
    units = text.encode("utf-16-le", "surrogatepass")
    joiner, out, at = SurrogateJoiner(), "", 0
    while at < len(units):
        step = 2 * data.draw(st.integers(1, 3))
        out += joiner.join(0, "".join(chr(int.from_bytes(units[i : i + 2], "little")) for i in range(at, min(at + step, len(units)), 2)))
        at += step
    assert out + "".join(rest for _, rest in joiner.rest()) == text


async def test_channels_nobody_follows_are_forgotten_and_their_number_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    hub = Hub(clock=lambda: now[0])
    old = hub.channel("old")
    now[0] = hub_module.CHANNEL_IDLE_S + 1
    hub.channel("new")
    assert hub.channel("old") is not old
    monkeypatch.setattr(hub_module, "MAX_CHANNELS", 3)
    for name in "pqrs":
        now[0] += 1
        hub.channel(name)
    assert hub.load["channels"] == 3
    for name in "qrs":
        hub.channel(name).readers.add(Reader(hub.channel(name), str))
    with pytest.raises(HubFull):
        hub.channel("one more")
