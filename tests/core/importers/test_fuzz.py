"""No paste makes an importer crash, hang or take much memory. ``FUZZ_CASES=10000`` tries that many of each."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.connection import Connection
from core.importers import InvalidImport, read_import
from core.snippets import LANGUAGES, call_to
from tests.core.snippets.test_snippets import BODIES

CASES = int(os.environ.get("FUZZ_CASES", "150"))
MOST_S = 1.0
MOST_BYTES = 64 * 1024 * 1024
CALL = call_to(
    {"model": "m", **BODIES["everything"]}, Connection("c", "orq", "https://h", "/v2/router/completions", headers={"X-Key": "k"})
)
SAMPLES = {one.id: one.write(CALL) for one in LANGUAGES} | {
    "har": json.dumps({"log": {"entries": [{"request": {"url": "https://h", "headers": [], "postData": {"text": "{}"}}}]}}),
    "preset": "format: router-playground/preset\nformat_version: 1\nname: n\ndraft:\n  body: {model: m}\n",
    "heredoc": "cat <<'E' | curl -d @- https://h $'\\x41' \\\n{\"model\": 1}\nE\n",
}
PIECES = st.sampled_from(
    [*list("'\"`\\$(){}[]<>|;&#^@%:,=\n\t \x00"), "<<E", "$'", "@'\n", "\n'@", "curl ", " -d ", "f'{", '"""', "�", "\u2028", "1e999"]
)


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(st.tuples(st.integers(0, 2**32), st.integers(0, 30), st.text(max_size=4) | PIECES), max_size=6))
def test_a_damaged_call_is_read_or_refused(name: str, cuts: list[tuple[int, int, str]]) -> None:
    text = SAMPLES[name]
    for place, length, put in cuts:
        at = place % (len(text) + 1)
        text = text[:at] + put + text[at + length :]
    reads(text)


@settings(max_examples=CASES, deadline=None)
@given(st.text() | st.lists(PIECES | st.sampled_from(list(SAMPLES.values())), max_size=8).map("".join) | st.binary())
def test_anything_is_read_or_refused(text: str | bytes) -> None:
    reads(text)


def reads(text: str | bytes) -> None:
    if taken_s(text) >= MOST_S:  # a collection of hypothesis's own memory may have fallen into it: 1.1 s of 3 ms, once in 30,000
        assert taken_s(text) < MOST_S


def taken_s(text: str | bytes) -> float:
    began = time.process_time()
    with contextlib.suppress(InvalidImport):
        read_import(text)
    return time.process_time() - began


@functools.cache
def huge() -> dict[str, str]:
    letters = random.Random(1)
    noise = "".join(letters.choices("'\"`\\$(){}[]<>|;&#^ \nab", k=900_000))
    return {
        "long prompt": json.dumps({"model": "m", "prompt": "x" * 3_900_000}),
        "many numbers": '{"model": "m", "stop": [' + "1," * 1_000_000 + "1]}",
        "many objects": '{"model": "m", "fallbacks": [' + "{}," * 19_000 + "{}]}",
        "many fields": json.dumps({"model": "m", **{f"f{n}": n for n in range(19_000)}}),
        "empty lists": "[" + "[]," * 1_000_000 + "[]]",
        "open quotes": "curl " + "'a' \"b\" " * 100_000 + "'",
        "backslashes": 'curl -d "' + "\\" * 900_000,
        "ansi": "curl -d $'" + "\\x41" * 200_000 + "'",
        "carets": 'curl ^\n -d "' + '^\\"' * 300_000 + '"',
        "powershell": "@'\n" + "a`'\n" * 200_000,
        "here": "curl -d @- <<E\n" + "E \n" * 250_000,
        "python list": "import x\nclient.completions.create(stop=[" + "1," * 400_000 + "])",
        "python nest": "import x\nclient.completions.create(stop=" + "[" * 90 + "]" * 90 + ")",
        "python unary": "import x\nx.completions.create(seed=" + "-" * 25_000 + "1)",
        "python sums": "import x\nx.completions.create(prompt=" + "'a'+" * 9_000 + "'a')",
        "python string": "import x\nx.completions.create(prompt='" + "y" * 900_000 + "')",
        "python names": "\n".join(f"a{n} = [a{n - 1}, a{n - 1}]" for n in range(1, 60)) + "\nimport x\nx.completions.create(stop=a59)",
        "javascript": "const a = 1; await client.completions.create({a: " + "[" * 10_000,
        "javascript names": "const a0 = [1];"
        + ";".join(f"const a{n} = [a{n - 1}, a{n - 1}]" for n in range(1, 60))
        + ";x.completions.create({stop: a59})",
        "noise": "curl " + noise,
        "yaml": "format: a\n" + "a: &a [*a, *a]\n" * 1000,
    }


@pytest.mark.parametrize("name", huge())
def test_a_huge_paste_stays_within_bounds(name: str) -> None:
    text = huge()[name]
    reads(text)
    tracemalloc.start()
    try:
        read_import(text)
    except InvalidImport:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST_BYTES
