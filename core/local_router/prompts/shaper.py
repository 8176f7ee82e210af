"""``orq.prompt``: a stored prompt's text in place of the request's ``prompt``."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from core.local_router.answer import Call
from core.local_router.api_error import ApiError
from core.local_router.prompts.records import UnknownPrompt
from core.local_router.prompts.store import PromptStore
from core.local_router.trace import Trace


class StoredPromptStep:
    """The step of the pipeline that looks a prompt up. The request's own model answers and its own parameters hold: the stored ones
    are for who reads the library. The trace gets one ``prompt`` event with the id and the version's number."""

    def __init__(self, store: PromptStore) -> None:
        self._store = store

    async def shape(self, call: Call, trace: Trace) -> Call:
        """The call without ``orq.prompt`` and with that prompt's newest text; ``ApiError`` 404 where there is none."""
        orq = dict(call.body.get("orq") or {})
        asked = orq.pop("prompt", None)
        if asked is None:
            return call
        try:
            found = self._store.known(asked["id"])
            if found is None:
                found = await asyncio.to_thread(self._store.latest, asked["id"])
        except UnknownPrompt as error:
            raise ApiError(404, f"{error} GET /v2/prompts lists those there are.", code="prompt_not_found", param="orq.prompt.id") from None
        trace.note("prompt", id=found.id, version=found.latest.number)
        rest = {name: value for name, value in call.body.items() if name != "orq"}
        return replace(call, body={**rest, "prompt": found.latest.text, **({"orq": orq} if orq else {})})
