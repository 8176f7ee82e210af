"""The routes over real HTTP: what a panel gets, what a stranger does not, and that nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import json
import random
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from core.connection import Connection
from core.hub import event_stream
from core.hub.hub import Hub
from core.hub.run_routes import routes
from core.signing import Signer
from tests.core.hub.test_hub import connection_to, ended, taken, until
from tests.core.replay_upstream import ReplayUpstream, expected_text

Heard = list[tuple[str, str, Any]]


class Site:
    """A hub behind real HTTP, with an upstream to run against."""

    def __init__(self, hub: Hub, upstream: ReplayUpstream, http: httpx.AsyncClient) -> None:
        self.hub = hub
        self.upstream = upstream
        self.http = http
        self.signer = Signer("a secret")

    @property
    def connection(self) -> Connection:
        return connection_to(self.upstream.base_url)

    def start(self, model: str, slot: str = "a", channel: str | None = "page", **body: Any) -> str:
        return self.hub.start({"model": model, **body}, self.connection, slot=slot, channel=channel)

    def events(self, channel: str = "page") -> str:
        return f"/api/channels/{channel}/events?token={self.signer.channel_token(channel)}"

    def delta(self, channel: str = "page", **query: Any) -> str:
        return f"/api/channels/{channel}/delta?{httpx.QueryParams({'token': self.signer.channel_token(channel), **query})}"

    def run(self, run_id: str, what: str) -> str:
        return f"/api/runs/{run_id}/{what}{'&' if '?' in what else '?'}token={self.signer.run_token(run_id)}"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    hub = Hub()
    await hub.open()
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=routes(hub, Signer("a secret"))), port=0, log_level="error", access_log=False, lifespan="off")
    )
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with ReplayUpstream() as upstream, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10) as http:
        yield Site(hub, upstream, http)
        await hub.close()
        server.should_exit = True
        await serving


async def listen(answer: httpx.Response) -> AsyncIterator[tuple[str, str, Any]]:
    """Name, last id and data of each event, as EventSource tells them."""
    name, last_id, data = "", "", ""
    async for line in answer.aiter_lines():
        field, _, value = line.partition(":")
        if not line and data:
            yield name, last_id, json.loads(data)
        if not line:
            name, data = "", ""
        elif field == "event":
            name = value
        elif field == "id":
            last_id = value
        elif field == "data":
            data += value


@asynccontextmanager
async def listening(site: Site, address: str, last_id: str = "") -> AsyncIterator[AsyncIterator[tuple[str, str, Any]]]:
    """The events of an address, after ``last_id``."""
    async with site.http.stream("GET", address, headers={"Last-Event-ID": last_id} if last_id else {}) as answer:
        assert answer.status_code == 200
        yield listen(answer)


async def heard_until_end(site: Site, address: str, last_id: str = "", ends: int = 1) -> Heard:
    """Everything up to the ``ends``-th end."""
    heard: Heard = []
    async with listening(site, address, last_id) as events:
        async for event in events:
            heard.append(event)
            if [name for name, _, _ in heard].count("end") == ends:
                break
    return heard


def texts(heard: Heard) -> dict[str, str]:
    """The text by slot and choice."""
    found: dict[str, str] = {}
    for name, _, data in heard:
        if name == "":
            for key, text in data.items():
                found[key] = found.get(key, "") + text
    return found


async def test_a_channel_says_hello_then_tells_of_a_run_from_its_beginning_to_its_end(site: Site) -> None:
    run_id = site.start("tokens=30", slot="b")
    heard = await heard_until_end(site, site.events())
    assert [heard[0][0], heard[1][0], heard[-1][0]] == ["hello", "run", "end"]
    assert texts(heard) == {"b": expected_text(30)}
    about = heard[1][2]
    assert (about["slot"], about["run"], about["token"]) == ("b", run_id, site.signer.run_token(run_id))
    end = heard[-1][2]
    assert (end["run"], end["status"], end["finish"], end["tokens"]) == (run_id, "finished", {"0": "length"}, 30)


async def test_a_run_started_later_comes_over_the_connection_that_is_open_already(site: Site) -> None:
    async with listening(site, site.events()) as events:
        assert (await anext(events))[0] == "hello"
        run_id = site.start("tokens=5/hold")
        name, _, data = await anext(events)
        assert (name, data["slot"], data["run"]) == ("run", "a", run_id)
        site.hub.stop(run_id)
        async for name, _, data in events:
            if name == "end":
                assert data["status"] == "stopped"
                break


async def test_the_answer_is_marked_so_that_nothing_in_between_stores_or_gathers_it(site: Site) -> None:
    async with site.http.stream("GET", site.events()) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-cache, no-transform"
        assert answer.headers["x-accel-buffering"] == "no"


@pytest.mark.parametrize(("asked", "packed"), [("gzip, br", True), ("br, gzip;q=0.5", True), ("gzip;q=0", False), ("identity", False)])
async def test_events_are_compressed_for_who_takes_that_each_sending_whole_and_are_the_same(site: Site, asked: str, packed: bool) -> None:
    run = site.start("tokens=300/rate=600", slot="a")
    received: list[bytes] = []
    async with site.http.stream("GET", site.run(run, "events"), headers={"accept-encoding": asked}) as answer:
        assert answer.headers.get("content-encoding") == ("gzip" if packed else None)
        reader, text = zlib.decompressobj(wbits=31), ""
        async for part in answer.aiter_raw():
            received.append(part)
            text += (reader.decompress(part) if packed else part).decode()
            assert text.endswith("\n\n"), "a client never waits for the next sending to have this one"
    pieces = [json.loads(line[5:]) for line in text.splitlines() if line.startswith('data:{"a":')]
    assert "".join(piece["a"] for piece in pieces) == expected_text(300)
    assert not packed or len(b"".join(received)) < len(text) / 2


async def test_several_slots_and_choices_come_over_one_connection(site: Site) -> None:
    site.start("tokens=20/n=2", slot="a", n=2)
    site.start("tokens=40/text=emoji", slot="b")
    heard = await heard_until_end(site, site.events(), ends=2)
    assert texts(heard) == {"a": expected_text(20), "a.1": expected_text(20), "b": expected_text(40, "emoji")}
    assert {data["slot"]: data["choices"] for name, _, data in heard if name == "run"} == {"a": 2, "b": 1}


async def test_two_subscribers_of_a_channel_get_the_same(site: Site) -> None:
    site.start("tokens=200/rate=1000")
    first, second = await asyncio.gather(*(heard_until_end(site, site.events()) for _ in range(2)))
    assert texts(first) == texts(second) == {"a": expected_text(200)}


async def test_random_disconnects_lose_and_double_nothing(site: Site) -> None:
    dice = random.Random(7)
    site.start("tokens=4000/rate=4000", slot="a")
    site.start("tokens=3000/rate=3000/text=emoji/n=2", slot="b", n=2)
    heard: Heard = []
    last_id, connections, ends = "", 0, set[str]()
    while ends != {"a", "b"}:
        connections += 1
        left = dice.randrange(1, 10)  # few: a busy machine sends the text in few events
        async with listening(site, site.events(), last_id) as events:
            async for event in events:
                heard.append(event)
                last_id = event[1] or last_id
                if event[0] == "end":
                    assert event[2]["slot"] not in ends, "an end is told once"
                    ends.add(event[2]["slot"])
                left -= 1
                if left == 0 or ends == {"a", "b"}:
                    break
    assert connections > 5
    assert texts(heard) == {"a": expected_text(4000), "b": expected_text(3000, "emoji"), "b.1": expected_text(3000, "emoji")}


async def test_polls_tell_the_same_and_each_thing_once(site: Site) -> None:
    site.start("tokens=600/rate=3000/n=2", n=2)
    heard: Heard = []
    cursor = ""
    while not any(name == "end" for name, _, _ in heard):
        answer = (await site.http.get(site.delta(cursor=cursor, wait=5))).json()
        cursor = answer["cursor"]
        heard += [(name, "", data) for name, data in answer["events"]]
    assert texts(heard) == {"a": expected_text(600), "a.1": expected_text(600)}
    assert [name for name, _, _ in heard].count("run") == 1
    assert (await site.http.get(site.delta(cursor=cursor))).json()["events"] == []


async def test_a_poll_that_waits_is_answered_when_something_comes(site: Site) -> None:
    waiting = asyncio.create_task(site.http.get(site.delta(wait=9)))
    await until(lambda: site.hub.channels.channel("page").readers)
    assert not waiting.done()
    site.start("tokens=1/hold")
    answer = (await asyncio.wait_for(waiting, 5)).json()
    assert answer["events"][0][0] == "run"


async def test_polling_goes_on_where_the_stream_broke_off(site: Site) -> None:
    run_id = site.start("tokens=50/hold")
    await until(lambda: taken(site.hub, run_id).pieces == 50)
    heard: Heard = []
    async with listening(site, site.events()) as events:
        async for event in events:
            heard.append(event)
            if texts(heard) == {"a": expected_text(50)}:
                break
    site.hub.stop(run_id)
    await ended(site.hub, run_id)
    answer = (await site.http.get(site.delta(cursor=heard[-1][1]))).json()
    assert [name for name, _ in answer["events"]] == ["end"]


async def test_attaching_replays_a_run_into_another_page(site: Site) -> None:
    run_id = site.start("tokens=80", channel=None)
    await ended(site.hub, run_id)
    site.hub.attach("reloaded", "c", run_id)
    site.hub.attach("reloaded", "c", run_id)
    heard = await heard_until_end(site, site.events("reloaded"))
    assert texts(heard) == {"c": expected_text(80)}
    assert [name for name, _, _ in heard].count("run") == 1


async def test_a_slot_that_shows_another_run_or_none_says_so(site: Site) -> None:
    first = site.start("tokens=3")
    async with listening(site, site.events()) as events:
        await until(lambda: taken(site.hub, first).ended)
        second = site.start("tokens=2")
        seen = []
        async for name, _, data in events:
            seen.append((name, data.get("run")))
            if ("end", second) in seen:
                break
        site.hub.channels.clear("page", "a")
        assert (await anext(events))[::2] == ("clear", {"slot": "a"})
    assert [run for name, run in seen if name == "run"][-1] == second


async def test_a_run_dropped_from_memory_is_told(site: Site) -> None:
    site.hub.memory.max_runs = 1
    first = site.start("tokens=1")
    async with listening(site, site.events()) as events:
        async for name, _, _ in events:
            if name == "end":
                break
        await ended(site.hub, site.start("tokens=1", channel=None))
        await until(lambda: site.hub.snapshot(first) is None)
        assert (await anext(events))[::2] == ("gone", {"slot": "a"})


async def test_a_long_text_is_replayed_in_parts_that_fit_together(site: Site) -> None:
    run_id = site.start("tokens=40000")
    await ended(site.hub, run_id)
    heard = await heard_until_end(site, site.events())
    assert texts(heard) == {"a": expected_text(40000)}
    assert max(len(data["a"]) for name, _, data in heard if name == "") <= 65_536


async def test_silence_is_filled_with_comments(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT_S", 0.1)
    async with site.http.stream("GET", site.events()) as answer:
        lines = answer.aiter_lines()
        comments = 0
        while comments < 3:
            comments += await anext(lines) == ":"


async def test_one_run_alone_ends_with_it_and_resumes_by_number(site: Site) -> None:
    run_id = site.start("tokens=90/n=2", channel=None, n=2)
    await ended(site.hub, run_id)
    whole: Heard = []
    async with listening(site, site.run(run_id, "events")) as events:
        whole = [event async for event in events]
    assert texts(whole) == {"a": expected_text(90), "a.1": expected_text(90)}
    async with listening(site, site.run(run_id, "events"), last_id="170") as events:
        rest = [event async for event in events]
    assert texts(rest) == {"a": expected_text(90)[len(expected_text(85)) :], "a.1": expected_text(90)[len(expected_text(85)) :]}
    assert rest[-1][0] == "end"


async def test_one_runs_delta_is_the_text_after_a_number_of_pieces(site: Site) -> None:
    run_id = site.start("tokens=10", channel=None)
    await ended(site.hub, run_id)
    answer = (await site.http.get(site.run(run_id, "delta?from=4"))).json()
    assert answer["text"] == {"0": expected_text(10)[len(expected_text(4)) :]}
    assert (answer["next"], answer["ended"], answer["status"]) == (10, True, "finished")
    assert (await site.http.get(site.run(run_id, "delta?from=x"))).status_code == 400


async def test_cursor_from_before_a_run_came_back_from_storage_begins_anew(site: Site) -> None:
    first = site.start("tokens=90/n=2", channel=None, n=2)
    stored = await ended(site.hub, first)
    site.hub.memory._runs.clear()
    site.hub.memory._find_stored = {first: stored}.get
    whole = {"a": expected_text(90), "a.1": expected_text(90)}
    async with listening(site, site.run(first, "events"), last_id="170") as events:
        heard = [event async for event in events]
    assert next(data["seen"] for name, _, data in heard if name == "run") == 0
    assert texts(heard) == whole
    cursor = next(last_id for name, last_id, _ in heard if name == "")
    async with listening(site, site.run(first, "events"), last_id=cursor) as events:
        rest = [event async for event in events]
    assert (texts(rest), rest[-1][0]) == ({}, "end")
    answer = (await site.http.get(site.run(first, "delta?from=170"))).json()
    assert (answer["from"], answer["text"]) == (0, {"0": whole["a"], "1": whole["a.1"]})
    answer = (await site.http.get(site.run(first, f"delta?from={answer['next']}"))).json()
    assert (answer["from"], answer["text"], answer["ended"]) == (180, {}, True)


async def test_stop_stops(site: Site) -> None:
    run_id = site.start("tokens=3/hold")
    await until(lambda: taken(site.hub, run_id).pieces == 3)
    answer = await site.http.post(site.run(run_id, "stop"))
    assert (answer.status_code, answer.json()) == (200, {"stopping": True})
    assert (await ended(site.hub, run_id)).status == "stopped"
    assert (await site.http.post(site.run(run_id, "stop"))).json() == {"stopping": False}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "http://same.example", "Host": "same.example"}, 200),
        ({"Origin": "https://same.example", "Host": "127.0.0.1", "X-Forwarded-Host": "same.example"}, 200),
    ],
)
async def test_stop_takes_orders_from_its_own_pages_only(site: Site, headers: dict[str, str], status: int) -> None:
    run_id = site.start("tokens=1/hold")
    assert (await site.http.post(site.run(run_id, "stop"), headers=headers)).status_code == status
    if status == 403:
        await until(lambda: taken(site.hub, run_id).pieces == 1)
        assert not taken(site.hub, run_id).ended


async def test_without_the_right_token_nothing_is_told_or_stopped(site: Site) -> None:
    run_id = site.start("tokens=1/hold")
    wrong = site.signer.channel_token(run_id)
    other = site.signer.run_token("page")
    for token in ("", "x", wrong):
        for method, what in (("GET", "events"), ("GET", "delta"), ("POST", "stop")):
            answer = await site.http.request(method, f"/api/runs/{run_id}/{what}", params={"token": token})
            assert answer.status_code == 403
            assert "token" in answer.json()["error"]
    for what in ("events", "delta"):
        assert (await site.http.get(f"/api/channels/page/{what}", params={"token": other})).status_code == 403
    assert not taken(site.hub, run_id).ended


async def test_a_run_that_is_not_here_is_404_with_a_reason(site: Site) -> None:
    for method, what in (("GET", "events"), ("GET", "delta"), ("POST", "stop")):
        answer = await site.http.request(method, site.run("nobody", what))
        assert answer.status_code == 404
        assert "no such run" in answer.json()["error"]


async def test_health_says_how_much_there_is_to_do(site: Site) -> None:
    site.start("tokens=1/hold")
    await until(lambda: site.hub.load["running"] == 1)
    assert (await site.http.get("/healthz")).json() == {"status": "ok", "runs": 1, "running": 1, "queued": 0, "channels": 1}


async def test_a_reader_that_left_is_forgotten_and_the_run_goes_on(site: Site) -> None:
    run_id = site.start("tokens=60/rate=300")
    async with listening(site, site.events()) as events:
        await anext(events)
        assert len(site.hub.channels.channel("page").readers) == 1
    await until(lambda: not site.hub.channels.channel("page").readers)
    assert (await ended(site.hub, run_id)).text == expected_text(60)


async def test_a_client_that_does_not_read_holds_up_nobody(site: Site) -> None:
    url = site.http.base_url
    _, writer = await asyncio.open_connection(url.host, url.port or 80)
    writer.write(f"GET {site.events()} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await until(lambda: site.hub.channels.channel("page").readers)
    run_id = site.start("tokens=60000")
    assert (await ended(site.hub, run_id)).status == "finished"
    assert texts(await heard_until_end(site, site.events())) == {"a": expected_text(60000)}
    writer.transport.abort()
    await until(lambda: not site.hub.channels.channel("page").readers)


async def test_closing_the_hub_lets_every_reader_go(site: Site) -> None:
    site.start("tokens=1/hold")
    async with listening(site, site.events()) as events:
        await anext(events)
        await site.hub.close()
        rest = [event async for event in events]
    assert rest[-1][2].get("status") == "interrupted" or rest[-1][0] in {"run", "", "state"}


async def test_the_addresses_work_below_a_path_too(site: Site) -> None:
    run_id = site.start("tokens=1", channel=None)
    await ended(site.hub, run_id)
    assert (await site.http.get("/some/base" + site.run(run_id, "delta"))).status_code == 200
