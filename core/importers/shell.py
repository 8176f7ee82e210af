"""Command lines as words: POSIX shells, cmd.exe and PowerShell. Nothing is executed, and variables keep their names, marked."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from core.importers.found import InvalidImport
from core.importers.shell_variables import in_bash, in_cmd, in_powershell

Shell = Literal["bash", "cmd", "powershell"]


MOST_PARTS: Final = 100_000
"""Quoted and unquoted pieces of words, and what is between them."""


@dataclass(slots=True)
class Command:
    """One command of a line: its words, and what a pipe or a here-document gives it to read."""

    words: list[str] = field(default_factory=list)
    typed: str = ""


_BASH: Final = re.compile(
    r"""(?P<space>(?:[ \t\r]|\\\r?\n)+)
    |(?P<line>\n)
    |'(?P<single>[^']*)'
    |\$'(?P<ansi>[^'\\]*+(?:\\.[^'\\]*+)*+)'
    |"(?P<double>[^"\\]*+(?:\\.[^"\\]*+)*+)"
    |(?P<here><<-?[ \t]*(?:'(?P<q1>[^'\n]+)'|"(?P<q2>[^"\n]+)"|\\?(?P<q3>[\w.-]+)))
    |(?P<herestring><<<[ \t]*)
    |(?P<end>\|\|?|&&?|;|\(|\))
    |(?P<redirect>\d?[<>]+&?\d?)
    |(?P<comment>(?<![^\s])\#[^\n]*)
    |\\(?P<escaped>.)
    |(?P<variable>\$(?:\{[^{}\s'"]{1,200}\}|[A-Za-z_][A-Za-z0-9_]*|[0-9@*\#?$!-]|(?=\())|`[^`\n]{0,2000}`)
    |(?P<plain>[^\s'"\\|&;()<>#$`]+|[\#$`])""",
    re.VERBOSE | re.DOTALL,
)
_BETWEEN_WORDS: Final = frozenset({"space", "line", "here", "q1", "q2", "q3", "herestring", "end", "redirect", "comment"})
"""Kinds of tokens that end a word."""

_ANSI: Final = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|(.))", re.DOTALL)
_ANSI_LETTERS: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "E": "\x1b"}


def shell_of(text: str) -> Shell:
    """Which shell a command is written for, by its first lines."""
    first = next(
        (line for line in text.splitlines() if line.strip() and not re.match(r"\s*(#|rem\b|::)", line, re.IGNORECASE)), ""
    ).rstrip()
    if re.match(r"""\s*(@['"]$|Invoke-|iwr\b|irm\b|\$)""", first) or first.endswith("`") or re.match(r"\s*'.*'\s*\|\s*curl", first):
        return "powershell"
    return "cmd" if first.endswith("^") or re.search(r'\^"|"[^"]*%\w+%"', first) else "bash"


def commands(text: str, shell: Shell, mark: str = "") -> list[Command]:
    """The commands in ``text``, with ``mark`` on both sides of what the shell would replace. InvalidImport for quotes that do not end."""
    match shell:
        case "bash":
            return _Bash(text, mark).commands()
        case "cmd":
            return [Command(_cmd_words(text, mark))]
        case "powershell":
            return _powershell(text, mark)


class _Bash:
    """Reads commands token by token. A here-document's text begins at the line after the command that waits for it."""

    def __init__(self, text: str, mark: str) -> None:
        self._text = text
        self._mark = mark
        self._at = self._seen = 0
        self._found = [Command()]
        self._word: list[str] | None = None
        self._is_herestring = False
        self._waiting: list[tuple[Command, re.Match[str]]] = []

    def commands(self) -> list[Command]:
        """All of them, as they are piped into one another."""
        while self._at < len(self._text):
            token = self._token()
            kind = token.lastgroup or ""
            if kind in _BETWEEN_WORDS:
                self._end_word()
                self._between(kind, token)
            else:
                self._word = self._word or []
                self._word.append(_part(kind, token[kind], self._mark))
        self._end_word()
        return _piped(self._found)

    def _token(self) -> re.Match[str]:
        token = _BASH.match(self._text, self._at)
        if token is None:
            raise InvalidImport(
                f"A quote that begins with {self._text[self._at : self._at + 20]!r} does not end.", "Paste the whole command."
            )
        self._at, self._seen = token.end(), self._seen + 1
        if self._seen > MOST_PARTS:
            raise InvalidImport(f"This command has more than {MOST_PARTS:,} parts.", "Paste the one command.")
        return token

    def _end_word(self) -> None:
        if self._word is None:
            return
        word, self._word = "".join(self._word), None
        if self._is_herestring:
            self._found[-1].typed, self._is_herestring = word, False
        else:
            self._found[-1].words.append(word)

    def _between(self, kind: str, token: re.Match[str]) -> None:
        match kind:
            case "here" | "q1" | "q2" | "q3":
                self._waiting.append((self._found[-1], token))
            case "herestring":
                self._is_herestring = True
            case "line":
                for reader, here in self._waiting:
                    reader.typed, self._at = _here(self._text, self._at, here, self._mark)
                self._waiting = []
                if self._found[-1].words:
                    self._found.append(Command())
            case "end":
                self._found.append(Command(typed=_printed(self._found[-1]) if token["end"] == "|" else ""))


def _part(kind: str, text: str, mark: str) -> str:
    if kind == "double":
        text = in_bash(text, mark)
        return _unescaped(text, '"$`') if "\\" in text else text
    if kind == "variable":
        return f"{mark}{text}{mark}"
    if kind == "ansi":
        return _ANSI.sub(_ansi, text)
    return text


def _unescaped(text: str, signs: str) -> str:
    """``text`` without the backslashes before ``signs``, themselves and ends of lines; a list of every escape would take much memory."""
    return "\\".join(_without_escapes(part, signs) for part in text.split("\\\\"))


def _without_escapes(text: str, signs: str) -> str:
    for sign in signs:
        text = text.replace("\\" + sign, sign)
    return text.replace("\\\r\n", "").replace("\\\n", "")


def _ansi(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code:
        number = int(code, 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    return chr(int(found[4], 8) & 0xFF) if found[4] else _ANSI_LETTERS.get(found[5], found[5] if found[5] in "\\'\"?" else "\\" + found[5])


def _here(text: str, at: int, token: re.Match[str], mark: str) -> tuple[str, int]:
    """A here-document that begins at ``at``, and where it ends; without its word it goes to the end. A quoted word keeps all as it is."""
    word, tabs = token["q1"] or token["q2"] or token["q3"], token["here"].startswith("<<-")
    end = re.compile(rf"^{'	*' if tabs else ''}{re.escape(word)}\r?$", re.MULTILINE).search(text, at)
    typed, after = (text[at:], len(text)) if end is None else (text[at : end.start()], min(end.end() + 1, len(text)))
    quoted = token["q3"] is None or "\\" in token["here"]
    return typed if quoted else _unescaped(in_bash(typed, mark), "$`"), after


def _printed(command: Command) -> str:
    """What a command before a pipe prints, where it is one that only prints."""
    if command.words[:1] == ["cat"]:
        return command.typed
    if command.words[:1] in (["echo"], ["printf"]):
        return " ".join(word for word in command.words[1:] if word not in ("-n", "-E", "%s", "%s\\n"))
    return ""


def _piped(found: list[Command]) -> list[Command]:
    """Here-documents are read after their line: give a ``cat``'s to the command behind its pipe."""
    for before, after in itertools.pairwise(found):
        if before.words[:1] == ["cat"] and before.typed and not after.typed:
            after.typed = before.typed
    return found


def _cmd_words(text: str, mark: str) -> list[str]:
    """cmd takes carets away outside quotes, then the program splits what is left."""
    text = re.sub(r"(?im)^\s*(?:rem\b|::)[^\n]*\n?", "", text)
    parts = re.findall(r'"[^"\n]*"?|\^\r?\n\r?|\^.|[^"^]+', in_cmd(text, mark), re.DOTALL)
    line = "".join(_uncareted(part) for part in parts)
    return list(_program_words(line))


def _uncareted(part: str) -> str:
    return "" if re.fullmatch(r"\^\r?\n\r?", part) else part[1:] if part.startswith("^") and len(part) > 1 else part


def _program_words(line: str) -> Iterator[str]:
    word: list[str] = []
    inside = started = False
    for token in re.finditer(r'(\\*)"|([^\s"\\]+)|(\s+)|(\\+)', line):
        slashes, plain, space, loose = token.groups()
        if slashes is not None:
            started = True
            word.append("\\" * (len(slashes) // 2))
            if len(slashes) % 2:
                word.append('"')
            else:
                inside = not inside
        elif space is not None and not inside:
            if started:
                yield "".join(word)
            word, started = [], False
        else:
            started = True
            word.append(plain or space or loose)
    if inside:
        raise InvalidImport("A quote does not end.", "Paste the whole command.")
    if started:
        yield "".join(word)


_POWERSHELL: Final = re.compile(
    r"""(?P<space>(?:[ \t\r]|`\r?\n)+)
    |(?P<line>\n)
    |@'[ \t]*\r?\n(?P<literal>.*?)\r?\n'@
    |@"[ \t]*\r?\n(?P<expanded>.*?)\r?\n"@
    |['\u2018\u2019](?P<single>[^']*+(?:''[^']*+)*+)'
    |"(?P<double>[^"`]*+(?:(?:`.|"")[^"`]*+)*+)"
    |(?P<comment>(?<![^\s])\#[^\n]*)
    |(?P<end>[|;])
    |`(?P<escaped>.)
    |(?P<plain>[^\s'"|;`@\u2018\u2019]+|@)""",
    re.VERBOSE | re.DOTALL,
)
_BACKTICKED: Final = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b"}


def _powershell(text: str, mark: str) -> list[Command]:
    command, at, seen = Command(), 0, 0
    word: list[str] | None = None
    found = [command]
    while at < len(text):
        token = _POWERSHELL.match(text, at)
        if token is None:
            raise InvalidImport(f"A quote that begins with {text[at : at + 20]!r} does not end.", "Paste the whole command.")
        at, kind, seen = token.end(), token.lastgroup or "", seen + 1
        if seen > MOST_PARTS:
            raise InvalidImport(f"This command has more than {MOST_PARTS:,} parts.", "Paste the one command.")
        if kind not in ("space", "line", "comment", "end"):
            word = word or []
            word.append(_powershell_part(kind, token[kind], mark))
            continue
        if word is not None:
            command.words.append("".join(word))
            word = None
        if kind == "end" or (kind == "line" and command.words):
            piped = kind == "end" and token["end"] == "|"
            command = Command(typed=" ".join(command.words) if piped else "")
            found.append(command)
    if word is not None:
        command.words.append("".join(word))
    return found


def _powershell_part(kind: str, text: str, mark: str) -> str:
    if kind in ("double", "expanded", "plain"):
        text = in_powershell(text, mark)
    match kind:
        case "single":
            return text.replace("''", "'")
        case "double" | "expanded":
            return re.sub(r'`(.)|""', lambda found: _BACKTICKED.get(found[1], found[1]) if found[1] else '"', text, flags=re.DOTALL)
        case "escaped":
            return _BACKTICKED.get(text, text)
    return text
