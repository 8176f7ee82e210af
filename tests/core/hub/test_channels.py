"""Cursors, readers and channels, without a network."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from core.contract.response import Choice
from core.hub.channels import Attachment, Channel, Numbers, Reader, format_cursor, parse_cursor
from tests.core.new_runs import chunk, new_run, whole

PIECES = st.lists(st.tuples(st.integers(0, 2), st.text(min_size=1, max_size=4)), max_size=60)
CURSORS = st.dictionaries(st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=6), st.integers(0, 10**9), max_size=8)


@given(CURSORS)
def test_a_cursor_survives_its_text(cursor: dict[str, int]) -> None:
    assert parse_cursor(format_cursor(cursor)) == cursor


@given(st.text(string.printable))
def test_what_is_no_cursor_has_seen_nothing(text: str) -> None:
    assert all(seen >= 0 for seen in parse_cursor(text).values())


def test_numbers_are_never_given_twice() -> None:
    numbers = Numbers()
    assert len({numbers.take() for _ in range(1000)}) == 1000


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
