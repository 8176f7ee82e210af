"""Calls as people paste them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.importers import InvalidImport, read_import
from core.preset.content import DraftContent
from core.preset.document import write_presets
from core.preset.preset import NewPreset, label

BODY = {"model": "a/b", "prompt": 'it\'s "x"\nnew', "max_tokens": 5}
JSON = json.dumps(BODY)
SQ = JSON.replace("'", "'\\''")
URL = "https://my.orq.ai/v2/router/completions"

CURLS = {
    "plain": f"curl {URL} -H 'Authorization: Bearer $KEY' -d '{SQ}'",
    "joined options": f"curl -sSN -XPOST {URL} -d'{SQ}'",
    "continued lines": f"curl {URL} \\\n  -H 'Content-Type: application/json' \\\r\n  --data-raw '{SQ}'",
    "json option": f"curl --json '{SQ}' {URL}",
    "json in two parts": f"curl --json '{SQ[:20]}' --json '{SQ[20:]}' {URL}",
    "ansi quotes": "curl " + URL + " --data-raw $'" + JSON.replace("\\", "\\\\").replace("'", "\\'") + "'",
    "double quotes": f"curl {URL} -d " + '"' + JSON.replace("\\", "\\\\").replace('"', '\\"') + '"',
    "heredoc": f"curl {URL} --data @- <<'EOF'\n{JSON}\nEOF\n",
    "heredoc, indented mark": f"curl {URL} --data-binary @- <<-EOF\n{JSON}\n\tEOF\necho done",
    "cat in a pipe": f"cat <<'EOF' | curl {URL} -d @-\n{JSON}\nEOF",
    "echo in a pipe": f"echo '{SQ}' | curl {URL} --data @-",
    "here string": f"curl {URL} --data @- <<< '{SQ}'",
    "after other commands": f"export A=b; cd /tmp && /usr/bin/curl --url {URL} --data='{SQ}' | jq .",
    "powershell": f"curl.exe {URL} `\n  --data-raw '" + JSON.replace("'", "''") + "'",
    "powershell here string": f"@'\n{JSON}\n'@ | curl.exe {URL} --data-binary '@-'",
    "invoke": f'Invoke-RestMethod -Uri "{URL}" -Method Post -Headers @{{ "Authorization"="Bearer x" }} -Body \''
    + JSON.replace("'", "''")
    + "'",
}


@pytest.mark.parametrize("name", CURLS)
def test_a_pasted_command_is_read(name: str) -> None:
    read = read_import(CURLS[name])
    assert read.draft["body"] == BODY
    assert read.url == URL


def test_a_command_copied_from_a_browser_for_cmd_is_read() -> None:
    pasted = f'curl ^"{URL}^" ^\n  -H ^"accept: */*^" ^\n  -H ^"authorization: Bearer sk-1^" ^\n  --data-raw ^"^{{^\\^"model^\\^":^\\^"a/b^\\^",^\\^"prompt^\\^":^\\^"50^% ^& more^\\^"^}}^"'  # noqa: E501
    read = read_import(pasted)
    assert read.draft["body"] == {"model": "a/b", "prompt": "50% & more"}
    assert read.secrets == ("the header authorization",)


SEED = """
from orq_ai_sdk import Orq
import os
with Orq(
    api_key=os.getenv("ORQ_API_KEY", ""),
) as orq:
    res = orq.router.completions.create(model="XC90", prompt="<value>", echo=False, frequency_penalty=0, n=1, retry={
        "on_codes": [429, 500],
    }, cache={"ttl": 3600, "type": "exact_match"},
    load_balancer={"type": "weight_based", "models": [{"model": "openai/gpt-4o", "weight": 0.7}]},
    timeout={"call_timeout": 30000}, stream=False)
    with res as event_stream:
        for event in event_stream:
            print(event, flush=True)
"""


def test_the_seed_pages_own_example_is_read() -> None:
    read = read_import(SEED)
    assert read.draft["body"]["load_balancer"] == {"type": "weight_based", "models": [{"model": "openai/gpt-4o", "weight": 0.7}]}
    assert read.draft["body"]["timeout"] == {"call_timeout": 30000}
    assert read.count("rejected") == 0


def test_python_is_read_through_names_and_models_and_says_what_only_running_would_tell() -> None:
    read = read_import(
        "from orq_ai_sdk import Orq, models\nfrom orq_ai_sdk.types import UNSET\nMODEL: str = 'a/b'\nLINES = 'one ' 'two'\n"
        "orq = Orq(api_key='sk-live-123456789012', server_url='https://h/')\n"
        "orq.router.completions.create(model=MODEL, prompt=LINES + '\\nthree', temperature=None, user=None, max_tokens=UNSET, seed=int(input()),\n"  # noqa: E501
        "  retry=models.CreateCompletionRetry(count=2, on_codes=[429]), stop=get_stops(), retries=None, **{'n': 2})"
    )
    assert read.draft["body"] == {
        "model": "a/b",
        "prompt": "one two\nthree",
        "temperature": None,
        "retry": {"count": 2, "on_codes": [429]},
        "n": 2,
    }
    assert {line.path for line in read.lines if line.verdict == "rejected"} == {"seed", "stop"}
    assert read.secrets == ("api_key in Orq(…)",)


def test_nothing_in_a_program_is_executed(tmp_path: Any) -> None:
    trap = tmp_path / "ran"
    read = read_import(f"import pathlib\nclient.completions.create(model='m', prompt=pathlib.Path({str(trap)!r}).write_text('x'))")
    assert not trap.exists()
    assert [line.path for line in read.lines if line.verdict == "rejected"] == ["prompt"]


def test_javascript_is_read_as_it_is_written_by_hand() -> None:
    read = read_import(
        "import OpenAI from 'openai'\nconst model = `a/b`\nconst client = new OpenAI({apiKey: 'sk-abc', baseURL: 'http://h/v1'})\n"
        "const r = await client.completions.create({ model, prompt: 'it\\'s ' + \"x\", max_tokens: 1_0, 'stop': ['a',], n: pick(), logprobs: 2, // c\n})"  # noqa: E501
    )
    assert read.draft["body"] == {"model": "a/b", "prompt": "it's x", "max_tokens": 10, "stop": ["a"]}
    assert json.loads(read.draft["extra"]) == {"logprobs": 2}
    assert read.url == "http://h/v1/completions"
    assert ("n", "rejected") in {(line.path, line.verdict) for line in read.lines}


def test_a_har_file_and_a_preset_are_read() -> None:
    entry = {"request": {"url": URL, "headers": [{"name": "Cookie", "value": "sk-c"}], "cookies": [{}], "postData": {"text": JSON}}}
    for har in (entry, {"log": {"entries": [{"request": {"url": "https://x/y"}}, entry]}}):
        read = read_import(json.dumps(har))
        assert (read.draft["body"], read.url) == (BODY, URL)
        assert "sk-c" not in repr(read)


def test_a_preset_is_read_from_both_its_forms() -> None:
    draft = NewPreset(label("mine"), DraftContent({"model": "a/b", "prompt": "p"}, '{"x": 1}'))
    for form in ("json", "yaml"):
        read = read_import(write_presets([draft], form), f"mine.{form}")
        assert (read.source, read.draft["body"]) == ("preset", {"model": "a/b", "prompt": "p"})
        assert json.loads(read.draft["extra"]) == {"x": 1}


def test_the_report_says_field_by_field_what_became_of_it() -> None:
    read = read_import(
        json.dumps({**BODY, "temperature": 9, "logit_bias": {"1": 2}, "messages": [], "orq": {"retry": {"count": 77}, "name": "n"}})
    )
    lines = {line.path: line.verdict for line in read.lines}
    assert lines == {
        **dict.fromkeys(("model", "prompt", "max_tokens", "orq.name"), "understood"),
        "logit_bias": "kept raw",
        **dict.fromkeys(("temperature", "messages", "orq.retry.count"), "rejected"),
    }
    assert all(line.text for line in read.lines)


def test_secrets_are_removed_and_named_wherever_they_stand() -> None:
    pasted = (
        "curl 'https://ann:pw-canary@h/v1/completions?api_key=q-canary' -u a:u-canary -b 'sid=c-canary' -H 'X-Api-Key: h-canary' -H 'X-Team: a' -d '"  # noqa: E501
        + json.dumps({**BODY, "prompt": "p", "api_key": "f-canary", "extra": "sk-canary0123456789"})
        + "'"
    )
    read = read_import(pasted)
    assert "canary" not in repr(read)
    assert len(read.secrets) == 7
    assert read.draft["body"] == {**BODY, "prompt": "p"}
    assert ("header X-Team", "rejected") in {(line.path, line.verdict) for line in read.lines}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "hello",
        "{",
        "[]",
        "{}",
        "{'a': 1}",
        '{"a": 1}',
        "curl",
        "wget x",
        "import os",
        "curl 'x",
        "{" * 5000,
        "[" * 100_000,
        "x = " + "(" * 5000,
    ],
)
def test_what_holds_no_call_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidImport) as refused:
        read_import(text)
    assert refused.value.cause


def test_what_lies_in_a_file_is_said_to_be_missing() -> None:
    read = read_import(f"curl {URL} -d @body.json")
    assert [(line.path, line.verdict) for line in read.lines] == [("body", "rejected"), ("body", "rejected")][: len(read.lines)]
    assert "body.json" in read.lines[0].text


TWICE = (
    '{"model": "a/b", "model": "c/d", "orq": {"thread": {"id": "1", "id": "2"}}, '
    '"fallbacks": [{"model": "x", "model": "y"}], "prompt": "p"}'
)


@pytest.mark.parametrize(
    "text",
    [TWICE, f"curl {URL} -d '{TWICE}'", f'{{"body": {TWICE}}}', json.dumps({"request": {"url": URL, "postData": {"text": TWICE}}})],
    ids=["json", "curl", "envelope", "har"],
)
def test_fields_that_stand_there_twice_are_named_and_the_last_ones_are_taken(text: str) -> None:
    read = read_import(text)
    assert read.draft["body"] == {
        "model": "c/d",
        "orq": {"thread": {"id": "2"}},
        "fallbacks": [{"model": "y"}],
        "prompt": "p",
    }
    said = [line for line in read.lines if line.verdict == "rejected"]
    assert [line.path for line in said] == ["model", "orq.thread.id", "fallbacks.0.model"]
    assert {line.text for line in said} == {"it stands there more than once; the last one is taken"}


def test_equal_names_in_different_objects_are_no_repeats() -> None:
    read = read_import('{"model": "a", "prompt": "p", "fallbacks": [{"model": "x"}, {"model": "y"}], "orq": {"name": "n"}, "name": "n"}')
    assert not read.count("rejected")
