"""A curl command (or PowerShell's Invoke-RestMethod), for whichever shell it was written."""

from __future__ import annotations

import itertools
import re
from typing import Final

from core.importers.found import Found, InvalidImport, body_from_text
from core.importers.shell import Command, commands, shell_of
from core.importers.shell_variables import as_texts, assignments, body_rejection, filled, unused_mark, without_variables

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
    shell, mark = shell_of(text), unused_mark(text)
    values: dict[str, str] = {}
    for command in commands(text, shell, mark):
        values.update(assignments(command.words, mark))
        names = [word.rpartition("/")[2].lower() for word in command.words]
        for name in ("curl", "curl.exe"):
            if name in names:
                words = command.words[names.index(name) + 1 :]
                (typed,), words = filled([command.typed], values, mark), filled(words, values, mark)
                return _read(Command(words, typed), shell, mark)
        if any(name in ("invoke-restmethod", "invoke-webrequest", "irm", "iwr") for name in names):
            return _invoked(command, text, mark)
    raise InvalidImport("There is no curl command in this.", "Paste the whole command.")


def _read(command: Command, shell: str, mark: str) -> Found:
    found = Found({"bash": "curl", "cmd": "curl for cmd.exe", "powershell": "curl for PowerShell"}[shell])
    data: list[str] = []
    arguments = iter(_separated(command.words))
    for marked in arguments:
        word = marked.replace(mark, "")
        if word not in _VALUED:
            if not word.startswith("-") and (found.url == "" or "://" in word):
                found.take_url(word)
            elif word in ("-G", "--get"):
                found.notes.append("It was a GET; completions are sent by POST.")
            continue
        value = next(arguments, "")
        if word in _DATA:
            _add_data(_DATA[word], value, command.typed, data, found)
            continue
        value = value.replace(mark, "")
        if word in ("-H", "--header"):
            found.take_header(re.split("[:;]", value, maxsplit=1)[0])
        elif word == "--url":
            found.take_url(value)
        elif word in _SECRETS:
            found.secrets.append(_SECRETS[word])
        elif word in _FORMS:
            found.rejected.append((word, "a form is no JSON body"))
    _body("".join(data), found, mark)
    return found


def _body(text: str, found: Found, mark: str) -> None:
    """The body in a marked text."""
    if not mark or mark not in text:
        body_from_text(text, found)
    elif why := body_rejection(text.strip(), mark):
        found.rejected.append(("body", why))
    else:
        body_from_text(as_texts(text, mark), found)
        found.fields = without_variables(found.fields, mark, found)
        found.rejected = [(path.replace(mark, ""), why) for path, why in found.rejected]


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


def _invoked(command: Command, text: str, mark: str) -> Found:
    """``Invoke-RestMethod -Uri … -Headers @{…} -Body …``."""
    found = Found("PowerShell")
    options = {word.lower(): value for word, value in itertools.pairwise(command.words) if word.startswith("-")}
    plain = [word for word in command.words if "://" in word]
    if plain:
        found.take_url(plain[0].replace(mark, ""))
    headers = re.search(r"-Headers\s+@\{(.{0,20000}?)\}", text, re.DOTALL | re.IGNORECASE)
    for name in re.findall(r"""(?:^|[;\n{])\s*["']?([\w-]+)["']?\s*=""", headers[1] if headers else ""):
        found.take_header(name)
    _body(command.typed or options.get("-body", ""), found, mark)
    return found
