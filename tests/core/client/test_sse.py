"""The decoder: the rules of server-sent events, at every split, in linear time."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.client.sse import MAX_EVENT_BYTES, Event, EventDecoder, FrameTooLarge
from tests.core.client.byte_server import Recording, recordings

STREAMS = list({item.body: item for item in reversed(recordings("text/event-stream")) if item.body}.values())[::-1]


def decode(pieces: Iterable[bytes]) -> list[Event]:
    decoder = EventDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.end()


def texts(body: bytes) -> list[bytes]:
    return [event.data for event in decode([body])]


@pytest.mark.parametrize("recorded", STREAMS, ids=lambda item: item.case)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
def test_every_recorded_stream_gives_the_same_events_at_every_byte_split(recorded: Recording, line_end: bytes) -> None:
    body = recorded.body.replace(b"\r\n", b"\n").replace(b"\n", line_end)
    whole = decode([recorded.body])
    assert decode([body]) == whole
    assert decode(body[at : at + 1] for at in range(len(body))) == whole
    for at in range(len(body) + 1):
        assert decode([body[:at], body[at:]]) == whole


def test_a_recorded_stream_gives_its_frames_and_not_its_end() -> None:
    (recorded,) = (item for item in STREAMS if item.case.startswith("03_"))
    events = decode([recorded.body])
    assert len(events) == recorded.body.count(b"data: {")
    assert all(event.data.startswith(b"{") and event.event == "message" for event in events)


LINES = st.sampled_from(
    [
        *(b"data: one", b"data:two", b"data:  three", b"data", b"data:", b'data: {"a": "\xc3\xa9\xf0\x9f\x98\x80"}', b'data: {"b": 1}'),
        *(b": comment", b":", b"event: error", b"event:", b"id: 7", b"id", b"retry: 500", b"unknown: x", b"", b"", b""),
    ]
)


@given(st.lists(LINES, max_size=24), st.randoms(use_true_random=False), st.booleans())
@example([b'data: {"a": 1}', b"", b"", b'data: {"b": 2}', b""], random.Random(0), True)
def test_any_split_and_any_line_ending_give_the_events_of_the_lines(lines: list[bytes], chance: random.Random, mark: bool) -> None:
    body = (b"\xef\xbb\xbf" if mark else b"") + b"".join(line + chance.choice([b"\n", b"\r\n", b"\r"]) for line in lines)
    cuts = sorted(chance.randrange(len(body) + 1) for _ in range(chance.randrange(6)))
    pieces = [body[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert decode(pieces) == by_the_book(endings_kept(body, mark))


def endings_kept(body: bytes, mark: bool) -> list[bytes]:
    """The lines a text with mixed endings really has: a CR before an empty line's LF is one CRLF with it."""
    text = body[3 if mark else 0 :].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text.split(b"\n")[:-1]


def by_the_book(lines: list[bytes]) -> list[Event]:
    """The standard's own algorithm, a line at a time, and our blank line at the end."""
    events, data, kind, ident = [], list[bytes](), "", ""
    for line in [*lines, b""]:
        name, _, value = line.partition(b":")
        value = value[1:] if value.startswith(b" ") else value
        if not line:
            joined = b"\n".join(data)
            if joined.strip():
                events.append(Event(joined, kind or "message", ident))
            data, kind = [], ""
        elif name == b"data":
            data.append(value)
        elif name == b"event":
            kind = value.decode()
        elif name == b"id":
            ident = value.decode()
    return events


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data:a\n\n", [b"a"]),
        (b"data:  a\n\n", [b" a"]),
        (b": ping\n\ndata: a\n\n", [b"a"]),
        (b"event: ping\n\n", []),
        (b"id: 7\n\n", []),
        (b"id: 7\n\n\n\ndata: a\n\n", [b"a"]),
        (b"retry: 500\n\n", []),
        (b"data\n\n", []),
        (b"data:\n\n", []),
        (b"data:  \n\n", []),
        (b"\n\n\n", []),
        (b"", []),
        (b"data: a", [b"a"]),
        (b"data: a\n", [b"a"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"\xef\xbb\xbf", []),
        (b"data: a\n\n\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data: a\n\ndata: [DONE]\n\ndata: b\n\n", [b"a"]),
        (b'data: {"a": 1}\n\ndata: [DONE]\n\ndata: {"b": 2}\n\n', [b'{"a": 1}']),
        (b"data:[DONE]\n\ndata: b\n\n", []),
        (b"data: [DONE] \n\ndata: b\n\n", []),
        (b"data: a\n\ndata: [DONE]", [b"a"]),
        (b'data: {\ndata: "a": 1}\n\n', [b'{\n"a": 1}']),
        (b'data: {"a": 1}\nevent: x\n\n', [b'{"a": 1}']),
    ],
)
def test_rules_of_the_grammar(body: bytes, expected: list[bytes]) -> None:
    assert texts(body) == expected


def test_an_event_has_its_name_and_the_last_id_and_the_next_has_no_name() -> None:
    assert decode([b'id: 7\nevent: error\ndata: a\n\ndata: {"b": 1}\n\nid: x\0y\ndata: c\n\n']) == [
        Event(b"a", "error", "7"),
        Event(b'{"b": 1}', "message", "7"),
        Event(b"c", "message", "7"),
    ]


def test_a_byte_order_mark_counts_only_at_the_start() -> None:
    assert decode([b"\xef", b"\xbb", b"\xbf", b"data: a\n\n"]) == [Event(b"a")]
    assert texts(b"data: a\n\n\xef\xbb\xbfdata: b\n\ndata: c\n\n") == [b"a", b"c"]
    assert decode([b"\xef\xbb", b"data: a\n\n"]) == []


def test_a_frame_is_out_as_soon_as_its_blank_line_is_in() -> None:
    decoder = EventDecoder()
    assert decoder.feed(b'data: {"a": 1}\r') == []
    assert decoder.feed(b"\n") == []
    assert decoder.feed(b"\r") == [Event(b'{"a": 1}')]
    assert decoder.feed(b'\ndata: {"b": 2}\n\n') == [Event(b'{"b": 2}')]
    assert decoder.end() == []


def test_done_is_told_and_nothing_comes_after_it() -> None:
    decoder = EventDecoder()
    assert not decoder.done
    assert decoder.feed(b"data: [DONE]\n\ndata: a\n\n") == []
    assert decoder.done
    assert decoder.feed(b'data: {"b": 1}\n\n') == []
    assert decoder.end() == []


LIMIT = 64


def feed(decoder: EventDecoder, body: bytes, step: int, events: list[Event]) -> None:
    """Feeds ``body`` in pieces of ``step`` bytes and appends what comes to ``events``."""
    for at in range(0, len(body), step):
        events += decoder.feed(body[at : at + step])


@pytest.mark.parametrize("field", [b"data: {", b": ", b"data: "])
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_a_line_over_the_limit_is_refused_at_any_split_and_what_stood_before_it_is_kept(field: bytes, step: int) -> None:
    longest = (field + b"x" * LIMIT)[:LIMIT]
    body = longest + b'\n\ndata: {"b": 2}\n\n' + longest + b'x\n\ndata: {"c": 3}\n\n'
    events: list[Event] = []
    with pytest.raises(FrameTooLarge, match=f"longer than {LIMIT}") as caught:
        feed(EventDecoder(max_event_bytes=LIMIT), body, step, events)
    events += caught.value.events
    before = [] if field == b": " else [longest[6:]]
    assert [event.data for event in events] == [*before, b'{"b": 2}']


@pytest.mark.parametrize("step", [1, 9, 10_000])
def test_an_event_of_many_lines_is_refused_when_their_sum_is_over_the_limit(step: int) -> None:
    body = b"data: 12345678\n" * 8  # eight times eight and seven line feeds
    with pytest.raises(FrameTooLarge):
        feed(EventDecoder(max_event_bytes=70), body, step, [])
    events: list[Event] = []
    feed(EventDecoder(max_event_bytes=71), body + b"\n", step, events)
    assert [len(event.data) for event in events] == [71]


def test_ten_megabytes_without_a_line_end_are_refused_at_eight() -> None:
    decoder = EventDecoder()
    feed(decoder, b"x" * MAX_EVENT_BYTES, 65_536, [])
    with pytest.raises(FrameTooLarge, match="8,388,608 bytes"):
        decoder.feed(b"x")


def test_comments_are_not_summed_up() -> None:
    decoder = EventDecoder(max_event_bytes=LIMIT)
    for _ in range(100):
        assert decoder.feed(b": still there\n") == []
    assert decoder.feed(b"\ndata: a\n\n") == [Event(b"a")]


@pytest.mark.parametrize(
    ("what", "make"),
    [
        ("one long line", lambda size: [b"data: "] + [b"x" * 8] * (size // 8) + [b"\n\n"]),
        ("one event of many short lines", lambda size: [b"data: x\n"] * (size // 8) + [b"\n"]),
        ("many blank lines", lambda size: [b"\n" * 8] * (size // 8)),
        ("many carriage returns", lambda size: [b"\r"] * (size // 8)),
        ("all of it in one feed", lambda size: [b"data: x\n" * (size // 8) + b"\n"]),
    ],
)
def test_time_is_linear_in_the_bytes(what: str, make: object) -> None:
    """Eight times the bytes must not take sixty-four times the time; half of that leaves room for a busy machine."""

    def took_s(size: int) -> float:
        pieces = make(size)  # type: ignore[operator]
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            decode(pieces)
            best = min(best, time.process_time() - began)
        return best

    assert took_s(8 * 65_536) < 32 * took_s(65_536), what
