"""Bursts of messages, with Streamlit's own ForwardMsg as it is serialized, on an ASGI connection that notes what was sent."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from core.message_bursts import MOST_HELD, NOTHING_NEW, Burst, Message, MessageBursts, fields, kind


def forwarded(**fields_of_it: Any) -> bytes:
    """A ForwardMsg as Streamlit sends it, with metadata."""
    message = ForwardMsg(**fields_of_it)
    message.metadata.active_script_hash = "f" * 32
    return message.SerializeToString()


BEGINS = forwarded(new_session={"name": "shell"})
RUNS = ForwardMsg(session_status_changed={"script_is_running": True}).SerializeToString()
DRAWS = forwarded(hash="0123", delta={"new_element": {"markdown": {"body": "hello"}}})
ENDS = forwarded(script_finished=ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
GIVES_WAY = forwarded(script_finished=ForwardMsg.FINISHED_EARLY_FOR_RERUN)
IDLES = ForwardMsg(session_status_changed={"run_on_save": True, "script_is_running": False}).SerializeToString()
STILL = ForwardMsg(session_status_changed={}).SerializeToString()


class Wire:
    """Notes the payloads that were sent; ``broken`` refuses all, as a server does whose client is gone."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.broken = False
        self._called = asyncio.Event()

    async def send(self, message: Message) -> None:
        self._called.set()
        if self.broken:
            raise OSError("the client is gone")
        await asyncio.sleep(0)
        self.sent.append(message.get("bytes") or str(message["type"]).encode())

    async def called(self, times: int = 1) -> None:
        """Wait until something is sent, or so many things are."""
        async with asyncio.timeout(30):
            while len(self.sent) < times and not (self.broken and self._called.is_set()):
                await self._called.wait()
                await asyncio.sleep(0)


def message(payload: bytes) -> Message:
    return {"type": "websocket.send", "bytes": payload}


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.mark.parametrize("idle", [IDLES, STILL])
async def test_a_run_leaves_in_one_burst_behind_a_message_that_changes_nothing(wire: Wire, idle: bytes):
    burst = Burst(wire.send, hold_s=60)
    for payload in (BEGINS, RUNS, DRAWS, DRAWS, ENDS):
        await burst.send(message(payload))
        assert wire.sent == []
    await burst.send(message(idle))
    assert wire.sent == [NOTHING_NEW, BEGINS, RUNS, DRAWS, DRAWS, ENDS, idle]
    burst.drop()


async def test_a_run_that_another_one_follows_leaves_with_that(wire: Wire):
    burst = Burst(wire.send, hold_s=60)
    for payload in (BEGINS, RUNS, GIVES_WAY, IDLES, BEGINS, RUNS, DRAWS, ENDS):
        await burst.send(message(payload))
    assert wire.sent == []
    await burst.send(message(IDLES))
    assert wire.sent == [NOTHING_NEW, BEGINS, RUNS, GIVES_WAY, IDLES, BEGINS, RUNS, DRAWS, ENDS, IDLES]


async def test_what_belongs_to_no_run_passes_at_once_and_alone(wire: Wire):
    burst = Burst(wire.send, hold_s=60)
    for payload in (IDLES, DRAWS, NOTHING_NEW, b"", b"\xff\xff"):
        await burst.send(message(payload))
    await burst.send({"type": "websocket.close"})
    assert wire.sent == [IDLES, DRAWS, NOTHING_NEW, b"websocket.send", b"\xff\xff", b"websocket.close"]


async def test_a_long_run_is_shown_as_it_comes(wire: Wire):
    burst = Burst(wire.send, hold_s=0.01)
    await burst.send(message(BEGINS))
    await burst.send(message(RUNS))
    await wire.called(3)
    await burst.send(message(DRAWS))
    await wire.called(4)
    await burst.send(message(IDLES))
    assert wire.sent == [NOTHING_NEW, BEGINS, RUNS, DRAWS, IDLES]


async def test_closing_sends_what_is_held_back_before(wire: Wire):
    burst = Burst(wire.send, hold_s=60)
    await burst.send(message(BEGINS))
    await burst.send({"type": "websocket.close"})
    assert wire.sent == [NOTHING_NEW, BEGINS, b"websocket.close"]


async def test_no_more_than_so_many_messages_are_held_back(wire: Wire):
    burst = Burst(wire.send, hold_s=60)
    for _ in range(MOST_HELD):
        await burst.send(message(BEGINS))
    assert len(wire.sent) == MOST_HELD + 1


async def test_a_connection_that_broke_meanwhile_fails_the_next_message(wire: Wire):
    burst = Burst(wire.send, hold_s=0.001)
    wire.broken = True
    await burst.send(message(BEGINS))
    await wire.called()
    with pytest.raises(OSError, match="the client is gone"):
        await burst.send(message(DRAWS))


async def test_nothing_is_sent_after_the_connection_ended(wire: Wire):
    async def ended(_scope: Message, _receive: Any, send: Any) -> None:
        await send(message(BEGINS))

    await MessageBursts(ended, hold_s=0.001)({"type": "websocket", "path": "/_stcore/stream"}, wire.send, wire.send)  # type: ignore[arg-type]
    await asyncio.sleep(0.01)  # ten times as long as it would have been held back
    assert wire.sent == []


@pytest.mark.parametrize("scope", [{"type": "http", "path": "/_stcore/stream"}, {"type": "websocket", "path": "/elsewhere"}])
async def test_other_connections_are_left_alone(wire: Wire, scope: Message):
    given_to: list[Any] = []

    async def app(_scope: Message, _receive: Any, send: Any) -> None:
        given_to.append(send)

    await MessageBursts(app)(scope, wire.send, wire.send)  # type: ignore[arg-type]
    assert given_to == [wire.send]


def test_the_message_that_changes_nothing_is_streamlits_own():
    assert ForwardMsg(heartbeat_ack=True).SerializeToString() == NOTHING_NEW


@pytest.mark.parametrize("name", [field.name for field in ForwardMsg.DESCRIPTOR.oneofs_by_name["type"].fields])
def test_every_kind_of_message_is_told_by_its_field(name: str):
    whole = ForwardMsg(hash="0123")
    whole.metadata.delta_path.extend([0, 300])
    field = ForwardMsg.DESCRIPTOR.fields_by_name[name]
    if field.message_type is not None:
        getattr(whole, name).SetInParent()
    else:
        setattr(whole, name, "0123" if field.type == field.TYPE_STRING else 1)
    found = kind(whole.SerializeToString())
    assert found is not None
    assert found[0] == field.number


@given(st.binary(max_size=200))
def test_bytes_that_are_no_message_are_read_without_an_error(data: bytes):
    assert all(number >= 0 for number, _ in fields(data))
