"""``python -m core run FILE|- [--preset NAME] [--base-url U] [--path P] [--json]``: a request or a preset from the terminal.
``python -m core import FILE|-``: exported runs into the history, of any size, while the playground runs or not.

FILE is a bare request body, a draft (``{"body": {…}, "extra": "…"}``), a preset file (JSON or YAML) or a shared file; ``-`` is standard
input. A comparison runs each slot in turn. Text goes to standard output as it comes, all else to standard error; ``--json`` prints one
object instead, a comparison's is ``{"slots": [{"slot", "runs": [object, …]}]}``. Without ``ORQ_API_KEY``, ``ORQ_BASE_URL`` and
``--base-url`` the embedded local router answers. Exit status: 0 done, 1 the run failed, 2 the input is no request, 130 interrupted.
``import`` reads JSONL as the History page exports it, into the database of ``PLAYGROUND_DATA_DIR`` or ``DATABASE_URL``; status 1 when
storage fails, 2 when a line is no run: what came before is in.
"""

from __future__ import annotations

import argparse
import asyncio
import codecs
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from core.client.client import RouterClient
from core.connection import DEFAULT_PATHS, Connection, ServerKind
from core.contract.request import parse_request
from core.contract.response import Completion, CompletionChunk
from core.errors import InvalidPreset, InvalidRequest, PlaygroundError, Problem
from core.metrics import Stopwatch, Timings
from core.outgoing import outgoing
from core.piece_log import SurrogateJoiner
from core.preset.calls import SlotCalls, calls_of, chosen
from core.preset.document import read_presets
from core.settings import ORQ_BASE_URL
from core.share.opening import content_of
from core.share.reading import NotReadable, read_snapshot

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
_SHARED = re.compile(r'\s*\{\s*"format"\s*:\s*"playground\.share/')
_TOLD = ("status", "code", "param", "reason", "request_id", "retry_after_s")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. With an ``error``, ``completion`` holds what had come before it; ``None`` when nothing had."""

    completion: Completion | None
    error: PlaygroundError | None
    timings: Timings

    def to_dict(self) -> dict[str, Any]:
        """The object that ``--json`` prints; ``partial`` is true when ``choices`` end where the run failed."""
        completion = self.completion or Completion()
        return {
            "choices": [
                {"index": choice.index, "text": choice.text, "finish_reason": choice.finish_reason} for choice in completion.choices
            ],
            "usage": None if completion.usage is None else completion.usage.to_dict(),
            "model": completion.model,
            "id": completion.id,
            "error": None if self.error is None else error_fields(self.error),
            "partial": self.error is not None and bool(completion.choices),
            "timings": self.timings.to_dict(),
        }


class LiveText:
    """Writes the first choice to standard output as it comes, and the others after it, each under a line with its index."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._halves = SurrogateJoiner()

    def take(self, chunk: CompletionChunk) -> None:
        """Writes what is new of the first choice."""
        for choice in chunk.choices:
            if self._first is None:
                self._first = choice.index
            if choice.index == self._first and choice.text:
                write(self._halves.join(choice.index, choice.text))

    def close(self, completion: Completion) -> None:
        """Writes the other choices; ends the last line where a person reads along."""
        for _, rest in self._halves.rest():
            write(rest)
        for choice in completion.choices:
            if choice.index != self._first:
                write(f"\n\n--- choice {choice.index} ---\n{choice.text}")
        if sys.stdout.isatty():
            write("\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; gives the exit status."""
    options = arguments(argv)
    if options.command == "import":
        from core.export.import_command import import_command  # the database: only who needs it pays for it

        return import_command(options.file, complain)
    outcomes: list[tuple[str, Outcome]] = []
    compared = False
    try:
        slots = read_slots(options.file, options.preset)
        compared = bool(slots[0].title)
        with connection_for(options.base_url, options.path, os.environ) as connection:
            for slot in slots:
                for number, body in enumerate(slot.bodies, 1):
                    if compared and not options.json:
                        heading(slot, number, first=not outcomes)
                    outcome = asyncio.run(run(body, connection, None if options.json else LiveText()))
                    outcomes.append((slot.title, outcome))
                    report(outcome, as_json=options.json)
    except (InvalidRequest, InvalidPreset, NotReadable) as refused:
        outcomes = [("", Outcome(None, refused, Timings()))]
        compared = False
        report(outcomes[0][1], as_json=options.json)
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    if options.json:
        write(json.dumps(_by_slot(outcomes) if compared else outcomes[0][1].to_dict(), ensure_ascii=False) + "\n")
    errors = [outcome.error for _, outcome in outcomes if outcome.error is not None]
    if not errors:
        return DONE
    return BAD_INPUT if any(isinstance(error, InvalidRequest | InvalidPreset | NotReadable) for error in errors) else FAILED


def heading(slot: SlotCalls, number: int, *, first: bool) -> None:
    """Which slot of a comparison answers next, on a line of its own; with repeats, which of them."""
    repeat = f" · {number} of {len(slot.bodies)}" if len(slot.bodies) > 1 else ""
    before = "" if first else "\n" if sys.stdout.isatty() else "\n\n"
    write(f"{before}--- {slot.title}{repeat} ---\n")


def _by_slot(outcomes: Sequence[tuple[str, Outcome]]) -> dict[str, Any]:
    runs: dict[str, list[dict[str, Any]]] = {}
    for title, outcome in outcomes:
        runs.setdefault(title, []).append(outcome.to_dict())
    return {"slots": [{"slot": title, "runs": of_slot} for title, of_slot in runs.items()]}


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line, read; argparse itself exits with 2 for one that is none."""
    parser = argparse.ArgumentParser(prog="python -m core", description="The playground's core from the terminal.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("run", help="send one request and print the answer")
    command.add_argument("file", metavar="FILE", help="a request body or a draft as JSON, or a preset file; - for standard input")
    command.add_argument("--preset", metavar="NAME", help="which preset of a file that has several")
    command.add_argument("--base-url", metavar="URL", help="the router; default ORQ_BASE_URL, or the embedded local router without a key")
    command.add_argument("--path", metavar="PATH", help=f"path of the call; default {DEFAULT_PATHS['orq']}")
    command.add_argument("--json", action="store_true", help="print one JSON object instead of the text")
    taking = commands.add_parser("import", help="put exported runs into the history")
    taking.add_argument("file", metavar="FILE", help="runs as the History page exports them as JSONL; - for standard input")
    return parser.parse_args(argv)


def read_slots(file: str, name: str | None = None) -> tuple[SlotCalls, ...]:
    """The calls that a file comes to: one, or those of a comparison; streamed unless they say otherwise.

    Raises InvalidRequest with every problem, InvalidPreset for a preset file that is none, NotReadable for a shared file.
    """
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequest((Problem("", f"{file} is not text in UTF-8."),)) from None
    except OSError as problem:
        raise InvalidRequest((Problem("", f"{file} cannot be read: {problem.strerror or problem}."),)) from None
    if _SHARED.match(text):
        slots = calls_of(content_of(read_snapshot(data.removeprefix(codecs.BOM_UTF8))))
    elif _is_preset(text, file):
        slots = calls_of(chosen(read_presets(data, file), name, file).content)
    else:
        slots = (SlotCalls("", (read_request(text),)),)
    streamed = (replace(slot, bodies=tuple({**body, "stream": body.get("stream", True)} for body in slot.bodies)) for slot in slots)
    return tuple(streamed)


def _is_preset(text: str, file: str) -> bool:
    """Whether a file is for presets: YAML, or JSON that says its format."""
    if file.lower().endswith((".yaml", ".yml")) or (file == "-" and text.lstrip().startswith("format:")):
        return True
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and "format" in value


def read_request(text: str) -> dict[str, Any]:
    """The body to send, from a text that holds one or a draft of one. Raises InvalidRequest with every problem."""
    draft = _draft(text)
    if draft is None:
        return parse_request(text).to_wire()
    built = outgoing({"body": parse_request(draft["body"]).to_wire(), "extra": draft.get("extra") or ""})
    if built.problems:
        raise InvalidRequest(built.problems)
    return built.body


def _draft(text: str) -> Mapping[str, Any] | None:
    """``text`` as a draft; ``None`` when it is a bare body, or nothing that can be read, which ``parse_request`` explains."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("body"), dict):
        return None
    if not isinstance(value.get("extra") or "", str):
        raise InvalidRequest((Problem("extra", "This must be the extra fields' JSON as a text."),))
    unused = sorted(value.keys() - {"body", "extra"})
    if unused:
        complain(f"note: only body and extra of the file are used, not {', '.join(unused)}")
    return value


@contextmanager
def connection_for(base_url: str | None, path: str | None, environ: Mapping[str, str]) -> Iterator[Connection]:
    """The connection that options and environment ask for; the embedded router, running, when they ask for none."""
    key = environ.get("ORQ_API_KEY", "").strip()
    address = (base_url or environ.get("ORQ_BASE_URL", "")).strip()
    if key or address:
        kind: ServerKind = "openai" if path == DEFAULT_PATHS["openai"] else "orq"
        secret = SecretStr(key) if key else None
        yield Connection("terminal", kind, (address or ORQ_BASE_URL).rstrip("/"), path or DEFAULT_PATHS[kind], secret)
        return
    from core.local_router.server import LocalRouter  # learns a model: only who needs it pays for it

    with LocalRouter(pace=0).running() as router:
        yield Connection("local router", "local", router.base_url, path or DEFAULT_PATHS["local"], router.api_key)


async def run(body: Mapping[str, Any], connection: Connection, live: LiveText | None) -> Outcome:
    """Sends ``body`` once; ``live`` gets each chunk as it comes. Failures are in the outcome, with what had come."""
    watch, completion, error, pieces = Stopwatch(), None, None, 0
    try:
        async with RouterClient(connection) as client:
            watch.sent()
            async with client.stream(body) as reply:
                try:
                    async for chunk in reply:
                        if reply.streamed and any(choice.text for choice in chunk.choices):
                            watch.first_token()
                            pieces += 1
                        if live is not None:
                            live.take(chunk)
                finally:
                    watch.ended()
                    completion = reply.completion()
    except PlaygroundError as problem:
        error = problem
    watch.ended()
    if live is not None and completion is not None:
        live.close(completion)
    usage = None if completion is None else completion.usage
    tokens = pieces if usage is None or usage.completion_tokens is None else usage.completion_tokens
    return Outcome(completion, error, watch.timings(tokens))


def report(outcome: Outcome, *, as_json: bool) -> None:
    """Says how the run ended, in a line or two to standard error; of what JSON tells only what went wrong."""
    match outcome.error:
        case None:
            if not as_json:
                complain(summary(outcome))
        case InvalidRequest() as refused:
            for problem in refused.problems:
                complain(problem.sentence)
        case error:
            complain(f"{error.cause}\n{error.next_step}".rstrip())


def summary(outcome: Outcome) -> str:
    """One line: finish reasons, usage, times, and which model answered."""
    completion, timings = outcome.completion or Completion(), outcome.timings
    parts = [", ".join(choice.finish_reason or "no finish reason" for choice in completion.choices) or "no text"]
    if completion.usage is not None:
        counts = ("?" if count is None else str(count) for count in (completion.usage.prompt_tokens, completion.usage.completion_tokens))
        parts.append(f"{' + '.join(counts)} tokens")
    if timings.first_token_s is not None:
        parts.append(f"first token {timings.first_token_s:.2f} s")
    if timings.total_s is not None:
        parts.append(f"total {timings.total_s:.2f} s")
    if timings.tokens_per_s is not None:
        parts.append(f"{timings.tokens_per_s:.0f} tokens/s")
    return " · ".join([*parts, *filter(None, [completion.model])])


def error_fields(error: PlaygroundError) -> dict[str, Any]:
    """An error as JSON: its kind, cause and next step, and what else it knows."""
    fields: dict[str, Any] = {"kind": error.kind, "cause": error.cause, "next_step": error.next_step}
    fields |= {name: value for name in _TOLD if (value := getattr(error, name, None)) is not None}
    if isinstance(error, InvalidRequest):
        fields["problems"] = [{"path": problem.path, "message": problem.message} for problem in error.problems]
    return fields


def write(text: str) -> None:
    """To standard output at once, in UTF-8 whatever the terminal's language."""
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def complain(text: str) -> None:
    """To standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
