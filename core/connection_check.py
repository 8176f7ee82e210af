"""Does a connection work? Answered by calling it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.client.client import RouterClient
from core.connection import Connection
from core.errors import ConnectionProblem, PlaygroundError, RouterRejected


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a test in plain words; ``models`` are the ids the server lists, where it lists any."""

    works: bool
    sentence: str
    next_step: str
    models: tuple[str, ...]


async def one_token(client: RouterClient, model: str) -> str:
    """The smallest real answer: a token of ``model``; the name of the model that answered."""
    completion = await client.complete({"model": model, "prompt": "Hello", "max_tokens": 1})
    return completion.model or model


async def check_connection(
    connection: Connection, *, model: str | None, complete: Callable[[RouterClient, str], Awaitable[str]] = one_token
) -> Verdict:
    """List the models, then ``complete`` with ``model`` (or the first one listed, where ``model`` is not among them).

    Two real calls; the second may cost one token. Never raises a ``PlaygroundError``: it becomes the verdict.
    """
    client = RouterClient(connection)
    try:
        try:
            models = await client.models()
        except ConnectionProblem:
            raise
        except PlaygroundError as error:
            if isinstance(error, RouterRejected) and error.status in (401, 403):
                raise
            models = ()
        asked = model if model and (not models or model in models) else models[0] if models else None
        if asked is None:
            return Verdict(False, "The server answers but lists no models.", "Name a model, then test again.", ())
        began = time.perf_counter()
        answered = await complete(client, asked)
        took = (time.perf_counter() - began) * 1000
        listed = f" {len(models)} models are listed." if models else " The server lists no models; type the name of one."
        return Verdict(True, f"Works: {answered} answered in {took:.0f} ms.{listed}", "", models)
    except PlaygroundError as error:
        return Verdict(False, error.cause, _from_here(error.next_step), ())
    finally:
        await client.aclose()


def _from_here(next_step: str) -> str:
    """A next step as it is read on the Connections page, where tests are made."""
    return next_step.replace(", on the Connections page", "").replace(" on the Connections page", "")
