"""The HTTP routes that panels read: one event stream per page, the polling that stands in for it, stop, health.

They know no Streamlit session and none of its protections: every address needs a signed token, and stop also a same-site Origin.
Server-sent events, because compression in front of them leaves ``text/event-stream`` alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.hub.channels import Channel, Event, Reader, end_of, parse_cursor, parse_versions
from core.hub.event_stream import EventStream
from core.hub.hub import Hub
from core.hub.switchboard import HubFull
from core.run import RESTORED_CUT, Run
from core.signing import Signer

MAX_WAIT_S: Final = 10.0
"""The longest a poll may be kept waiting for something new."""
MAX_READERS: Final = 16
"""Connections that may follow one channel."""

Endpoint = Callable[[Request], Awaitable[Response]]


class Json(Response):
    """A small JSON answer that nobody stores."""

    media_type = "application/json"

    def __init__(self, content: Mapping[str, Any], status_code: int = 200) -> None:
        super().__init__(orjson.dumps(content), status_code, {"Cache-Control": "no-store"})


def routes(hub: Hub, signer: Signer) -> list[Route]:
    """The routes, over ``hub`` and with tokens of ``signer``; below any path, too, which is where a proxy may put the app."""
    feed = RunRoutes(hub, signer)
    endpoints: list[tuple[str, Endpoint, str]] = [
        ("/api/channels/{channel}/events", feed.channel_events, "GET"),
        ("/api/channels/{channel}/delta", feed.channel_delta, "GET"),
        ("/api/runs/{run}/events", feed.run_events, "GET"),
        ("/api/runs/{run}/delta", feed.run_delta, "GET"),
        ("/api/runs/{run}/stop", feed.stop, "POST"),
        ("/healthz", feed.health, "GET"),
    ]
    return [Route(prefix + path, endpoint, methods=[method]) for prefix in ("", "/{base:path}") for path, endpoint, method in endpoints]


class RunRoutes:
    """The endpoints. Each answers JSON ``{"error": …}`` with 403 for a wrong token and 404 for a run that is not here."""

    def __init__(self, hub: Hub, signer: Signer) -> None:
        self._hub = hub
        self._signer = signer

    async def channel_events(self, request: Request) -> Response:
        """Everything a page's slots show, as events: ``hello`` (``{"runs": numbers shown}``); ``run`` (a slot shows this run);
        pieces of text, unnamed, as ``{slot: text}`` or ``{"slot.choice": text}``; ``state``; ``end``; ``clear`` and ``gone`` (a slot
        shows nothing; its run was dropped from memory).
        Ids are cursors: ``Last-Event-ID``, or ``?cursor=`` for a client's first connection."""
        channel = self._channel(request)
        if isinstance(channel, Response):
            return channel
        cursor = parse_cursor(request.headers.get("last-event-id") or request.query_params.get("cursor", ""))
        return self._follow(request, Reader(channel, self._signer.run_token, cursor))

    async def channel_delta(self, request: Request) -> Response:
        """The same events as ``{"events": [[name, data], …], "cursor": …}`` since ``?cursor=``; with ``?wait=`` seconds (at most
        ``MAX_WAIT_S``) the answer comes as soon as there is something."""
        channel = self._channel(request)
        if isinstance(channel, Response):
            return channel
        given = request.query_params.get("cursor", "")
        reader = Reader(channel, self._signer.run_token, parse_cursor(given), parse_versions(given))
        events = await self._poll(reader, _wait_s(request))
        return Json({"events": [[event.name, event.data] for event in events], "cursor": reader.poll_cursor})

    async def run_events(self, request: Request) -> Response:
        """One run alone, from its beginning or after ``Last-Event-ID``; the stream closes after its ``end``.

        The ``run`` event says how many pieces it goes on after: with ``"seen": 0`` the text begins anew, which it also does for an id
        from before the run came back from storage."""
        run = await self._run(request)
        if isinstance(run, Response):
            return run
        seen = _pieces_seen(run, request.headers.get("last-event-id") or request.query_params.get("from", "0"))
        if seen is None:
            return _no_number()
        channel = self._hub.channels.channel_of(run)
        number = channel.slots[run.slot].number
        reader = Reader(channel, self._signer.run_token, {number: seen})
        return self._follow(request, reader, one_run=True, after=lambda: self._hub.channels.drop(channel))

    async def run_delta(self, request: Request) -> Response:
        """The text after the first ``?from=`` pieces: ``{"text": {choice: text}, "from": …, "next": …, "status": …, "ended": …, …}``.

        ``next`` is what to ask from then. ``"from": 0`` says that the text begins anew, as in ``run_events``."""
        run = await self._run(request)
        if isinstance(run, Response):
            return run
        start = _pieces_seen(run, request.query_params.get("from", "0"))
        if start is None:
            return _no_number()
        texts, reached = run.log.since(start)
        text = {str(choice): text for choice, text in texts.items()}
        upto = f"{run.cut}{reached}" if run.cut else reached
        return Json({"text": text, "from": start, "next": upto, "ended": run.ended and reached >= len(run.log), **end_of(run)})

    async def stop(self, request: Request) -> Response:
        """Stop a run. 403 for a foreign Origin or a wrong token (``?token=``, or ``{"token": …}`` as body)."""
        if not _same_origin(request):
            return _error(403, "This address takes requests from its own pages only")
        run = await self._run(request)
        if isinstance(run, Response):
            return run
        return Json({"stopping": self._hub.stop(run.id)})

    async def health(self, _request: Request) -> Response:
        """That the process answers, and how much it has to do."""
        return Json({"status": "ok", **self._hub.load})

    def _channel(self, request: Request) -> Channel | Response:
        channel_id = request.path_params["channel"]
        if not self._signer.opens_channel(channel_id, request.query_params.get("token", "")):
            return _error(403, "The token does not open this channel; reload the page")
        try:
            channel = self._hub.channels.channel(channel_id)
        except HubFull as problem:
            return _error(503, problem.cause)
        if len(channel.readers) >= MAX_READERS:
            return _error(429, "Too many connections follow this page")
        return channel

    async def _run(self, request: Request) -> Run | Response:
        run_id = request.path_params["run"]
        if not self._signer.opens_run(run_id, request.query_params.get("token", "")):
            return _error(403, "The token does not open this run; reload the page")
        found = self._hub.run(run_id) or await asyncio.to_thread(self._hub.find, run_id)
        return found or _error(404, "There is no such run here; it may have been deleted")

    def _follow(self, request: Request, reader: Reader, *, one_run: bool = False, after: Callable[[], None] | None = None) -> EventStream:
        def left() -> None:
            self._hub.channels.left(reader.channel)
            if after is not None:
                after()

        return EventStream(reader, left, one_run=one_run, gzip=_takes_gzip(request))

    @staticmethod
    async def _poll(reader: Reader, wait_s: float) -> list[Event]:
        channel = reader.channel
        channel.readers.add(reader)
        try:
            events = reader.take()
            if not events and wait_s and not channel.closed:
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.ready.wait(), wait_s)
                events = reader.take()
            return events
        finally:
            channel.readers.discard(reader)


def _error(status: int, message: str) -> Json:
    return Json({"error": message}, status)


def _pieces_seen(run: Run, cursor: str) -> int | None:
    """How many of the run's pieces a client has seen: none where its cursor counts pieces cut otherwise; ``None`` for what is no cursor."""
    cut, number = cursor.rstrip("0123456789"), cursor[len(cursor.rstrip("0123456789")) :]
    if not number or cut not in ("", RESTORED_CUT):
        return None
    return int(number) if cut == run.cut else 0


def _no_number() -> Json:
    return _error(400, "from and Last-Event-ID say how many pieces were seen, as an earlier answer gave them")


def _takes_gzip(request: Request) -> bool:
    """Whether the client says so; ``gzip;q=0`` says no."""
    asked = [part.partition(";") for part in request.headers.get("accept-encoding", "").lower().split(",")]
    return any(name.strip() == "gzip" and how.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000") for name, _, how in asked)


def _wait_s(request: Request) -> float:
    try:
        wait_s = float(request.query_params.get("wait", "0"))
    except ValueError:
        return 0.0
    return min(max(wait_s, 0.0), MAX_WAIT_S) if wait_s == wait_s else 0.0


def _same_origin(request: Request) -> bool:
    """Whether a browser says the request comes from our own page. What is no browser sends no Origin and needs only its token."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "none") in {"same-origin", "none"}
    hosts = {request.headers.get("host", ""), request.headers.get("x-forwarded-host", "")} - {""}
    return urlsplit(origin).netloc.lower() in {host.lower() for host in hosts}
