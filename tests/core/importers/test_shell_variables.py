"""What only a shell knows is named in the report, whichever way it is quoted; what quotes keep stays a text."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest

from core.importers import InvalidImport, read_import

URL = "https://my.orq.ai/v2/router/completions"


def verdicts(text: str) -> dict[str, list[str]]:
    """The verdicts of each field that was not simply understood."""
    found: dict[str, list[str]] = {}
    for line in read_import(text).lines:
        if line.verdict != "understood":
            found.setdefault(line.path, []).append(f"{line.verdict}: {line.text}")
    return found


VARIABLE = "rejected: it is {}, whose value only the shell knows"
INSIDE = "kept raw: {} in it stays as it is written, for only the shell knows the value"


@pytest.mark.parametrize(
    ("data", "body", "told"),
    [
        (r'-d "{\"model\": \"$MODEL\", \"prompt\": \"p\"}"', {"prompt": "p"}, {"model": VARIABLE.format("$MODEL")}),
        (r'-d "{\"model\": \"${M:-x}\", \"prompt\": \"p\"}"', {"prompt": "p"}, {"model": VARIABLE.format("${M:-x}")}),
        ("""-d '{"model": "'"$MODEL"'", "prompt": "p"}'""", {"prompt": "p"}, {"model": VARIABLE.format("$MODEL")}),
        ("""-d '{"model": "'$MODEL'", "prompt": "p"}'""", {"prompt": "p"}, {"model": VARIABLE.format("$MODEL")}),
        ("""-d '{"max_tokens": '$N', "prompt": "p"}'""", {"prompt": "p"}, {"max_tokens": VARIABLE.format("$N")}),
        (
            r'-d "{\"prompt\": \"Dear $NAME of ${TOWN}, it costs \$5\"}"',
            {"prompt": "Dear $NAME of ${TOWN}, it costs $5"},
            {"prompt": INSIDE.format("$NAME, ${TOWN}")},
        ),
        (
            '-d @- <<EOF\n{"model": "$MODEL", "prompt": "\\$5 is \\"5\\"\\n", "retry": {"count": $N}}\nEOF',
            {"prompt": '$5 is "5"\n'},
            {"model": VARIABLE.format("$MODEL"), "retry.count": VARIABLE.format("$N")},
        ),
        (r'-d "{\"prompt\": \"`date`\"}"', {}, {"prompt": VARIABLE.format("a command's output")}),
        (r'-d "{\"stop\": [\"a\", \"$S\"], \"prompt\": \"p\"}"', {"stop": ["a"], "prompt": "p"}, {"stop.1": VARIABLE.format("$S")}),
        ('-d "$BODY"', {}, {"body": VARIABLE.format("$BODY")}),
        ('-d "$(cat body.json)"', {}, {"body": VARIABLE.format("a command's output")}),
        ("""-d '{"prompt": "costs $5 or ${X} or `x`"}'""", {"prompt": "costs $5 or ${X} or `x`"}, {}),
        ('-d @- <<\'EOF\'\n{"prompt": "$X"}\nEOF', {"prompt": "$X"}, {}),
        ('-d @- <<\\EOF\n{"prompt": "$X"}\nEOF', {"prompt": "$X"}, {}),
        ("""-d $'{"prompt": "$X"}'""", {"prompt": "$X"}, {}),
    ],
)
def test_what_only_the_shell_knows_is_named_and_not_taken_for_a_text(data: str, body: dict[str, Any], told: dict[str, str]) -> None:
    text = f'curl {URL} -H "Authorization: Bearer $KEY" {data}'
    assert read_import(text).draft["body"] == body
    assert verdicts(text) == {path: [said] for path, said in told.items()}


def test_what_the_pasted_script_assigns_itself_is_filled_in() -> None:
    text = 'export MODEL=a/b N=5\nKEY="sk-canary0123456789"\nWHO=$USER\n' + (
        f'curl {URL} -H "Authorization: Bearer $KEY" -d "{{\\"model\\": \\"${{MODEL}}\\", \\"max_tokens\\": $N, \\"prompt\\": \\"$WHO\\"}}"'
    )
    read = read_import(text)
    assert read.draft["body"] == {"model": "a/b", "max_tokens": 5}
    assert verdicts(text) == {"prompt": [VARIABLE.format("$WHO")]}
    assert "canary" not in repr(read)


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("curl.exe " + URL + ' `\n -d "{""model"": ""$env:MODEL"", ""prompt"": ""p""}"', "$env:MODEL"),
        ('Invoke-RestMethod -Uri "$base/v2" -Body @"\n{"model": "$model", "prompt": "p"}\n"@', "$model"),
        ("curl " + URL + ' ^\n -d "{\\"model\\": \\"%MODEL%\\", \\"prompt\\": \\"p\\"}"', "%MODEL%"),
    ],
    ids=["powershell", "invoke", "cmd"],
)
def test_variables_of_windows_are_named_too(text: str, model: str) -> None:
    assert read_import(text).draft["body"] == {"prompt": "p"}
    assert verdicts(text) == {"model": [VARIABLE.format(model)]}


def test_characters_that_no_text_has_are_no_marks() -> None:
    prompt = "".join(map(chr, range(0xFDD0, 0xFDF0)))
    for spelt in (json.dumps({"prompt": prompt}), json.dumps({"prompt": prompt}, ensure_ascii=False)):
        read = read_import(f"curl {URL} -H \"X: $KEY\" -d '{spelt}'")
        assert read.draft["body"] == {"prompt": prompt}


@pytest.mark.parametrize("piece", ["\\", "$", "${", "$(", "`", '\\"', "$a", "`$", "%a", "a=$b;"])
def test_signs_of_shells_by_the_hundred_thousand_do_not_hang(piece: str) -> None:
    for quote in ('"', "", "<<E\n"):
        text = f"curl {URL} -d {quote}" + piece * (300_000 // len(piece)) + "x" + (quote if quote == '"' else "")
        began = time.process_time()
        with contextlib.suppress(InvalidImport):
            read_import(text)
        assert time.process_time() - began < 5
