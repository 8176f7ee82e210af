"""A link that holds what it shares, for people without a common server: ``/share?c=…``.

The parameter is base64url without padding of::

    version (1 byte, 0x01) | digest (10 bytes) | mark (10 bytes) | raw DEFLATE of the snapshot's JSON

The digest is BLAKE2b over version and data, without a key. Two installations have no secret in common, so nothing in a link can prove
to one who made it at the other: the digest tells that a link was cut or altered on its way, no more, and whatever it holds is taken for
what a stranger wrote. The mark is the same with a key that never leaves the installation: it says *made here* to the one that made it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import zlib
from dataclasses import dataclass
from typing import Final

from core.share.reading import Bounds, NotReadable, read_snapshot
from core.share.snapshot import FORMAT, Snapshot

VERSION: Final = 1
LONGEST: Final = 6_000
"""Characters of a whole link, its address included: what mail programs, chats and proxies let through."""
DIGEST_BYTES: Final = 10
BOUNDS: Final = Bounds(size=128 * 1024, depth=24, fields=4_000, items=8_000)
MOST_RATIO: Final = 60
"""How many times larger than its packed form what a link holds may be. Text and JSON shrink to a tenth at best; bombs to a thousandth."""

_PERSON: Final = b"playground.share"
_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_AGAIN: Final = "Copy the whole link, or ask for it again."


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link held; ``made_here`` tells that this installation made it."""

    snapshot: Snapshot
    made_here: bool


class SelfContainedLinks:
    """Makes and reads what stands after ``?c=``. ``secret`` is the installation's."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.blake2b(secret.encode(), person=_PERSON).digest()

    def pack(self, snapshot: Snapshot, *, room: int = LONGEST) -> str | None:
        """The parameter; None where it is longer than ``room`` characters or would not be read again: then a file carries it."""
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = bytes([VERSION]) + packer.compress(_compact(snapshot)) + packer.flush()
        head, rest = packed[:1], packed[1:]
        text = base64.urlsafe_b64encode(head + _digest(packed) + self._mark(packed) + rest).rstrip(b"=").decode()
        if len(text) > room:
            return None
        try:
            return text if self.unpack(text).snapshot == snapshot else None
        except NotReadable:
            return None

    def unpack(self, text: str) -> Opened:
        """What the parameter holds. NotReadable, with one sentence, for anything that ``pack`` did not make."""
        if len(text) > LONGEST:
            raise NotReadable(f"This link is too long: no link has more than {LONGEST:,} characters.", _AGAIN)
        if not _ALPHABET.fullmatch(text):
            raise NotReadable("This link is not whole: it has characters that no link has.", _AGAIN)
        try:
            data = base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
        except ValueError:
            raise NotReadable("This link is not whole: its end is missing.", _AGAIN) from None
        if data[0] != VERSION:
            newer = data[0] > VERSION
            raise NotReadable(
                "This link was made by a newer playground." if newer else "This link holds nothing that was shared from a playground.",
                "Update the playground." if newer else _AGAIN,
            )
        digest, mark, rest = data[1 : 1 + DIGEST_BYTES], data[1 + DIGEST_BYTES : 1 + 2 * DIGEST_BYTES], data[1 + 2 * DIGEST_BYTES :]
        packed = data[:1] + rest
        if not hmac.compare_digest(digest, _digest(packed)):
            raise NotReadable("This link was cut or altered on its way.", _AGAIN)
        return Opened(read_snapshot(_inflated(rest), BOUNDS, what="link"), hmac.compare_digest(mark, self._mark(packed)))

    def _mark(self, packed: bytes) -> bytes:
        return hashlib.blake2b(packed, key=self._key, digest_size=DIGEST_BYTES, person=_PERSON).digest()


def _digest(packed: bytes) -> bytes:
    return hashlib.blake2b(packed, digest_size=DIGEST_BYTES, person=_PERSON).digest()


def _compact(snapshot: Snapshot) -> bytes:
    """The JSON without defaults, save what says which form it has."""
    data = snapshot.model_dump(mode="json", exclude_defaults=True)
    whole = {"format": FORMAT, **data, "content": {"kind": snapshot.content.kind, **data["content"]}}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def _inflated(packed: bytes) -> bytes:
    """What was packed, as far as it is within bounds: a link of a few characters may claim to be gigabytes."""
    most = min(BOUNDS.size, MOST_RATIO * len(packed))
    unpacker = zlib.decompressobj(-15)
    try:
        data = unpacker.decompress(packed, most + 1)
    except zlib.error:
        raise NotReadable("This link is damaged: it cannot be unpacked.", _AGAIN) from None
    if len(data) > most:
        raise NotReadable("This link holds more than a link may.", "Ask for a file instead.")
    if not unpacker.eof or unpacker.unused_data:
        raise NotReadable("This link is damaged: it cannot be unpacked.", _AGAIN)
    return data
