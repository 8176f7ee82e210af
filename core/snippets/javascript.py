"""A call as JavaScript for Node: plain ``fetch``, the official client, and OpenAI's client. All are modules (``.mjs``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from core.snippets.call import FIELDS, FILTER, FREE, Call
from core.snippets.clients import javascript_changes, node_changes
from core.snippets.text import JAVASCRIPT, javascript_text

_OFFICIAL_URL: Final = "https://my.orq.ai"


def fetch(call: Call) -> str:
    """``fetch``, without any package."""
    headers = _headers(call, key=True)
    body = JAVASCRIPT.value(call.body, 1, call.deprecated)
    code = f"""const response = await fetch({javascript_text(call.url)}, {{
  method: "POST",
  headers: {headers},
  body: JSON.stringify({body}),
}});
if (!response.ok) throw new Error(`${{response.status}} ${{await response.text()}}`);
"""
    return _head(call, javascript_changes(call.body).sentences()) + code + (_FRAMES if call.streams else _WHOLE)


_WHOLE: Final = """const completion = await response.json();
for (const choice of completion.choices) console.log(choice.text);"""
_FRAMES: Final = """let pending = "";
for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
  const lines = (pending + piece).split("\\n");
  pending = lines.pop();
  for (const line of lines) {
    if (!line.startsWith("data: ") || line.trim() === "data: [DONE]") continue;
    for (const choice of JSON.parse(line.slice(6)).choices ?? []) process.stdout.write(choice.text);
  }
}"""


def orq(call: Call) -> str:
    """The official client, ``@orq-ai/node``."""
    changes = node_changes(call.body)
    sent = camel({name: value for name, value in call.body.items() if (name,) not in changes.dropped})
    server = "" if call.base_url == _OFFICIAL_URL else f", serverURL: {javascript_text(call.base_url)}"
    client = f'import {{ Orq }} from "@orq-ai/node";\n\nconst orq = new Orq({{ apiKey: process.env.{call.key_variable}{server} }});\n'
    return (
        _head(call, changes.sentences())
        + client
        + _created(call, "orq.router.completions.create", sent, "event.data.choices", "fetchOptions: ")
    )


def openai(call: Call) -> str:
    """OpenAI's client, ``openai``; it sends every field as it is."""
    base = javascript_text(call.url.removesuffix("/completions"))
    client = f'import OpenAI from "openai";\n\nconst client = new OpenAI({{ apiKey: process.env.{call.key_variable}, baseURL: {base} }});\n'
    notes = javascript_changes(call.body).sentences()
    return _head(call, notes) + client + _created(call, "client.completions.create", call.body, "event.choices", "")


def _created(call: Call, function: str, sent: Mapping[str, Any], choices: str, options: str) -> str:
    second = f", {{ {options}{'{ ' if options else ''}headers: {_headers(call)}{' }' if options else ''} }}" if call.headers else ""
    created = f"await {function}({JAVASCRIPT.value(sent, 0, call.deprecated)}{second});\n"
    if call.streams:
        printed = f"  for (const choice of {choices}) process.stdout.write(choice.text);"
        return f"const events = {created}for await (const event of events) {{\n{printed}\n}}"
    return f"const completion = {created}for (const choice of completion.choices) console.log(choice.text);"


def camel(value: Any, names: tuple[str, ...] = ()) -> Any:
    """``value`` with the contract's own names in the client's spelling (``max_tokens`` as ``maxTokens``); people's own keys stay."""
    if isinstance(value, list | tuple):
        return [camel(item, names) for item in value]
    if names == ("orq", "inputs", "[]"):
        return {"isPii" if name == "is_pii" else name: inner for name, inner in value.items()}
    if not isinstance(value, Mapping) or names in FREE or names == FILTER or names[-1:] == ("entity_thresholds",):
        return value
    spelt = {}
    for name, inner in value.items():
        at = (*names, name)
        if at == ("orq", "inputs") and isinstance(inner, list | tuple):
            spelt[name] = [camel(item, (*at, "[]")) for item in inner]
        else:
            spelt[camel_name(name) if at in FIELDS else name] = camel(inner, at)
    return spelt


def camel_name(name: str) -> str:
    """``max_tokens`` as ``maxTokens``."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def _head(call: Call, notes: Iterable[str]) -> str:
    return "".join(f"// {sentence}\n" for sentence in (*call.notes, *notes))


def _headers(call: Call, *, key: bool = False) -> str:
    pairs = [f"Authorization: `Bearer ${{process.env.{call.key_variable}}}`", '"Content-Type": "application/json"'] if key else []
    for header in call.headers:
        value = f"process.env.{header.variable}" if header.variable else javascript_text(header.value)
        pairs.append(f"{javascript_text(header.name)}: {value}")
    return "{ " + ", ".join(pairs) + " }"
