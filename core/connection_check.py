"""Does a connection work? Answered by calling it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from core.client import RouterClient
from core.connection import Connection
from core.errors import ConnectionProblem, PlaygroundError, RouterRejected


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a test in plain words; ``models`` are the ids the server lists, where it lists any."""

    works: bool
    sentence: str
    next_step: str
    models: tuple[str, ...]


async def check_connection(connection: Connection, *, model: str | None) -> Verdict:
    """List the models, then complete one token with ``model`` (or the first one listed, where ``model`` is not among them).

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
            return Verdict(False, "The server answers but lists no models.", "Choose a model in the Playground, then test again.", ())
        began = time.perf_counter()
        completion = await client.complete({"model": asked, "prompt": "Hello", "max_tokens": 1})
        took = (time.perf_counter() - began) * 1000
        listed = f" {len(models)} models are listed." if models else " The server lists no models; type the name of one."
        return Verdict(True, f"Works: {completion.model or asked} answered in {took:.0f} ms.{listed}", "", models)
    except PlaygroundError as error:
        return Verdict(False, error.cause, error.next_step, ())
    finally:
        await client.aclose()
