"""``local/pydoc`` and its weaker brothers as models that answer calls."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import cache
from typing import TYPE_CHECKING, Any

from core.local_router.answer import Answer, Call
from core.local_router.api_error import ApiError

if TYPE_CHECKING:
    from core.local_router.models.ngram import LearnedText, NgramModel

CONTEXT_TOKENS = 131_072
"""Prompt and ``max_tokens`` together; more is refused, as providers do."""

LONG_PROMPT = 20_000
"""Characters from which a prompt is cut into tokens in a thread, so that other streams go on meanwhile."""

_starting = threading.Lock()


@cache
def _learning() -> Future[LearnedText]:
    future: Future[LearnedText] = Future()
    future.set_running_or_notify_cancel()  # a request that is given up while it waits cannot cancel the learning

    def learn() -> None:
        try:
            from core.local_router.models.corpus import topics  # numpy is loaded here and not before
            from core.local_router.models.ngram import LearnedText

            text = LearnedText(topics())
            text.unigram  # noqa: B018 - computed here, not at the first request
            future.set_result(text)
        except BaseException as error:  # noqa: BLE001 - this thread's border
            future.set_exception(error)  # each request tells it

    threading.Thread(target=learn, name="learn-pydoc", daemon=True).start()
    return future


def learned_text() -> Future[LearnedText]:
    """What the models know: learned once a process, in a thread that the first call starts."""
    with _starting:
        return _learning()


class PydocModel:
    """An n-gram model of Python's reference. Streams are paced at ``pace`` tokens/s (0: as fast as it goes); other answers are not."""

    def __init__(self, order: int, pace: float, learned: Callable[[], Future[LearnedText]] = learned_text) -> None:
        self._order = order
        self._pace = pace
        self._learned = learned

    async def answer(self, call: Call) -> Answer:
        """Begin to answer, after the text has been learned. Raises ``ApiError`` 400 where prompt and answer are too long together."""
        from core.local_router.generation import Task, generate, paced, unpaced
        from core.local_router.models.ngram import NgramModel
        from core.local_router.models.thinking import read_thinking

        model = NgramModel(await self._text(), self._order)
        prompt = call.body["prompt"]
        max_tokens = int(_value(call.body, "max_tokens", 16))
        ids = await _encode(model, prompt, CONTEXT_TOKENS)
        if len(ids) + max_tokens > CONTEXT_TOKENS:
            raise _too_long(len(ids), max_tokens)
        echo, thinking = bool(call.body.get("echo")), read_thinking(call.body)
        task = Task(prompt, ids, _sampling(call.body), max_tokens, call.choices, _stops(call.body), echo, thinking)
        pieces = generate(model, task, call.notes)
        batches = paced(pieces, self._pace) if self._pace and call.streams else unpaced(pieces)
        return Answer(call.model, model.fingerprint, len(ids), batches)

    async def _text(self) -> LearnedText:
        try:
            learned = self._learned()
            return learned.result() if learned.done() else await asyncio.wrap_future(learned)
        except ImportError as error:
            raise ApiError(503, f"The local models cannot learn: this Python lacks {error.name}.") from error


async def _encode(model: NgramModel, prompt: str, limit: int) -> list[int]:
    if len(prompt) < LONG_PROMPT:
        return model.tokenizer.encode(prompt, limit)
    return await asyncio.to_thread(model.tokenizer.encode, prompt, limit)


def _too_long(prompt_tokens: int, max_tokens: int) -> ApiError:
    prompt_alone = prompt_tokens >= CONTEXT_TOKENS
    has = f"more than {CONTEXT_TOKENS:,}" if prompt_tokens > CONTEXT_TOKENS else f"{prompt_tokens:,}"
    message = f"The model takes {CONTEXT_TOKENS:,} tokens: the prompt has {has}, and max_tokens asks for {max_tokens:,} more."
    return ApiError(400, message, param="prompt" if prompt_alone else "max_tokens")


def _value(body: Mapping[str, Any], name: str, default: float) -> float:
    """A number of the request; null means the default, as leaving it out does."""
    value = body.get(name)
    return default if value is None else value


def _sampling(body: Mapping[str, Any]) -> Any:
    from core.local_router.models.sampling import SamplingParameters

    seed = body.get("seed")
    return SamplingParameters(
        temperature=_value(body, "temperature", 1.0),
        top_p=_value(body, "top_p", 1.0),
        frequency_penalty=_value(body, "frequency_penalty", 0.0),
        presence_penalty=_value(body, "presence_penalty", 0.0),
        seed=None if seed is None else int(seed),
    )


def _stops(body: Mapping[str, Any]) -> tuple[str, ...]:
    stop = body.get("stop")
    return (stop,) if isinstance(stop, str) else tuple(stop or ())
