"""``rehearsal/<script>``: a model that misbehaves on request, to try failures without paying.

A script is a row of steps joined with ``-``. Each request takes the next step, and after the last one the script begins anew::

    script  = step *("-" step)
    step    = ["slow-" N "ms-"] outcome | "slow-" N "ms"
    outcome = "ok" | status | "cut-after-" N | "malformed-after-" N | "error-after-" N | "content-filter" ["-after-" N]

So ``503-503-ok`` fails twice and then answers, ``slow-5000ms`` answers after five seconds, and ``slow-2000ms-503-ok`` fails slowly and
then answers. Steps are counted per API key and script, from the router's start; requests that are refused before they reach the
model (a wrong key, an invalid body) do not count. What is said is said by ``local/pydoc``, so every sampling parameter acts here too.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal

from core.local_router.answer import Answer, AnswerCut, AnswerGarbled, Batches, Call, Model, Piece, Pieces
from core.local_router.api_error import ApiError

Kind = Literal["ok", "status", "cut", "malformed", "error", "content-filter"]

STATUSES = (400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 501, 502, 503, 504, 529)
LONGEST_DELAY_MS = 600_000
CONTENT_FILTER_AFTER = 8
SCRIPTS_REMEMBERED = 1_000
LONGEST_SCRIPT = 200

_STEP = re.compile(
    r"slow-(?P<delay>\d{1,6})ms"
    r"|(?P<ok>ok)"
    r"|(?P<status>\d{3})"
    r"|(?P<kind>cut|malformed|error)-after-(?P<after>\d{1,6})"
    r"|content-filter(?:-after-(?P<filtered>\d{1,6}))?"
)


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one request: wait ``delay_ms``, then ``kind``; ``status`` for an error status, ``after`` counts tokens."""

    kind: Kind
    delay_ms: int = 0
    status: int = 0
    after: int = 0


def parse_script(script: str) -> tuple[Step, ...]:
    """The steps of a script; ``ValueError`` says in one sentence what is wrong."""
    if len(script) > LONGEST_SCRIPT:
        raise ValueError(f"a script has at most {LONGEST_SCRIPT} characters")
    steps: list[Step] = []
    delay: int | None = None
    position = 0
    while position <= len(script):
        match = _STEP.match(script, position)
        if match is None or script[match.end() : match.end() + 1] not in ("", "-"):
            raise ValueError(f"a step cannot be “{script[position:]}”")
        position = match.end() + 1
        if match["delay"]:
            if delay is not None:
                raise ValueError("“slow” is followed by an outcome, not by another “slow”")
            delay = _delay_ms(match["delay"])
        else:
            steps.append(_step(match, delay or 0))
            delay = None
    if delay is not None:
        steps.append(Step("ok", delay))
    return tuple(steps)


def _delay_ms(digits: str) -> int:
    if int(digits) > LONGEST_DELAY_MS:
        raise ValueError(f"“slow” waits at most {LONGEST_DELAY_MS} ms")
    return int(digits)


def _step(match: re.Match[str], delay_ms: int) -> Step:
    if match["ok"]:
        return Step("ok", delay_ms)
    if match["status"]:
        status = int(match["status"])
        if status not in STATUSES:
            raise ValueError(f"{status} is not one of {', '.join(map(str, STATUSES))}")
        return Step("status", delay_ms, status=status)
    if match["kind"]:
        kinds: dict[str, Kind] = {"cut": "cut", "malformed": "malformed", "error": "error"}
        return Step(kinds[match["kind"]], delay_ms, after=int(match["after"]))
    return Step("content-filter", delay_ms, after=int(match["filtered"] or CONTENT_FILTER_AFTER))


def described(script: str) -> str:
    """What a script does, as a sentence; or why it cannot be played."""
    try:
        steps = parse_script(script)
    except ValueError as error:
        return f"There is no such rehearsal: {error}."
    words = ", then ".join(_in_words(step) for step in steps)
    return f"{words[0].upper()}{words[1:]}{'; and begins anew' if len(steps) > 1 else ''}."


def _in_words(step: Step) -> str:
    waits = f"waits {step.delay_ms:,} ms and " if step.delay_ms else ""
    match step.kind:
        case "ok":
            return f"{waits}answers"
        case "status":
            return f"{waits}refuses with {step.status}"
        case "cut":
            return f"{waits}breaks off after {step.after:,} tokens"
        case "malformed":
            return f"{waits}sends a frame that is not JSON after {step.after:,} tokens"
        case "error":
            return f"{waits}sends an error frame after {step.after:,} tokens"
        case "content-filter":
            return f"{waits}ends with content_filter after {step.after:,} tokens"


class RehearsalModel:
    """Plays scripts over ``speaker``, which says what there is to say. ``sleep`` is passed in for tests."""

    def __init__(self, speaker: Model, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._speaker = speaker
        self._sleep = sleep
        self._turns: OrderedDict[tuple[str, str], int] = OrderedDict()

    async def answer(self, call: Call) -> Answer:
        """Play the next step of the script that ``call.model`` names; ``ApiError`` 404 for a script it cannot read, or the script's own."""
        script = call.model.removeprefix("rehearsal/")
        try:
            steps = parse_script(script)
        except ValueError as error:
            raise unknown_script(call.model, str(error)) from None
        step = steps[self._turn(call.caller, script) % len(steps)]
        if step.delay_ms:
            await self._sleep(step.delay_ms / 1000)
        if step.kind == "status":
            raise _status_error(step.status)
        if step.kind == "error" and not call.streams:
            raise _error_in_answer(step)
        answer = await self._speaker.answer(call)
        match step.kind:
            case "ok" | "status":
                return answer
            case "content-filter":
                return replace(answer, batches=_filter_content(answer.batches, step.after, call.choices))
            case _:
                return replace(answer, batches=_break_off(answer.batches, step))

    def _turn(self, caller: str, script: str) -> int:
        """How many requests of this caller played this script before; the scripts played longest ago are forgotten."""
        turn = self._turns.pop((caller, script), 0)
        self._turns[caller, script] = turn + 1
        if len(self._turns) > SCRIPTS_REMEMBERED:
            self._turns.popitem(last=False)
        return turn


async def _break_off(batches: Batches, step: Step) -> AsyncGenerator[Pieces, None]:
    """The pieces up to the step's token, then what the step says; a shorter answer is spoiled at its end."""
    spent = 0
    async with aclosing(batches):
        async for batch in batches:
            kept = []
            for piece in batch:
                if spent == step.after and piece.tokens:
                    break
                spent += piece.tokens
                kept.append(piece._replace(finish_reason=None))
            yield kept
            if len(kept) < len(batch):
                break
    match step.kind:
        case "cut":
            raise AnswerCut
        case "malformed":
            raise AnswerGarbled
        case _:
            raise _error_in_answer(step)


async def _filter_content(batches: Batches, after: int, choices: int) -> AsyncGenerator[Pieces, None]:
    """Each of the ``choices`` up to ``after`` tokens, or to its own end where that comes first, finished as ``content_filter``."""
    left = dict.fromkeys(range(choices), after)
    async with aclosing(batches):
        async for batch in batches:
            kept = []
            for piece in batch:
                if piece.choice not in left:
                    continue
                if piece.tokens and not left[piece.choice]:
                    piece = Piece(piece.choice, "", "content_filter", 0)
                left[piece.choice] -= piece.tokens
                if piece.finish_reason or (piece.tokens and not left[piece.choice]):
                    piece = piece._replace(finish_reason="content_filter")
                    del left[piece.choice]
                kept.append(piece)
            yield kept
            if not left:
                return


def _status_error(status: int) -> ApiError:
    headers = {}
    if status == 429:
        headers = {
            "Retry-After": "1",
            "retry-after-ms": "1000",
            "X-RateLimit-Limit": "60",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": "1",
        }
    error = ApiError(status, headers=headers)
    error.message = f"Rehearsal of a {status}: {error.message}"
    return error


def _error_in_answer(step: Step) -> ApiError:
    return ApiError(502, f"Rehearsal of an error after {step.after} tokens: the provider failed in the middle of the answer.")


def unknown_script(model: str, why: str) -> ApiError:
    """404, with what a script can be."""
    statuses = ", ".join(map(str, STATUSES))
    message = (
        f"There is no model {model}: {why}. A rehearsal script is made of steps joined with “-”: ok, a status ({statuses}), "
        "slow-<N>ms, cut-after-<N>, malformed-after-<N>, error-after-<N>, content-filter, content-filter-after-<N>."
    )
    return ApiError(404, message, code="model_not_found", param="model")
