"""What is made ahead is what would have been made, and nobody waits for what nobody wants."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from core.storage.ahead import ahead
from tests.support.conditions import eventually


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "ahead"]


@pytest.mark.parametrize("count", [0, 1, 5])
def test_items_come_in_order(count: int) -> None:
    assert [*ahead(iter(range(count)))] == [*range(count)]
    eventually(lambda: not threads(), what="the thread to end")


def test_next_item_is_made_while_one_is_looked_at() -> None:
    begun = [threading.Event() for _ in range(3)]

    def items() -> Iterator[int]:
        for number, event in enumerate(begun):
            event.set()
            yield number

    for number in ahead(items()):
        assert all(event.wait(20) for event in begun[: number + 2])


def test_what_goes_wrong_is_told_after_what_came_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("line 2")

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="line 2"):
        next(coming)
    eventually(lambda: not threads(), what="the thread to end")


def test_giving_up_does_not_wait_for_an_item_that_does_not_come() -> None:
    comes = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        comes.wait()
        yield 2

    coming = ahead(items())
    assert next(coming) == 1
    coming.close()  # type: ignore[attr-defined]
    assert threads()
    comes.set()
    eventually(lambda: not threads(), what="the thread to end")
