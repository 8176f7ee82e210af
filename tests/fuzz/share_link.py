"""``python -m tests.fuzz.share_link [-max_total_time=60 …]``: what a link holds, fuzzed by coverage. Needs ``pip install atheris``.

Every other input is packed with a digest that is right, as somebody does who has read the source. Anything but a snapshot or NotReadable is
a find; libFuzzer's own limits (``-timeout=1 -rss_limit_mb=…``) find what hangs or grows.
"""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-not-found]

with atheris.instrument_imports(include=["core.share", "core.contract", "core.outgoing"]):
    from core.share.link import SelfContainedLinks
    from core.share.opening import content_of
    from core.share.reading import NotReadable
    from tests.core.share.test_link import linked

LINKS = SelfContainedLinks("fuzz")


def one_input(data: bytes) -> None:
    """Read it as a link."""
    text = linked(data[1:]) if data[:1] >= b"\x80" else data.decode("utf-8", "replace")
    try:
        content_of(LINKS.unpack(text).snapshot)
    except NotReadable:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
