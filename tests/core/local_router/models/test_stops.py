from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.local_router.models.stops import StopFilter

letters = st.text(alphabet="ab", max_size=12)


def run(stops: list[str], pieces: list[str]) -> tuple[str, bool]:
    """What comes out, and whether a stop was met."""
    stop_filter, out = StopFilter(stops), ""
    for piece in pieces:
        out += stop_filter.feed(piece)
        if stop_filter.stopped:
            return out, True
    return out + stop_filter.flush(), False


@settings(deadline=None)
@given(st.lists(letters, max_size=8), st.lists(st.text(alphabet="ab", min_size=1, max_size=4), max_size=4))
def test_no_stop_comes_out_and_nothing_else_is_lost(pieces, stops):
    out, stopped = run(stops, pieces)
    text = "".join(pieces)
    assert not any(stop in out for stop in stops)
    assert text.startswith(out)
    assert stopped == any(stop in text for stop in stops)
    assert stopped or out == text
    if stopped:
        assert any(text.startswith(stop, len(out)) for stop in stops)


@settings(deadline=None)
@given(letters, st.text(alphabet="ab", min_size=1, max_size=4), st.data())
def test_one_stop_is_met_at_the_same_place_however_the_text_is_cut(text, stop, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert run([stop], pieces)[0] == text.partition(stop)[0]


def test_possible_beginning_is_held_back_and_given_out_when_it_was_none():
    stop_filter = StopFilter(["END"])
    assert [stop_filter.feed(piece) for piece in ("the E", "N", "d of")] == ["the ", "", "ENd of"]


@pytest.mark.parametrize("stops", [[], ["x"]], ids=["no stops", "a stop that is far"])
def test_text_without_a_beginning_comes_at_once(stops):
    assert StopFilter(stops).feed("words") == "words"
