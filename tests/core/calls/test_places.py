"""Places for calls: limits, the place kept for a click, and backing off."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from core.calls.places import (
    FIRST_PAUSE_S,
    FORGOTTEN_S,
    LONGEST_PAUSE_S,
    LONGEST_RETRY_AFTER_S,
    RECOVERS_S,
    CallPlaces,
    Place,
    Wait,
    connection_key,
)
from core.connection import Connection

ROUTER = Connection("router", "orq", "http://127.0.0.1:9", "/v2/router/completions", SecretStr("sk-one"))
OTHER = Connection("other", "openai", "http://127.0.0.2:9", "/v1/completions")


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def places(limit: int = 4, most: int = 64) -> tuple[CallPlaces, Clock]:
    clock = Clock()
    return CallPlaces(lambda connection: limit, most=most, clock=clock), clock


def taken(them: CallPlaces, count: int, *, background: bool = True) -> list[Place]:
    found = [them.take(ROUTER, background=background) for _ in range(count)]
    assert all(found), "no place"
    return [place for place in found if place]


def test_background_calls_leave_one_place_of_a_connection_for_a_click() -> None:
    them, _ = places(limit=4)
    taken(them, 3)
    assert them.take(ROUTER, background=True) is None
    assert them.take(ROUTER) is not None
    assert them.take(ROUTER) is None
    assert them.take(OTHER) is not None


def test_a_connection_with_one_place_gives_it_to_either_kind() -> None:
    them, _ = places(limit=1)
    assert them.take(ROUTER, background=True) is not None
    assert them.take(ROUTER) is None


def test_background_calls_of_all_connections_leave_places_of_the_process_free() -> None:
    them = CallPlaces(lambda connection: 16, most=16)
    assert sum(them.take(ROUTER, background=True) is not None for _ in range(16)) == 14
    assert them.take(OTHER, background=True) is None
    assert them.take(OTHER) is not None


def test_a_refusal_halves_what_is_under_way_once_for_all_calls_sent_before_it() -> None:
    them, clock = places(limit=17)
    under_way = taken(them, 16)
    clock.now_s += 1
    for place in under_way:
        them.refused(place, None)
        them.give_back(place)
    assert them.traffic(ROUTER).allowed == 8


def test_calls_sent_after_a_refusal_count_for_themselves_and_never_less_than_one_is_allowed() -> None:
    them, clock = places(limit=8)
    for allowed in (3, 1, 1, 1):
        place = taken(them, 1)[0] if allowed == 1 else taken(them, 6)[0]
        clock.now_s += 60
        them.refused(place, 0.0)
        them.give_back(place)
        clock.now_s += 1
        if allowed != 1:
            assert them.traffic(ROUTER).allowed == allowed
            for _ in range(5):
                them.give_back(Place(connection_key(ROUTER), True, 0.0))
    assert them.traffic(ROUTER).allowed == 1


def test_answers_add_one_call_a_round_until_the_limit_is_allowed_again() -> None:
    them, clock = places(limit=6)
    first = taken(them, 5)
    clock.now_s += 1
    them.refused(first[0], 0.0)
    for place in first:
        them.give_back(place)
    seen = []
    for _ in range(8):
        clock.now_s += 1
        now = taken(them, min(them.traffic(ROUTER).allowed, 5))
        for place in now:
            them.answered(place)
            them.give_back(place)
        seen.append(them.traffic(ROUTER).allowed)
    assert seen == [3, 4, 5, 5, 6, 6, 6, 6] or seen == sorted(seen)
    assert seen[0] == 3
    assert seen[-1] == 6


def test_retry_after_holds_background_calls_back_and_not_the_one_that_somebody_waits_for() -> None:
    them, clock = places()
    place = taken(them, 1)[0]
    them.refused(place, 7.0)
    them.give_back(place)
    assert them.pause_s(ROUTER) == 7.0
    assert them.take(ROUTER, background=True) is None
    click = them.take(ROUTER)
    assert click is not None
    assert them.take(ROUTER) is None
    them.give_back(click)
    clock.now_s += 7
    assert them.take(ROUTER, background=True) is not None


def test_pauses_without_retry_after_double_up_to_a_bound_and_begin_anew_after_an_answer() -> None:
    them, clock = places()
    pauses = []
    for _ in range(8):
        place = taken(them, 1)[0]
        clock.now_s += 1
        them.refused(place, None)
        them.give_back(place)
        pauses.append(them.pause_s(ROUTER))
        clock.now_s += pauses[-1] + 0.1
    assert pauses == [1, 2, 4, 8, 16, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    place = taken(them, 1)[0]
    them.answered(place)
    them.refused(place, None)
    assert them.pause_s(ROUTER) == 1


def test_a_retry_after_of_years_is_an_hour() -> None:
    them, _ = places()
    them.refused(taken(them, 1)[0], 1e9)
    assert them.pause_s(ROUTER) == LONGEST_RETRY_AFTER_S


def test_a_refusal_is_forgotten_when_nothing_was_sent_for_ten_minutes() -> None:
    them, clock = places()
    place = taken(them, 3)[0]
    them.refused(place, None)
    for _ in range(3):
        them.give_back(place)
    clock.now_s += FORGOTTEN_S + 1
    taken(them, 3)
    assert them.traffic(ROUTER).allowed == 4


def test_connections_are_told_apart_by_address_and_key_and_the_key_shows_nowhere() -> None:
    again = Connection("x", "orq", ROUTER.base_url, "/", SecretStr("sk-two"))
    assert connection_key(ROUTER) != connection_key(again) != connection_key(OTHER)
    assert "sk-one" not in connection_key(ROUTER)


@given(
    limit=st.integers(1, 9),
    most=st.integers(1, 9),
    steps=st.lists(st.tuples(st.sampled_from("cbefr"), st.floats(0, 5)), max_size=80),
)
def test_whatever_happens_no_more_calls_run_than_are_allowed_and_an_idle_connection_takes_a_click(
    limit: int, most: int, steps: list[tuple[str, float]]
) -> None:
    clock = Clock()
    them = CallPlaces(lambda connection: limit, most=most, clock=clock)
    running: list[Place] = []
    for kind, seconds in steps:
        clock.now_s += seconds
        if kind in "cb":
            allowed = them.traffic(ROUTER).allowed
            place = them.take(ROUTER, background=kind == "b")
            if place is not None:
                running.append(place)
                assert kind == "c" or len(running) <= allowed
            elif kind == "c" and limit > 1 and most > 1:
                assert [one for one in running if not one.background], "a click waited behind background calls only"
        elif running:
            place = running.pop(0)
            if kind != "e":
                (them.refused(place, None) if kind == "f" else them.answered(place))
            them.give_back(place)
        assert len(running) <= min(limit, most)
        assert them.traffic(ROUTER).running == len(running)


def test_after_a_refusal_a_second_click_waits_seconds_and_not_for_the_end_of_the_first() -> None:
    them, clock = places(limit=16)
    place = taken(them, 1, background=False)[0]
    them.refused(place, None)
    them.give_back(place)
    taken(them, 1, background=False)
    assert them.take(ROUTER) is None
    assert them.next_click_s(ROUTER) == FIRST_PAUSE_S + RECOVERS_S
    clock.now_s += FIRST_PAUSE_S + RECOVERS_S
    assert them.next_click_s(ROUTER) == 0
    assert them.take(ROUTER) is not None
    assert them.take(ROUTER) is None
    assert them.next_click_s(ROUTER) == RECOVERS_S


def test_a_new_refusal_ends_what_time_has_given_and_background_calls_get_nothing_of_it() -> None:
    them, clock = places(limit=16)
    first = taken(them, 1, background=False)[0]
    them.refused(first, None)
    them.give_back(first)
    clock.now_s += FIRST_PAUSE_S + 3 * RECOVERS_S
    background = taken(them, 1)[0]
    assert them.take(ROUTER, background=True) is None
    clicks = taken(them, 4, background=False)
    assert them.take(ROUTER) is None
    clock.now_s += 1
    them.refused(clicks[0], 9.0)
    for place in (background, *clicks):
        them.give_back(place)
    taken(them, 1, background=False)
    assert them.take(ROUTER) is None
    assert them.next_click_s(ROUTER) == 9.0 + RECOVERS_S


def test_why_a_click_waits_tells_what_was_set_from_what_a_refusal_left() -> None:
    them, _ = places(limit=2)
    under_way = taken(them, 2, background=False)
    assert them.wait(ROUTER) == Wait(2, 2)
    them.refused(under_way[0], None)
    them.give_back(under_way[0])
    wait = them.wait(ROUTER)
    assert (wait.running, wait.allowed, wait.slowed) == (1, 1, True)
    assert wait.until is not None
    assert 0 < wait.until - time.time() <= FIRST_PAUSE_S + RECOVERS_S + 1
    full = CallPlaces(lambda connection: 4, most=1)
    assert full.take(ROUTER) is not None
    assert full.wait(ROUTER) == Wait(1, 1)
