"""What repeats send, and when the router's cache would make them one answer."""

from __future__ import annotations

import pytest

from core.comparison.repeats import cache_trap, repeated, uncached

CACHE = {"type": "exact_match", "ttl": 60}


def test_a_seed_counts_up_and_everything_else_is_the_same():
    assert repeated({"prompt": "p", "seed": 7}, 3) == [{"prompt": "p", "seed": 7}, {"prompt": "p", "seed": 8}, {"prompt": "p", "seed": 9}]


@pytest.mark.parametrize("body", [{"prompt": "p"}, {"prompt": "p", "seed": None}])
def test_without_a_seed_repeats_are_the_same_request(body: dict):
    assert repeated(body, 2) == [body, body]


def test_trap_names_the_slots_whose_repeats_would_be_copies():
    bodies = [{"cache": CACHE}, {"cache": CACHE, "seed": 1}, {}, {"orq": {"cache": CACHE}}, {"cache": None, "orq": {"cache": CACHE}}]
    assert cache_trap(bodies, 3) == (0, 3)
    assert cache_trap(bodies, 1) == ()


def test_two_slots_set_alike_are_trapped_without_repeats():
    assert cache_trap([{"cache": CACHE, "n": 1}, {"cache": CACHE, "n": 1}, {"cache": CACHE, "n": 2}], 1) == (0, 1)


def test_uncached_takes_out_the_cache_and_its_twin_and_nothing_else():
    assert uncached({"n": 1, "cache": CACHE, "orq": {"cache": CACHE}}) == {"n": 1}
    assert uncached({"n": 1, "orq": {"cache": CACHE, "name": "x"}}) == {"n": 1, "orq": {"name": "x"}}
