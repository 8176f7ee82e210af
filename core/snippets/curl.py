"""A call as curl, for three shells."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from core.snippets.call import Call, Header
from core.snippets.text import json_text

ARGUMENT_BYTES: Final = 100_000
"""Linux takes no argument longer than 128 KiB; a longer body goes through standard input."""
CMD_CHARACTERS: Final = 8_000
"""cmd.exe takes no line longer than 8191."""
CMD_FILE: Final = "request.json"


def bash(call: Call) -> str:
    """For bash, zsh and other POSIX shells."""
    body = json_text(call.body)
    long = len(body.encode("utf-8", "surrogatepass")) > ARGUMENT_BYTES
    data = "--data-binary @- <<'JSON'\n" + body + "\nJSON" if long else f"--data {quoted(body)}"
    return _comments(call, "#") + " \\\n  ".join(
        [
            f"curl {'--no-buffer ' if call.streams else ''}{quoted(call.url)}",
            f'--header "Authorization: Bearer ${call.key_variable}"',
            "--header 'Content-Type: application/json'",
            *(f"--header {_bash_header(header)}" for header in call.headers),
            data,
        ]
    )


def quoted(text: str) -> str:
    """``text`` as one word of a POSIX shell."""
    return text if re.fullmatch(r"[\w@%+=:,./-]+", text, re.ASCII) else "'" + text.replace("'", "'\\''") + "'"


def _bash_header(header: Header) -> str:
    if header.variable:
        return quoted(f"{header.name}: ") + f'"${header.variable}"'
    return quoted(f"{header.name}: {header.value}" if header.value else f"{header.name};")


def cmd(call: Call) -> str:
    """For cmd.exe. Every character that cmd or a program's own reading of quotes could take for its own is an escape of JSON's."""
    body = cmd_json(call.body)
    long = len(body) > CMD_CHARACTERS
    notes = (f"Longer than cmd.exe takes in a line: save the raw JSON as {CMD_FILE} beside it.",) if long else ()
    return _comments(call, "rem", *notes) + " ^\n  ".join(
        [
            f'curl {"--no-buffer " if call.streams else ""}"{call.url}"',
            f'--header "Authorization: Bearer %{call.key_variable}%"',
            '--header "Content-Type: application/json"',
            *(f'--header "{header.name}: {_cmd_value(header)}"' for header in call.headers),
            f"--data-binary @{CMD_FILE}" if long else f'--data "{body}"',
        ]
    )


def cmd_json(value: Any) -> str:
    """``value`` as JSON in ASCII inside cmd's quotes: quotes as ``\\"``, and no other character that means something to cmd."""
    if isinstance(value, str):
        return '\\"' + "".join(map(_cmd_character, value)) + '\\"'
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(cmd_json, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{cmd_json(name)}:{cmd_json(inner)}" for name, inner in value.items()) + "}"
    return json.dumps(value)


def _cmd_character(character: str) -> str:
    if re.fullmatch(r"[\w .,:/-]", character, re.ASCII):
        return character
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))


def _cmd_value(header: Header) -> str:
    unsafe = header.variable or (re.sub(r"\W", "_", header.name).upper() if re.search(r'["%!^&<>|]', header.value) else "")
    return f"%{unsafe}%" if unsafe else header.value


def powershell(call: Call) -> str:
    """For PowerShell: the body goes through a pipe, for PowerShell 5 loses quotes in arguments."""
    return "\n".join(
        [
            _comments(call, "#") + "@'",
            json_text(call.body, ascii_only=True),
            " `\n  ".join(
                [
                    f"'@ | curl.exe {'--no-buffer ' if call.streams else ''}{_powershell(call.url)}",
                    f'--header "Authorization: Bearer $env:{call.key_variable}"',
                    "--header 'Content-Type: application/json'",
                    *(f"--header {_powershell_header(header)}" for header in call.headers),
                    "--data-binary '@-'",
                ]
            ),
        ]
    )


def _powershell(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _powershell_header(header: Header) -> str:
    if header.variable:
        return f"({_powershell(header.name + ': ')} + $env:{header.variable})"
    return _powershell(f"{header.name}: {header.value}" if header.value else f"{header.name};")


def _comments(call: Call, sign: str, *more: str) -> str:
    sentences = (*call.notes, *more, *(f"{path}: {why}" for path, why in call.deprecated.items()))
    return "".join(f"{sign} {sentence}\n" for sentence in sentences)
