"""Import: a pasted curl command of 200 KB, read into a draft and a report."""

from __future__ import annotations

import json
import shlex
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from core.connection import Connection
from core.importers import read_import
from core.snippets import call_to, language
from tests.benchmarks.row import Row, row

ROUNDS = 15
BODY: dict[str, Any] = {
    "model": "a/b",
    "prompt": 'it\'s "a line" of $text\n' * 8_000,
    "stop": ["\n\n", "it's"],
    "retry": {"count": 2, "on_codes": [429, 503]},
    "orq": {"inputs": {f"name{number}": f"value '{number}'" for number in range(200)}},
}


def _median_ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def run() -> Sequence[Row]:
    """Beside what a hand-written reader would use: shlex.split of the command and json.loads of its body."""
    there = Connection("c", "orq", "https://my.orq.ai", "/v2/router/completions")
    text = language("curl").write(call_to(BODY, there))
    short = text.replace("--data-binary @- <<'JSON'\n", "").removesuffix("\nJSON")
    quoted = short[: short.index("{")] + "-d " + shlex.quote(json.dumps(BODY))
    assert len(quoted) > 200_000
    assert read_import(quoted).draft["body"] == BODY
    reference = _median_ms(lambda: json.loads(shlex.split(quoted)[-1]))
    ours = _median_ms(lambda: read_import(quoted))
    return [row("import of a 200 KB curl command", "ms", ours, target="≤ 50 ms", reference=("shlex.split and json.loads", reference))]
