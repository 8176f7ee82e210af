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
import json
import os
import sys
from collections.abc import Sequence

from core.connection import DEFAULT_PATHS
from core.errors import InvalidPreset, InvalidRequest
from core.metrics import Timings
from core.share.reading import NotReadable
from core.terminal.call import Outcome, connection_for, run
from core.terminal.live_text import LiveText
from core.terminal.requests import read_slots
from core.terminal.streams import complain, write
from core.terminal.telling import by_slot, heading, report

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


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
        write(json.dumps(by_slot(outcomes) if compared else outcomes[0][1].to_dict(), ensure_ascii=False) + "\n")
    errors = [outcome.error for _, outcome in outcomes if outcome.error is not None]
    if not errors:
        return DONE
    return BAD_INPUT if any(isinstance(error, InvalidRequest | InvalidPreset | NotReadable) for error in errors) else FAILED


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


if __name__ == "__main__":
    sys.exit(main())
