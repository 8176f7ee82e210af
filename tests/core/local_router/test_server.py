from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import Future

import httpx
import pytest

from core.local_router import server
from core.local_router.answer import Answer, Call, Model, Piece
from core.local_router.api_error import ApiError
from core.local_router.catalog import Models
from core.local_router.models import corpus, pydoc
from core.local_router.models.ngram import LearnedText
from core.local_router.server import LocalRouter
from tests.core.local_router.conftest import KEY
from tests.core.local_router.sse import frames, texts
from tests.support.conditions import eventually

PATH = "/v2/router/completions"
ENDLESS = {"model": "local/pydoc-1", "prompt": "A class", "stream": True, "n": 16, "max_tokens": 100_000, "temperature": 0}


def authorised(router: LocalRouter) -> dict[str, str]:
    return {"Authorization": f"Bearer {router.api_key.get_secret_value()}"}


def under_way(router: LocalRouter) -> int:
    return int(httpx.get(f"{router.base_url}/healthz").json()["under_way"])


def test_each_router_makes_a_key_of_its_own_and_shows_it_nowhere():
    first, second = LocalRouter(), LocalRouter()
    key = first.api_key.get_secret_value()
    assert len(key) >= 32
    assert key != second.api_key.get_secret_value()
    assert key not in repr(first) + str(vars(first))


def test_start_takes_requests_at_once_and_returns_quickly():
    def start_s() -> float:
        begun = time.perf_counter()
        with LocalRouter().running():
            return time.perf_counter() - begun

    assert any(start_s() < 0.2 for _ in range(5))  # one of five, for other tests run beside this one
    router = LocalRouter()
    router.start()
    try:
        answer = httpx.post(router.base_url + PATH, json={"model": "local/pydoc", "prompt": "A"}, headers=authorised(router), timeout=30)
        assert answer.status_code == 200
    finally:
        router.stop()


async def test_request_that_comes_before_the_model_has_learned_waits_for_it(learned: LearnedText):
    future: Future[LearnedText] = Future()
    model = pydoc.PydocModel(8, 0, lambda: future)
    asked = asyncio.create_task(model.answer(pydoc.Call("local/pydoc", {"prompt": "A class"}, "")))
    await asyncio.wait([asked], timeout=0.05)
    assert not asked.done()
    future.set_result(learned)
    assert (await asked).prompt_tokens == 2


async def test_request_given_up_while_the_model_learns_does_not_end_the_learning(monkeypatch: pytest.MonkeyPatch):
    may_learn = threading.Event()

    def slow_topics() -> tuple[str, ...]:
        may_learn.wait(10)
        return ("a b c",)

    monkeypatch.setattr(corpus, "topics", slow_topics)
    future = pydoc._learning.__wrapped__()
    model = pydoc.PydocModel(8, 0, lambda: future)
    given_up = asyncio.create_task(model.answer(pydoc.Call("local/pydoc", {"prompt": "a"}, "")))
    await asyncio.wait([given_up], timeout=0.05)
    given_up.cancel()
    await asyncio.wait([given_up])
    may_learn.set()
    assert (await model.answer(pydoc.Call("local/pydoc", {"prompt": "a b"}, ""))).prompt_tokens == 2


async def test_python_without_the_reference_is_told():
    future: Future[LearnedText] = Future()
    future.set_exception(ModuleNotFoundError("No module named 'pydoc_data'", name="pydoc_data"))
    with pytest.raises(ApiError, match="lacks pydoc_data") as raised:
        await pydoc.PydocModel(8, 0, lambda: future).answer(pydoc.Call("local/pydoc", {"prompt": "a"}, ""))
    assert raised.value.status == 503


def broken_find(_models: Models, _model: str) -> Model:
    raise ZeroDivisionError("a bug")


class BreakingModel:
    async def answer(self, call: Call) -> Answer:
        async def batches() -> AsyncGenerator[Sequence[Piece], None]:
            yield [Piece(0, "text", None, 1)]
            raise ZeroDivisionError("a bug")

        return Answer(call.model, "f", 1, batches())


def test_bug_is_answered_in_the_contracts_form_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, client: httpx.Client
):
    monkeypatch.setattr(Models, "find", broken_find)
    answer = client.post(PATH, json={"model": "local/pydoc", "prompt": "A"})
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "a bug" not in answer.text
    with httpx.Client(base_url=client.base_url, headers=client.headers) as another:  # the server closes a bug's connection, at any moment
        trace = another.get(f"/v2/router/traces/{answer.headers['x-router-request-id']}").json()
    assert (trace["state"], trace["status"]) == ("failed", 500)
    eventually(lambda: "ZeroDivisionError" in caplog.text, what="the log to tell")


def test_bug_in_the_middle_of_a_stream_cuts_it_and_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, client: httpx.Client
):
    monkeypatch.setattr(Models, "find", lambda _models, _model: BreakingModel())
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(PATH, json={"model": "local/pydoc", "prompt": "A", "stream": True})
    eventually(lambda: "ZeroDivisionError" in caplog.text, what="the log to tell")


def test_rehearsed_cut_is_not_logged(caplog: pytest.LogCaptureFixture, client: httpx.Client):
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(PATH, json={"model": "rehearsal/cut-after-1", "prompt": "A", "stream": True})
    eventually(lambda: client.get("/healthz").json()["under_way"] == 0, what="the answer to end")
    assert "ASGI" not in caplog.text


def test_starting_and_stopping_twice_does_nothing():
    router = LocalRouter()
    router.start()
    address = router.base_url
    router.start()
    assert router.base_url == address
    router.stop()
    router.stop()


def test_stop_frees_the_port_and_start_serves_again():
    router = LocalRouter()
    with router.running():
        port = int(router.base_url.rpartition(":")[2])
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/healthz")
    with LocalRouter(port=port).running() as again:
        assert httpx.get(f"{again.base_url}/healthz").status_code == 200
    with router.running():
        assert httpx.get(f"{router.base_url}/healthz").status_code == 200


def test_stop_ends_streams_under_way():
    router = LocalRouter(pace=5)
    router.start()
    with (
        httpx.Client(timeout=30) as client,
        client.stream("POST", router.base_url + PATH, json=ENDLESS, headers=authorised(router)) as answer,
    ):
        pieces = answer.iter_raw()
        next(pieces)
        begun = time.perf_counter()
        router.stop()
        assert time.perf_counter() - begun < 30
        with pytest.raises(httpx.HTTPError):
            list(pieces)


def test_address_before_the_start_is_an_error():
    with pytest.raises(RuntimeError, match="not been started"):
        _ = LocalRouter().base_url


def test_taken_port_is_an_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            LocalRouter(port=taken.getsockname()[1]).start()


def test_negative_pace_is_refused():
    with pytest.raises(ValueError, match="at least 0"):
        LocalRouter(pace=-1)


def test_empty_key_lets_everybody_in():
    with LocalRouter(api_key="").running() as router:
        for headers in ({}, {"Authorization": "Bearer anything"}):
            assert httpx.get(f"{router.base_url}/v1/models", headers=headers).status_code == 200


def test_only_this_machine_is_served():
    listener = server.listen(0)
    try:
        assert listener.getsockname()[0] == "127.0.0.1"
    finally:
        listener.close()


async def test_small_writes_are_sent_at_once():
    listener, answered = server.listen(0), asyncio.get_running_loop().create_future()

    async def look(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answered.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async with await asyncio.start_server(look, sock=listener):
        _, writer = await asyncio.open_connection(*listener.getsockname())
        assert await answered == 1
        writer.close()


@pytest.mark.parametrize("streamed", [True, False])
async def test_model_stops_when_the_client_leaves(router: LocalRouter, streamed):
    async with httpx.AsyncClient(timeout=30) as client:
        asking = asyncio.create_task(client.post(router.base_url + PATH, json=ENDLESS | {"stream": streamed}, headers=authorised(router)))
        await asyncio.to_thread(eventually, lambda: under_way(router) == 1, what="the model to begin")
        asking.cancel()
        await asyncio.wait([asking])
    left = time.perf_counter()
    await asyncio.to_thread(eventually, lambda: under_way(router) == 0, within_s=5, what="the model to stop")
    assert time.perf_counter() - left < 2


def test_client_that_leaves_a_slow_rehearsal_ends_it(router: LocalRouter):
    with httpx.Client() as client, pytest.raises(httpx.ReadTimeout):
        client.post(
            router.base_url + PATH, json={"model": "rehearsal/slow-60000ms", "prompt": "A"}, headers=authorised(router), timeout=0.2
        )
    eventually(lambda: under_way(router) == 0, what="the rehearsal to end")


def test_client_that_reads_nothing_does_not_make_the_router_run_ahead(router: LocalRouter):
    with (
        httpx.Client(timeout=30) as client,
        client.stream("POST", router.base_url + PATH, json=ENDLESS, headers=authorised(router)) as answer,
    ):
        pieces = answer.iter_raw()
        next(pieces)
        idle = threading.Event()

        def rests() -> bool:
            begun = time.process_time()
            idle.wait(0.2)
            return time.process_time() - begun < 0.05

        eventually(rests, what="the model to wait for its reader")
        assert under_way(router) == 1
    eventually(lambda: under_way(router) == 0, within_s=5, what="the model to stop")


def test_client_that_leaves_in_the_middle_of_its_request_is_no_bug(caplog: pytest.LogCaptureFixture, router: LocalRouter):
    host, port = router.base_url.removeprefix("http://").split(":")
    head = f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 100\r\n\r\n{{"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode())
        eventually(lambda: under_way(router) == 1, what="the request to arrive")
    eventually(lambda: under_way(router) == 0, what="the request to end")
    assert "ClientDisconnect" not in caplog.text


async def test_twenty_streams_at_once_say_what_each_says_alone(router: LocalRouter):
    async with httpx.AsyncClient(base_url=router.base_url, headers={"Authorization": f"Bearer {KEY}"}, timeout=60) as client:

        async def ask(seed: int) -> dict[int, str]:
            body = {"model": "local/pydoc", "prompt": "The class", "stream": True, "seed": seed, "n": 2, "max_tokens": 150}
            return texts(frames((await client.post(PATH, json=body)).text))

        together = await asyncio.gather(*map(ask, range(20)))
        alone = [await ask(seed) for seed in range(20)]
    assert together == alone
    assert len({text for said in together for text in said.values()}) > 35


async def test_short_request_gets_its_turn_beside_a_long_stream(router: LocalRouter):
    async with (
        httpx.AsyncClient(base_url=router.base_url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as client,
        client.stream("POST", PATH, json=ENDLESS) as long,
    ):
        pieces = long.aiter_raw()
        reading = asyncio.create_task(_drain(pieces))
        assert (await client.post(PATH, json={"model": "local/pydoc", "prompt": "A class"})).status_code == 200
        assert not reading.done()
        reading.cancel()


async def _drain(pieces: AsyncIterator[bytes]) -> None:
    async for _ in pieces:
        pass


def test_stream_comes_at_the_routers_pace_and_a_whole_answer_at_once():
    with LocalRouter(pace=20).running() as router, httpx.Client(base_url=router.base_url, headers=authorised(router), timeout=30) as client:
        body = {"model": "local/pydoc", "prompt": "A class", "temperature": 0, "max_tokens": 41}
        client.post(PATH, json=body)
        begun = time.perf_counter()
        client.post(PATH, json=body)
        assert time.perf_counter() - begun < 1.5
        begun = time.perf_counter()
        with client.stream("POST", PATH, json=body | {"stream": True}) as answer:
            pieces = answer.iter_raw()
            next(pieces)
            first = time.perf_counter() - begun
            for _ in pieces:
                pass
        assert first < 1
        assert 1.99 < time.perf_counter() - begun < 6


def test_importing_the_server_loads_neither_numpy_nor_streamlit():
    code = "import sys, core.local_router.server, core.local_router.catalog; print({'numpy', 'streamlit', 'pydoc_data'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
