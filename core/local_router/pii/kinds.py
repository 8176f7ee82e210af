"""Every kind of personal data that can be found: its name, its region, and what recognises it.

Names are Presidio's where it has the kind (https://microsoft.github.io/presidio/supported_entities, read 2026-11-24), else made alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from core.local_router.pii.findings import Finding
from core.local_router.pii.recognizers import accounts, addresses, person_numbers, phones

DEFAULT_THRESHOLD = 0.5
MAX_TEXT_CHARS = 1_000_000
"""Characters of prompt and stop sequences together in which is looked; more is a failure of detection."""

ALL = "all"


Recognizer = Callable[[str, str | None, tuple[str, ...]], Iterator[Finding]]
"""Finds one kind in a text: ``(text, language, regions)``. Language None stands for every language; ``regions`` are those whose national
forms count, empty for the language's own."""


@dataclass(frozen=True, slots=True)
class Kind:
    """``region`` is a lower-case ISO 3166-1 code, or None where the kind has no region."""

    name: str
    region: str | None
    find: Recognizer


def _kinds() -> Iterator[Kind]:
    everywhere: Mapping[str, Recognizer] = {
        "EMAIL_ADDRESS": addresses.emails,
        "PHONE_NUMBER": phones.phone_numbers,
        "IBAN_CODE": accounts.ibans,
        "CREDIT_CARD": accounts.credit_cards,
        "CRYPTO": accounts.wallets,
        "IP_ADDRESS": addresses.ip_addresses,
        "MAC_ADDRESS": addresses.mac_addresses,
        "URL": addresses.urls,
    }
    for name, find in everywhere.items():
        yield Kind(name, None, find)
    for number in person_numbers.NUMBERS:
        yield Kind(number.kind, number.region, number.find)


KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _kinds()}
BASE: tuple[str, ...] = tuple(name for name, kind in KINDS.items() if kind.region is None)
BY_REGION: Mapping[str, tuple[str, ...]] = {
    region: tuple(name for name, kind in KINDS.items() if kind.region == region)
    for region in sorted({kind.region for kind in KINDS.values() if kind.region})
}
