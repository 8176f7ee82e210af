"""A call as Python: the official client, httpx, and OpenAI's client; each waiting or asynchronous, streamed or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from textwrap import indent
from typing import Any, Final

from core.snippets.call import Call
from core.snippets.clients import DEFAULTS, python_changes, without_defaults
from core.snippets.text import PYTHON, python_text

OPENAI_FIELDS: Final = (
    *("model", "prompt", "best_of", "echo", "frequency_penalty", "logit_bias", "logprobs", "max_tokens", "n", "presence_penalty"),
    *("seed", "stop", "stream", "stream_options", "suffix", "temperature", "top_p", "user"),
)
"""Arguments of OpenAI's ``completions.create``; whatever else goes as ``extra_body``."""
_OFFICIAL_URL: Final = "https://my.orq.ai"
_UNSET_NOTE: Final = "Not set. The client would send defaults of its own; this keeps them off the wire."


def orq(call: Call, *, waits: bool = True) -> str:
    """The official client, ``orq-ai-sdk``."""
    changes = python_changes(call.body)
    sent = without_defaults(changes.applied(call.body))
    unset = [name for name in DEFAULTS if name not in call.body]
    arguments = _arguments(sent, call.deprecated)
    if unset or "stream" not in call.body:
        arguments += [f"# {_UNSET_NOTE}", *(f"{name}=UNSET," for name in unset)]
        arguments += [] if "stream" in call.body else ["stream=None,"]
    if call.headers:
        arguments.append(f"http_headers={_headers(call)},")
    server = "" if call.base_url == _OFFICIAL_URL else f", server_url={python_text(call.base_url)}"
    client = f"Orq(api_key={_variable(call.key_variable)}{server}) as orq"
    create = _called("orq.router.completions.create" + ("" if waits else "_async"), arguments)
    streamed = ["for event in events:", "    for choice in event.data.choices:", '        print(choice.text, end="", flush=True)']
    imports = ["import os", "", "from orq_ai_sdk import Orq", *(["from orq_ai_sdk.types import UNSET"] if unset else [])]
    return _program(call, imports, client, create, streamed, waits=waits, notes=changes.sentences())


def openai(call: Call, *, waits: bool = True) -> str:
    """OpenAI's client, ``openai``; fields it does not know go as they are."""
    known = {name: value for name, value in call.body.items() if name in OPENAI_FIELDS}
    others = {name: value for name, value in call.body.items() if name not in OPENAI_FIELDS}
    arguments = _arguments(known, {})
    if others:
        arguments.append(f"extra_body={PYTHON.value(others, 0, call.deprecated)},")
    if call.headers:
        arguments.append(f"extra_headers={_headers(call)},")
    base = python_text(call.url.removesuffix("/completions"))
    client = f"{'' if waits else 'Async'}OpenAI(api_key={_variable(call.key_variable)}, base_url={base}) as client"
    streamed = ["for chunk in events:", "    for choice in chunk.choices:", '        print(choice.text, end="", flush=True)']
    imports = ["import os", "", f"from openai import {'' if waits else 'Async'}OpenAI"]
    return _program(call, imports, client, _called("client.completions.create", arguments), streamed, waits=waits, notes=())


def _program(call: Call, imports: list[str], client: str, create: str, streamed: list[str], *, waits: bool, notes: Iterable[str]) -> str:
    """A client's call inside its ``with``, and what prints the answer."""
    await_ = "" if waits else "await "
    async_ = "" if waits else "async "
    if call.streams:
        inside = f"{async_}with {await_}{create} as events:\n" + indent("\n".join([async_ + streamed[0], *streamed[1:]]), "    ")
    else:
        inside = f"completion = {await_}{create}\nfor choice in completion.choices:\n    print(choice.text)"
    code = f"{async_}with {client}:\n{indent(inside, '    ')}"
    return _whole(call, imports, code, waits=waits, notes=notes)


def httpx(call: Call, *, waits: bool = True) -> str:
    """httpx, without any client of an API."""
    async_, await_ = ("", "") if waits else ("async ", "await ")
    sent = '"POST", url, headers=headers, json=body, timeout=600'
    body = f"url = {python_text(call.url)}\nheaders = {_headers(call, key=True)}\nbody = {PYTHON.value(call.body, 0, call.deprecated)}\n\n"
    client = "httpx.Client()" if waits else "httpx.AsyncClient()"
    if call.streams:
        inside = f"{async_}with client.stream({sent}) as response:\n" + indent(_FRAMES.format(async_=async_, a=async_[:1]), "    ")
    else:
        inside = f"response = {await_}client.request({sent})\n" + _WHOLE
    code = f"{async_}with {client} as client:\n{indent(inside, '    ')}"
    imports = [*(["import json"] if call.streams else []), "import os", "", "import httpx"]
    return _whole(call, imports, code, waits=waits, notes=(), before=body)


_WHOLE: Final = """response.raise_for_status()
for choice in response.json()["choices"]:
    print(choice["text"])"""
_FRAMES: Final = """response.raise_for_status()
pending = b""
{async_}for piece in response.{a}iter_bytes():
    *lines, pending = (pending + piece).split(b"\\n")
    for line in lines:
        if line.startswith(b"data: ") and line.strip() != b"data: [DONE]":
            for choice in json.loads(line[6:]).get("choices", []):
                print(choice["text"], end="", flush=True)"""


def _whole(call: Call, imports: list[str], code: str, *, waits: bool, notes: Iterable[str], before: str = "") -> str:
    head = "".join(f"# {sentence}\n" for sentence in (*call.notes, *notes))
    if waits:
        return f"{head}{chr(10).join(imports)}\n\n{before}{code}"
    imports = ["import asyncio", *imports]
    return f"{head}{chr(10).join(imports)}\n\n{before}\nasync def main() -> None:\n{indent(code, '    ')}\n\n\nasyncio.run(main())"


def _arguments(fields: Mapping[str, Any], comments: Mapping[str, str]) -> list[str]:
    lines: list[str] = []
    for name, value in fields.items():
        lines += [f"# {comments[name]}"] if name in comments else []
        lines.append(f"{name}={PYTHON.value(value, 0, comments, name)},")
    return lines


def _called(function: str, arguments: list[str]) -> str:
    return f"{function}(\n" + indent("\n".join(arguments), "    ") + "\n)"


def _variable(name: str) -> str:
    return f"os.environ[{python_text(name)}]"


def _headers(call: Call, *, key: bool = False) -> str:
    """The connection's headers as a dictionary, with the key where no client adds it."""
    pairs = [f'"Authorization": "Bearer " + {_variable(call.key_variable)}'] if key else []
    for header in call.headers:
        value = _variable(header.variable) if header.variable else python_text(header.value)
        pairs.append(f"{python_text(header.name)}: {value}")
    return "{" + ", ".join(pairs) + "}"
