"""Links that hold what they share are read as they were made; whatever else comes is refused in one sentence, soon, in little memory.

``FUZZ_CASES=10000 pytest tests/core/share/test_link.py`` tries more than the normal run does.
"""

from __future__ import annotations

import base64
import json
import os
import re
import time
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.share.freezing import freeze
from core.share.link import BOUNDS, LONGEST, MOST_RATIO, SelfContainedLinks, _digest
from core.share.markdown import to_markdown
from core.share.opening import content_of, title_of
from core.share.reading import FILE_BOUNDS, NotReadable, read_snapshot
from core.share.snapshot import FORMAT, Snapshot
from core.share.subject import preset_subject
from tests.core.share.canaries import subjects
from tests.core.storage import samples

LINKS = SelfContainedLinks("a secret")
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
fuzzed = settings(max_examples=int(os.environ.get("FUZZ_CASES", "150")), deadline=None, suppress_health_check=SLOW)
SNAPSHOTS = [freeze(subject) for subject in subjects().values()]


def preset(**fields: Any) -> Snapshot:
    return freeze(preset_subject({"body": samples.body(**fields), "extra": ""}))


def linked(data: bytes, *, version: int = 1) -> str:
    """A link with the right digest around whatever ``data`` is: what somebody makes who has read the source."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    rest = packer.compress(data) + packer.flush()
    return base64.urlsafe_b64encode(bytes([version]) + _digest(bytes([version]) + rest) + b"m" * 10 + rest).rstrip(b"=").decode()


def refused(text: str) -> str:
    """The sentence with which it is refused."""
    with pytest.raises(NotReadable) as problem:
        LINKS.unpack(text)
    assert re.fullmatch(r"[^\n]{10,400}\.", problem.value.cause), problem.value.cause
    return problem.value.cause


def tolerated(text: str) -> None:
    """Whatever it is, it is read or refused within a second, and what was read can be shown and opened."""
    began = time.process_time()
    snapshot = None
    with suppress(NotReadable):
        snapshot = LINKS.unpack(text).snapshot
    if snapshot is not None:
        to_markdown(snapshot)
        title_of(snapshot)
        content_of(snapshot)
        snapshot.to_json()
    assert time.process_time() - began < 1


def test_link_is_read_as_it_was_made():
    made = preset(temperature=0.5, stop=["a", "b"], prompt="ü 🤖 \0 " * 20)
    text = LINKS.pack(made)
    assert text is not None
    assert re.fullmatch(r"[A-Za-z0-9_-]+", text)
    opened = LINKS.unpack(text)
    assert opened.snapshot == made
    assert opened.made_here


def test_link_of_another_installation_is_read_and_not_taken_for_ours():
    text = SelfContainedLinks("another secret").pack(preset())
    assert text is not None
    opened = LINKS.unpack(text)
    assert opened.snapshot.content == preset().content
    assert not opened.made_here


def test_long_snapshot_makes_no_link():
    assert LINKS.pack(preset(prompt=NOISE)) is None
    one = preset()  # made at one moment: how long a link is depends on it, too
    short = LINKS.pack(one)
    assert short is not None
    assert LINKS.pack(one, room=len(short) - 1) is None


def test_snapshot_that_packs_too_well_makes_no_link_that_would_be_refused():
    assert LINKS.pack(preset(prompt="a" * 100_000)) is None


def test_each_character_cut_off_or_changed_is_noticed():
    text = LINKS.pack(preset())
    assert text is not None
    for place in range(len(text)):
        assert refused(text[:place])
        other = "A" if text[place] != "A" else "B"
        changed = text[:place] + other + text[place + 1 :]
        if base64.urlsafe_b64decode(changed + "==")[:-1] != base64.urlsafe_b64decode(text + "==")[:-1]:
            try:
                assert not LINKS.unpack(changed).made_here  # only the mark was changed
            except NotReadable:
                continue


NOISE = "".join(f"{number * 7919 % 100_003:x} " for number in range(3_000))
WRONG: dict[str, tuple[Callable[[], str], str]] = {
    "empty": (lambda: "", "not whole"),
    "other characters": (lambda: "<script>alert(1)</script>", "not whole"),
    "control characters": (lambda: "AAAA\x00\u202e", "not whole"),
    "too long": (lambda: "A" * (LONGEST + 1), "too long"),
    "millions": (lambda: "A" * 5_000_000, "too long"),
    "newer version": (lambda: linked(b"{}", version=2), "newer playground"),
    "version 0": (lambda: linked(b"{}", version=0), "nothing that was shared"),
    "altered": (lambda: linked(b"{}")[:-2] + "BB", "cut or altered"),
    "not packed": (lambda: _raw(b"\xff" * 50), "cannot be unpacked"),
    "bomb": (lambda: linked(b"\0" * 3_000_000), "more than a link may"),
    "no JSON": (lambda: linked(b"{not json"), "not JSON"),
    "NaN": (lambda: linked(b'{"format":NaN}'), "not JSON"),
    "number too large": (lambda: linked(b'{"format":1e999}'), "not JSON"),
    "a list": (lambda: linked(b"[]"), "nothing that was shared"),
    "another format": (lambda: linked(b'{"format":"else"}'), "nothing that was shared"),
    "newer format": (lambda: linked(b'{"format":"playground.share/2"}'), "newer playground"),
    "fields missing": (lambda: linked(json.dumps({"format": FORMAT}).encode()), "is damaged: made_at is not as it should be"),
    "deep": (lambda: linked(b'{"a":' * 30 + b"1" + b"}" * 30), "nested deeper"),
    "many fields": (lambda: linked(b'{"a":"' + NOISE[:1_000].encode() + b'"' + b',"a":1' * 5_000 + b"}"), "more fields"),
    "unknown field": (lambda: _with(key="x"), "is damaged"),
    "unknown kind": (lambda: _with(content={"kind": "virus", "request": {}}), "is damaged"),
    "contract": (lambda: _with(content={"kind": "preset", "request": {"model": "m", "temperature": 9}}), "must be between 0 and 2"),
    "a filter": (
        lambda: _with(content={"kind": "preset", "request": {"orq": {"knowledge_bases": [{"knowledge_id": "k", "filter_by": 3}]}}}),
        "filter_by",
    ),
}


def _raw(rest: bytes) -> str:
    return base64.urlsafe_b64encode(b"\1" + _digest(b"\1" + rest) + b"m" * 10 + rest).rstrip(b"=").decode()


def _with(**changes: Any) -> str:
    return linked(json.dumps({**json.loads(preset().to_json()), **changes}).encode())


@pytest.mark.parametrize(("made", "why"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_a_link_is_said_in_one_sentence(made: Callable[[], str], why: str):
    assert why in refused(made())


@fuzzed
@given(st.text(max_size=7_000))
def test_any_text_is_tolerated(text: str):
    tolerated(text)


@fuzzed
@given(st.binary(max_size=4_000))
def test_any_bytes_are_tolerated(data: bytes):
    tolerated(base64.urlsafe_b64encode(data).decode().rstrip("="))
    tolerated(_raw(data))
    tolerated(linked(data))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=20), inner, max_size=5),
    max_leaves=25,
)


@fuzzed
@given(JSON, st.sampled_from(["preset", "run", "comparison", "x"]))
def test_any_json_is_tolerated(value: Any, kind: str):
    tolerated(linked(json.dumps(value).encode()))
    body = value if isinstance(value, dict) else {"prompt": value}
    for content in ({"kind": kind, "request": body}, {"kind": kind, "slots": [{"request": body}]}):
        tolerated(linked(json.dumps({"format": FORMAT, "made_at": "2026-01-01T00:00:00Z", "content": content}).encode()))


@fuzzed
@given(st.sampled_from(SNAPSHOTS), st.data())
def test_any_value_in_any_place_of_a_snapshot_is_tolerated(snapshot: Snapshot, data: st.DataObject):
    whole = json.loads(snapshot.to_json())
    place: Any = whole
    while True:
        key = data.draw(st.sampled_from(sorted(place)) if isinstance(place, dict) else st.sampled_from(range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(JSON)
    text = json.dumps(whole).encode()
    tolerated(linked(text))
    with suppress(NotReadable):
        content_of(read_snapshot(text))


MANY = {"kind": "preset", "request": {"fallbacks": [{f"name{number}": 0 for number in range(50_000)}]}}


@pytest.mark.parametrize(
    "data",
    [
        b'"' + b'\\"' * 2_000_000,
        b"[" * 4_000_000,
        b"[" + b"[]," * 3_000_000 + b"[]]",
        b'{"format":"' + b"x" * 11_000_000 + b'"}',
        b"[" + b"9" * 10_000_000 + b"]",
        json.dumps({"format": FORMAT, "made_at": "2026-01-01T00:00:00Z", "content": MANY}).encode(),
        b"x" * (FILE_BOUNDS.size + 1),
    ],
    ids=["an endless text", "deep", "many lists", "a long text", "a long number", "many wrong fields", "too large"],
)  # fmt: skip
def test_hostile_file_is_refused_soon_and_in_little_memory(data: bytes):
    tracemalloc.start()
    try:
        began = time.process_time()
        with pytest.raises(NotReadable):
            read_snapshot(data)
        took_s = time.process_time() - began
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * 1024 * 1024
    assert took_s < 5  # under tracemalloc, which makes it several times slower


def test_largest_link_takes_little_memory():
    many = {"kind": "preset", "request": {"a": ["x" * 50] * 400}}
    lists = linked(b"[" + b"[]," * 3_000 + b"[]]")
    texts = [lists, linked(NOISE.encode()), linked(b"\0" * 5_000_000)[:LONGEST], _with(content=many)]
    tracemalloc.start()
    try:
        for text in texts:
            tolerated(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * 1024 * 1024
    assert BOUNDS.size <= 128 * 1024
    assert MOST_RATIO <= 100
