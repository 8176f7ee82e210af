"""Telephone numbers, by the numbering plans that ``phonenumbers`` knows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.local_router.pii.context import boosted, context_pattern
from core.local_router.pii.findings import DetectionFailed, Finding
from core.local_router.pii.recognizers.windows import matches

_NUMBER = re.compile(
    r"(?<![\w+.,/=#$€£-])(?:\+\d{1,3}|\(0?\d{1,5}\)|00\d{1,3}|\d{2,5})"
    r"(?:[ ./-]?\(\d{1,5}\))?(?:[ ./-]?\d{1,5}){1,6}(?![\w€$%]|[.,:/-]\d)"
)
MOST_PARSED = 20_000
"""Candidates that are parsed in one text: each takes about 0.1 ms."""

_DATE = re.compile(r"(?:19|20)\d{2}[ /-]{1,3}(?:19|20)\d{2}|\d{4}([./-])\d{1,2}\1\d{1,2}|\d{1,2}([./-])\d{1,2}\2(?:\d{2}|\d{4})")

COUNTRIES = {
    "da": ("dk",), "de": ("de", "at", "ch"), "en": ("us", "gb", "ie", "au", "ca", "in"), "es": ("es", "mx"), "fi": ("fi",),
    "fr": ("fr", "be", "ch"), "it": ("it", "ch"), "nb": ("no",), "nl": ("nl", "be"), "pl": ("pl",), "pt": ("pt", "br"), "sv": ("se", "fi"),
}  # fmt: skip
"""Where a national number may be from when the request names no region: the countries of its language."""

ANYWHERE = ("us", "gb", "de", "fr", "nl", "es", "it")
"""The same where the language is not known either."""


def phone_numbers(text: str, language: str | None, regions: tuple[str, ...]) -> Iterator[Finding]:
    """0.95 for a valid number with its country code; 0.6 for one that is valid in a region, 0.3 when it is a bare run of digits;
    words raise both. ``regions`` empty: those of the language."""
    import phonenumbers

    words = context_pattern("phone", (), language)
    national = tuple(code.upper() for code in regions or (COUNTRIES[language] if language else ANYWHERE))
    parsed = 0
    for match in matches(_NUMBER, text, at_least=7):
        found = match[0]
        digits = sum(character.isdigit() for character in found)
        if not 7 <= digits <= 17 or _DATE.fullmatch(found):
            continue
        parsed += 1
        if parsed > MOST_PARSED:
            raise DetectionFailed(f"The text holds more than {MOST_PARSED:,} numbers that may be a telephone's", "prompt")
        if found.startswith(("+", "00")):
            score = 0.95 if _is_valid(phonenumbers, "+" + found.lstrip("+").removeprefix("00"), (None,)) else 0.0
        else:
            score = 0.0
        if not score and not found.startswith("+") and _is_valid(phonenumbers, found, national):
            score = 0.3 if found.isdigit() else 0.6
        if score:
            yield Finding("PHONE_NUMBER", match.start(), match.end(), boosted(score, text, match.start(), match.end(), words))


def _is_valid(library: object, number: str, regions: tuple[str | None, ...]) -> bool:
    for region in regions:
        try:
            if library.is_valid_number(library.parse(number, region)):  # type: ignore[attr-defined]
                return True
        except library.NumberParseException:  # type: ignore[attr-defined]
            continue
    return False
