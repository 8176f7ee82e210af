"""The languages a call can be written in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from core.snippets import curl, javascript, python
from core.snippets.call import Call
from core.snippets.clients import SDK_PATH
from core.snippets.text import json_text

Needs = Literal["", "orq", "openai"]


@dataclass(frozen=True, slots=True)
class Language:
    """One way to write a call.

    ``file`` is a name to save it under, ``highlight`` what Streamlit colours it as, ``install`` the command that installs what it needs.
    """

    id: str
    label: str
    file: str
    highlight: str
    write: Callable[[Call], str]
    needs: Needs = ""
    install: str = ""

    def fits(self, call: Call) -> bool:
        """Whether its client can reach the call's address at all."""
        if self.needs == "orq":
            return call.kind != "openai" and call.path == SDK_PATH
        return self.needs != "openai" or call.path.endswith("/completions")


def _raw(call: Call) -> str:
    return json_text(call.body)


LANGUAGES: tuple[Language, ...] = (
    Language("curl", "curl", "request.sh", "bash", curl.bash),
    Language("orq-python", "Python · orq-ai-sdk", "request.py", "python", python.orq, "orq", "pip install orq-ai-sdk"),
    Language(
        *("orq-python-async", "Python · orq-ai-sdk, async", "request.py", "python"),
        partial(python.orq, waits=False),
        "orq",
        "pip install orq-ai-sdk",
    ),
    Language("openai-python", "Python · openai", "request.py", "python", python.openai, "openai", "pip install openai"),
    Language(
        *("openai-python-async", "Python · openai, async", "request.py", "python"),
        partial(python.openai, waits=False),
        "openai",
        "pip install openai",
    ),
    Language("httpx", "Python · httpx", "request.py", "python", python.httpx, install="pip install httpx"),
    Language(
        "httpx-async", "Python · httpx, async", "request.py", "python", partial(python.httpx, waits=False), install="pip install httpx"
    ),
    Language("orq-node", "Node · @orq-ai/node", "request.mjs", "javascript", javascript.orq, "orq", "npm install @orq-ai/node"),
    Language("openai-node", "Node · openai", "request.mjs", "javascript", javascript.openai, "openai", "npm install openai"),
    Language("fetch", "Node · fetch", "request.mjs", "javascript", javascript.fetch),
    Language("curl-powershell", "curl · PowerShell", "request.ps1", "powershell", curl.powershell),
    Language("curl-cmd", "curl · cmd.exe", "request.bat", "batch", curl.cmd),
    Language("json", "Raw JSON", "request.json", "json", _raw),
)
"""All of them, in the order they are offered."""


def languages(call: Call) -> tuple[Language, ...]:
    """Those that can make ``call``."""
    return tuple(one for one in LANGUAGES if one.fits(call))


def language(name: str) -> Language:
    """The language with this id; raises ``KeyError``."""
    return {one.id: one for one in LANGUAGES}[name]
