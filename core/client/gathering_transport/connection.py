"""HTTP/1.1 over one link: a request, its answer, and the next one when that was read to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

import h11
import httpx

from core.client.gathering_transport.link import Link

_READ_BYTES: Final = 65_536
_WRITTEN_TOGETHER: Final = 65_536
_LONGEST_HEAD: Final = 100 * 1024


class HttpConnection:
    """A link with the state of its conversation. Errors are httpx's.

    ``idle`` is called with the connection when it may be used again, ``gone`` when it has been closed; ``abort`` may be called at any
    time, and again.
    """

    def __init__(self, link: Link, idle: Callable[[HttpConnection], None], gone: Callable[[HttpConnection], None]) -> None:
        self._link = link
        self._idle = idle
        self._gone = gone
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)

    @property
    def usable(self) -> bool:
        """Whether an idle connection is still as it was left: the other side has neither closed it nor said anything."""
        return not self._link.readable

    def abort(self) -> None:
        """Close it."""
        self._link.abort()
        self._gone(self)

    async def ask(self, request: httpx.Request) -> httpx.Response:
        """Send ``request``; the answer's body is still to be read. The connection is closed when this raises."""
        timeouts: Mapping[str, float | None] = request.extensions.get("timeout", {})
        try:
            await self._send(request, timeouts.get("write"))
            head = await self._head(timeouts.get("read"))
        except BaseException as problem:
            self.abort()
            _raise_as_httpx(problem)
            raise
        extensions = {"http_version": b"HTTP/" + head.http_version, "reason_phrase": head.reason}
        body = _Body(self, timeouts.get("read"))
        return httpx.Response(head.status_code, headers=head.headers.raw_items(), stream=body, extensions=extensions)

    async def _send(self, request: httpx.Request, timeout: float | None) -> None:  # noqa: ASYNC109
        head = h11.Request(method=request.method.encode(), target=request.url.raw_path, headers=request.headers.raw)
        waiting = self._http.send(head) or b""
        assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101  # an AsyncClient builds no other
        try:
            async for part in request.stream:
                waiting += self._http.send(h11.Data(part)) or b""
                if len(waiting) >= _WRITTEN_TOGETHER:
                    await self._link.write(waiting, timeout)
                    waiting = b""
            waiting += self._http.send(h11.EndOfMessage()) or b""
            if waiting:
                await self._link.write(waiting, timeout)
        except httpx.WriteError:
            pass  # a server may refuse what it has not read yet: its answer says why

    async def _head(self, timeout: float | None) -> h11.Response:  # noqa: ASYNC109
        while True:
            event = await self.event(timeout)
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:
                raise httpx.RemoteProtocolError("The server switched to another protocol, which nobody asked for.")

    async def event(self, timeout: float | None) -> Any:  # noqa: ASYNC109
        """The next thing that the server says."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            data = await self._link.read(_READ_BYTES, timeout)
            if not data and self._http.their_state is h11.SEND_RESPONSE:
                raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
            self._http.receive_data(data)
        return event

    def end(self) -> None:
        """The answer was read to its end: keep the connection, if both sides are willing."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._idle(self)
        else:
            self.abort()


class _Body(httpx.AsyncByteStream):
    """An answer's body; letting go of it before its end closes the connection."""

    def __init__(self, connection: HttpConnection, timeout: float | None) -> None:
        self._connection: HttpConnection | None = connection
        self._timeout = timeout

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while self._connection is not None:
                event = await self._connection.event(self._timeout)
                if type(event) is h11.Data:
                    yield bytes(event.data)
                else:
                    connection, self._connection = self._connection, None
                    connection.end()
        except BaseException as problem:
            self._let_go()
            _raise_as_httpx(problem)
            raise

    async def aclose(self) -> None:
        self._let_go()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()


def _raise_as_httpx(problem: BaseException) -> None:
    """h11's errors as httpx's, which bear the same names."""
    if isinstance(problem, h11.ProtocolError):
        raise getattr(httpx, type(problem).__name__)(str(problem)) from problem
