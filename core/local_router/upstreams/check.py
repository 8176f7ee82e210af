"""Does an upstream work? Answered by calling it, before it is added."""

from __future__ import annotations

from contextlib import aclosing

from pydantic import SecretStr

from core.client.client import RouterClient
from core.client.connection_pool import ConnectionPool
from core.connection_check import Verdict, check_connection
from core.local_router.answer import Call
from core.local_router.api_error import ApiError
from core.local_router.models.upstream import UpstreamModel
from core.local_router.upstreams.config import UpstreamConfig
from core.local_router.upstreams.upstream import Upstream


async def check_upstream(config: UpstreamConfig, key: SecretStr | None) -> Verdict:
    """List the models, then complete one token as the router would, over chat where there is nothing else. Two real calls or three.

    ``models`` of the verdict are as the upstream names them. On any loop; never raises for what the upstream does.
    """
    pool = ConnectionPool(1)
    upstream = Upstream(config, "added", lambda: key, pool)

    async def complete(_client: RouterClient, model: str) -> str:
        body = {"model": model, "prompt": "Hello", "max_tokens": 1}
        answer = await UpstreamModel(upstream, model).answer(Call(f"{config.name}/{model}", body, "check"))
        async with aclosing(answer.batches) as batches:
            async for _ in batches:
                pass
        return f"{model} (over chat)" if answer.api == "chat" else model

    try:
        return await check_connection(upstream.connection(), model=config.models[0] if config.models else None, complete=complete)
    except ApiError as error:
        return Verdict(False, error.message, _NEXT_STEPS.get(error.status, "Test again in a moment."), ())
    finally:
        await pool.close()


_NEXT_STEPS = {
    400: "Check the model's name.",
    404: "Check the base URL and the model's name.",
    422: "Check the key.",
    502: "Check the base URL, and that the server runs.",
    504: "Check that the server is not busy loading a model, then test again.",
}
