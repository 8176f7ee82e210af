"""A run's text: read in any steps, and put together from halves of characters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.piece_log import PieceLog, SurrogateJoiner
from tests.core.new_runs import whole

PIECES = st.lists(st.tuples(st.integers(0, 2), st.text(min_size=1, max_size=4)), max_size=60)


@given(PIECES, st.lists(st.integers(1, 12)), st.booleans())
def test_a_log_read_in_any_steps_gives_the_whole_text_once(pieces: list[tuple[int, str]], limits: list[int], packed: bool) -> None:
    log = PieceLog()
    for choice, text in pieces:
        log.append(choice, text)
    reading = log.packed() if packed else log
    got: dict[int, str] = {}
    at = 0
    for limit in [*limits, *([10**9] * len(pieces))]:
        texts, reached = reading.since(at, limit)
        assert reached > at or at == len(pieces)
        at = reached
        for choice, text in texts.items():
            got[choice] = got.get(choice, "") + text
    assert got == whole(pieces) == dict(reading.texts())
    assert at == len(pieces) == len(reading)


@given(st.text(st.characters(codec="utf-8")), st.data())
def test_halves_are_joined_wherever_a_text_is_split(text: str, data: st.DataObject) -> None:
    units = text.encode("utf-16-le", "surrogatepass")
    joiner, out, at = SurrogateJoiner(), "", 0
    while at < len(units):
        step = 2 * data.draw(st.integers(1, 3))
        out += joiner.join(0, "".join(chr(int.from_bytes(units[i : i + 2], "little")) for i in range(at, min(at + step, len(units)), 2)))
        at += step
    assert out + "".join(rest for _, rest in joiner.rest()) == text
