"""A curl command (or PowerShell's Invoke-RestMethod), for whichever shell it was written."""

from __future__ import annotations

import itertools
import re
from typing import Final

from core.importers.found import Found, InvalidImport, body_from_text
from core.importers.shell import Command, commands, shell_of

_DATA: Final = {"-d": "data", "--data": "data", "--data-ascii": "data", "--data-raw": "raw", "--data-binary": "binary", "--json": "json"}
_LISTED: Final = (
    "-A",
    "--user-agent",
    "-b",
    "--cookie",
    "-c",
    "--cookie-jar",
    "-C",
    "--continue-at",
    "-D",
    "--dump-header",
    "-e",
    "--referer",
    "-E",
    "--cert",
    "-F",
    "--form",
    "-H",
    "--header",
    "-K",
    "--config",
    "-m",
    "--max-time",
    "-o",
    "--output",
    "-P",
    "--ftp-port",
    "-Q",
    "--quote",
    "-r",
    "--range",
    "-t",
    "--telnet-option",
    "-T",
    "--upload-file",
    "-u",
    "--user",
    "-U",
    "--proxy-user",
    "-w",
    "--write-out",
    "-x",
    "--proxy",
    "-X",
    "--request",
    "-y",
    "--speed-time",
    "-Y",
    "--speed-limit",
    "-z",
    "--time-cond",
    "--cacert",
    "--capath",
    "--connect-timeout",
    "--ciphers",
    "--data-urlencode",
    "--interface",
    "--key",
    "--keepalive-time",
    "--limit-rate",
    "--max-redirs",
    "--oauth2-bearer",
    "--proxy-header",
    "--resolve",
    "--connect-to",
    "--retry",
    "--retry-delay",
    "--retry-max-time",
    "--unix-socket",
    "--url",
    "--aws-sigv4",
    "--form-string",
    "--noproxy",
    "--pinnedpubkey",
    "--stderr",
    "--trace",
    "--trace-ascii",
)
_VALUED: Final = frozenset(_LISTED) | _DATA.keys()
"""Options with a value (curl 8, `man curl`)."""
_SECRETS: Final = {
    **dict.fromkeys(("-u", "--user"), "user name and password (--user)"),
    **dict.fromkeys(("-U", "--proxy-user"), "user name and password of a proxy"),
    **dict.fromkeys(("-b", "--cookie"), "cookies"),
    **dict.fromkeys(("-E", "--cert", "--key"), "a client certificate"),
    "--oauth2-bearer": "a bearer token",
    "--aws-sigv4": "a signature",
}
_FORMS: Final = ("-F", "--form", "--form-string", "-T", "--upload-file", "--data-urlencode")


def looks_like_curl(text: str) -> bool:
    """Whether a command is what this is."""
    return re.search(r"(?im)(?:^|[\s|;&(/])(?:curl(?:\.exe)?|invoke-restmethod|invoke-webrequest|irm|iwr)\s", text[:4_000_000]) is not None


def read_curl(text: str) -> Found:
    """The call that a command makes; nothing of it is executed."""
    shell = shell_of(text)
    for command in commands(text, shell):
        names = [word.rpartition("/")[2].lower() for word in command.words]
        for name in ("curl", "curl.exe"):
            if name in names:
                return _read(command, command.words[names.index(name) + 1 :], shell)
        if any(name in ("invoke-restmethod", "invoke-webrequest", "irm", "iwr") for name in names):
            return _invoked(command, text)
    raise InvalidImport("There is no curl command in this.", "Paste the whole command.")


def _read(command: Command, words: list[str], shell: str) -> Found:
    found = Found({"bash": "curl", "cmd": "curl for cmd.exe", "powershell": "curl for PowerShell"}[shell])
    data: list[str] = []
    arguments = iter(_separated(words))
    for word in arguments:
        if word not in _VALUED:
            if not word.startswith("-") and (found.url == "" or "://" in word):
                found.take_url(word)
            elif word in ("-G", "--get"):
                found.notes.append("It was a GET; completions are sent by POST.")
            continue
        value = next(arguments, "")
        if word in _DATA:
            _add_data(_DATA[word], value, command.typed, data, found)
        elif word in ("-H", "--header"):
            found.take_header(re.split("[:;]", value, maxsplit=1)[0])
        elif word == "--url":
            found.take_url(value)
        elif word in _SECRETS:
            found.secrets.append(_SECRETS[word])
        elif word in _FORMS:
            found.rejected.append((word, "a form is no JSON body"))
    body_from_text("".join(data), found)
    return found


def _add_data(kind: str, value: str, typed: str, data: list[str], found: Found) -> None:
    if value.startswith("@") and kind != "raw":
        if value != "@-":
            found.rejected.append(("body", f"it is in the file {value[1:][:100]}: paste or upload that file"))
            return
        value = re.sub(r"[\r\n]", "", typed) if kind == "data" else typed
    if data and kind != "json":
        data.append("&")
    data.append(value)


def _separated(words: list[str]) -> list[str]:
    """Short options apart from each other and from their values, ``--name=value`` as two words."""
    found: list[str] = []
    for place, word in enumerate(words):
        if place and words[place - 1] in _VALUED:
            found.append(word)
        elif re.match(r"-[a-zA-Z].", word):
            rest = word[1:]
            while rest:
                option, rest = "-" + rest[0], rest[1:]
                found.append(option)
                if option in _VALUED:
                    found += [rest] if rest else []
                    break
        elif word.startswith("--") and "=" in word and word.partition("=")[0] in _VALUED:
            found += word.split("=", 1)
        else:
            found.append(word)
    return found


def _invoked(command: Command, text: str) -> Found:
    """``Invoke-RestMethod -Uri … -Headers @{…} -Body …``."""
    found = Found("PowerShell")
    words = command.words
    options = {word.lower(): value for word, value in itertools.pairwise(words) if word.startswith("-")}
    plain = [word for word in words if "://" in word]
    if plain:
        found.take_url(plain[0])
    headers = re.search(r"-Headers\s+@\{(.{0,20000}?)\}", text, re.DOTALL | re.IGNORECASE)
    for name in re.findall(r"""(?:^|[;\n{])\s*["']?([\w-]+)["']?\s*=""", headers[1] if headers else ""):
        found.take_header(name)
    body_from_text(command.typed or options.get("-body", ""), found)
    return found
