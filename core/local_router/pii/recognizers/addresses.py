"""E-mail addresses, web addresses, and addresses in networks."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from core.local_router.pii.context import boosted, context_pattern
from core.local_router.pii.findings import Finding
from core.local_router.pii.recognizers.windows import matches

_DOMAIN = re.compile(r"@([\w-]{1,63}(?:\.[\w-]{1,63}){1,8})")
_LOCAL_REVERSED = re.compile(r"[\w.+%'-]{1,64}")
_TOP_LEVEL = re.compile(r"(?:[^\W\d_]{2,63}|xn--[\w-]{1,59})\Z")
_URL = re.compile(r"(?<![\w])(?:(?:https?|ftps?)://|www\.)[^\s<>\"'`{}|\\^]{1,2048}", re.IGNORECASE)
_HOST_END = re.compile(
    r"\.(?:com|org|net|io|dev|eu|uk|de|nl|fr|es|it|pl|be|at|ch|se|dk|fi|pt|br|in|au|ca|us)(?![\w@-]|\.\w)(?:/[^\s<>\"'`{}|\\^]{0,2000})?",
    re.IGNORECASE,
)
_HOST_REVERSED = re.compile(r"[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63}){0,3}(?![\w.@/:-])", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-f:]{2,39}(?:(?<=:)\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})?(?![\w:])", re.IGNORECASE)
_MAC = re.compile(r"(?<![\w:-])[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?![\w:-])", re.IGNORECASE)

PUNCTUATION = ".,;:!?"
"""What ends a sentence and not an address."""

_PAIRS = {")": "(", "]": "["}


def emails(text: str, _language: str | None, _regions: tuple[str, ...]) -> Iterator[Finding]:
    """1.0 for a name, an ``@``, and a domain that ends in letters."""
    for match in _DOMAIN.finditer(text):
        local = _LOCAL_REVERSED.match(text[max(0, match.start() - 64) : match.start()][::-1])
        name = local[0][::-1].lstrip(".'-%+") if local else ""
        domain = match[1].rstrip("-_")
        if name and _TOP_LEVEL.match(domain.rpartition(".")[2]):
            yield Finding("EMAIL_ADDRESS", match.start() - len(name), match.start(1) + len(domain), 1.0)


def urls(text: str, language: str | None, _regions: tuple[str, ...]) -> Iterator[Finding]:
    """0.95 with a scheme or ``www.``; 0.4 for a bare host under a common top-level domain, more when words say that it is a site."""
    for match in _URL.finditer(text):
        yield Finding("URL", match.start(), match.start() + _address_length(match[0]), 0.95)
    words = context_pattern("site", (), language)
    for match in _HOST_END.finditer(text):
        host = _HOST_REVERSED.match(text[max(0, match.start() - 256) : match.start()][::-1])
        if host:
            start, end = match.start() - len(host[0]), match.start() + _address_length(match[0])
            yield Finding("URL", start, end, boosted(0.4, text, start, end, words))


def _address_length(found: str) -> int:
    """How much of ``found`` is the address, without the punctuation of the sentence around it."""
    end = len(found)
    while end:
        last = found[end - 1]
        if last in PUNCTUATION or (last in _PAIRS and found.count(_PAIRS[last], 0, end) < found.count(last, 0, end)):
            end -= 1
        else:
            break
    return end


def ip_addresses(text: str, language: str | None, _regions: tuple[str, ...]) -> Iterator[Finding]:
    """IPv4 0.6, for a version can look the same; IPv6 0.95, or 0.6 where it is short enough to be code (``a::b``); words raise both."""
    words = context_pattern("network", ("ip", "ipv4", "ipv6"), language)
    for match in matches(_IPV4, text, at_least=4):
        if _is_ip(match[0]):
            yield Finding("IP_ADDRESS", match.start(), match.end(), boosted(0.6, text, match.start(), match.end(), words))
    for match in matches(_IPV6, text, at_least=1, reach=40):
        address = match[0]
        if address.count(":") >= 2 and any(character.isdigit() for character in address) and _is_ip(address):
            score = 0.95 if address.count(":") >= 4 else 0.6
            yield Finding("IP_ADDRESS", match.start(), match.end(), boosted(score, text, match.start(), match.end(), words))


def _is_ip(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


def mac_addresses(text: str, _language: str | None, _regions: tuple[str, ...]) -> Iterator[Finding]:
    """0.9 for six pairs of hexadecimal digits with one separator."""
    for match in _MAC.finditer(text):
        yield Finding("MAC_ADDRESS", match.start(), match.end(), 0.9)
