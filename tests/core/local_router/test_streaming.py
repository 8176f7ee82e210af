from __future__ import annotations

import asyncio

from starlette.types import Message

from core.local_router.streaming import EventStream
from tests.core.local_router.fakes import Bench, ScriptedModel


async def test_client_that_leaves_before_the_headers_are_out_stops_the_model():
    bench = Bench(a=ScriptedModel(["one two"]))
    answer = await bench.begin(stream=True)

    async def leave() -> Message:
        return {"type": "http.disconnect"}

    async def stuck(_message: Message) -> None:
        await asyncio.Event().wait()

    await EventStream(answer, 1, None, {})({"type": "http"}, leave, stuck)
    assert bench.models["a"].closed == 1
    assert bench.traces[-1].state == "cancelled"
