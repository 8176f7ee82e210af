"""Bank accounts, payment cards, wallets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.local_router.pii.context import boosted, context_pattern
from core.local_router.pii.findings import Finding
from core.local_router.pii.recognizers.windows import matches

_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z\d]){11,30}(?!\w)", re.IGNORECASE)
_CARD = re.compile(r"(?<![\w.-])(?:\d{12,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{4,5})(?![\w]|[.-]\d)")
_WALLET = re.compile(r"(?<!\w)(?:[13][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[02-9ac-hj-np-z]{11,71})(?!\w)")

SCHEMES = (
    ("34|37", (15,)),
    ("36|38|39|30[0-5]", (14,)),
    ("4", (13, 16, 19)),
    ("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),
    ("6011|64[4-9]|65", (16, 19)),
    ("35[2-8]", (16,)),
    ("62|81", (16, 17, 18, 19)),
    ("50|5[6-8]|6", tuple(range(12, 20))),
)
"""First digits of cards and the lengths they come in: American Express, Diners, Visa, Mastercard, Discover, JCB, UnionPay, Maestro
(ISO/IEC 7812 ranges as listed at https://en.wikipedia.org/wiki/Payment_card_number; python-stdnum has no table of them)."""

_SCHEMES = tuple((re.compile(prefix), lengths) for prefix, lengths in SCHEMES)


def ibans(text: str, _language: str | None, _regions: tuple[str, ...]) -> Iterator[Finding]:
    """1.0 where python-stdnum agrees with length, structure and check digits of the country."""
    from stdnum import iban

    place = 0
    while match := _IBAN.search(text, place):
        place = match.end()
        for end in _ends(match[0]):  # words may follow the account after a space
            if iban.is_valid(match[0][:end]):
                yield Finding("IBAN_CODE", match.start(), match.start() + end, 1.0)
                place = match.start() + end
                break


def _ends(found: str) -> Iterator[int]:
    """Where an account could end: at the end, and before each separator, the longest first."""
    yield len(found)
    for end in range(len(found) - 1, 14, -1):
        if found[end] in " -":
            yield end


def credit_cards(text: str, language: str | None, _regions: tuple[str, ...]) -> Iterator[Finding]:
    """By Luhn's check digit: 1.0 where first digits and length are a scheme's, 0.4 otherwise; words raise it."""
    from stdnum import luhn

    words = context_pattern("card", ("visa", "mastercard", "amex", "maestro"), language)
    for match in matches(_CARD, text, at_least=12):
        digits = match[0].replace(" ", "").replace("-", "")
        if 12 <= len(digits) <= 19 and luhn.is_valid(digits) and digits.strip("0"):
            score = 1.0 if any(len(digits) in lengths and prefix.match(digits) for prefix, lengths in _SCHEMES) else 0.4
            yield Finding("CREDIT_CARD", match.start(), match.end(), boosted(score, text, match.start(), match.end(), words))


def wallets(text: str, _language: str | None, _regions: tuple[str, ...]) -> Iterator[Finding]:
    """1.0 for a Bitcoin address whose checksum python-stdnum agrees with."""
    from stdnum import bitcoin

    for match in _WALLET.finditer(text):
        if bitcoin.is_valid(match[0]):
            yield Finding("CRYPTO", match.start(), match.end(), 1.0)
