"""The limits that somebody set."""

from __future__ import annotations

from typing import Any

import pytest

from core.calls.limits import NAME, CallLimits
from core.connection import Connection
from core.errors import StorageUnavailable

LOCAL = Connection("local", "local", "http://127.0.0.1:40001", "/v2/router/completions")
ORQ = Connection("Orq", "orq", "https://my.orq.ai", "/v2/router/completions")


class Kept:
    def __init__(self, value: Any = None) -> None:
        self.values: dict[str, Any] = {NAME: value}
        self.broken = False

    def find(self, name: str) -> object:
        if self.broken:
            raise StorageUnavailable("The database is locked.")
        return self.values.get(name)

    def save(self, name: str, value: object) -> None:
        if self.broken:
            raise StorageUnavailable("The database is locked.")
        self.values[name] = value


def test_our_own_router_takes_more_at_once_than_others_until_somebody_sets_it() -> None:
    limits = CallLimits(Kept())
    limits.load()
    assert (limits.limit(LOCAL), limits.limit(ORQ)) == (64, 16)


def test_a_limit_is_kept_by_address_and_the_local_routers_whatever_its_port() -> None:
    kept = Kept()
    CallLimits(kept).set(LOCAL, 5)
    CallLimits(kept).set(ORQ, 3)
    again = CallLimits(kept)
    again.load()
    other_port = Connection("local", "local", "http://127.0.0.1:40002", "/v2/router/completions")
    assert (again.limit(other_port), again.limit(ORQ)) == (5, 3)


@pytest.mark.parametrize("limit", [0, 65, True, -1])
def test_what_is_no_limit_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        CallLimits(Kept()).set(ORQ, limit)


def test_what_cannot_be_read_counts_for_nothing_and_is_asked_for_again() -> None:
    kept = Kept({"https://my.orq.ai": 2, "https://other": "many"})
    kept.broken = True
    limits = CallLimits(kept)
    limits.load()
    assert limits.limit(ORQ) == 16
    kept.broken = False
    limits.load()
    assert limits.limit(ORQ) == 2
    kept.broken = True
    with pytest.raises(StorageUnavailable):
        limits.set(ORQ, 9)
    assert limits.limit(ORQ) == 2


def test_what_another_process_set_meanwhile_stays() -> None:
    kept = Kept()
    one, other = CallLimits(kept), CallLimits(kept)
    one.load()
    other.set(ORQ, 3)
    one.set(LOCAL, 5)
    assert (one.limit(ORQ), one.limit(LOCAL)) == (3, 5)
    assert kept.values[NAME] == {"https://my.orq.ai": 3, "local": 5}


def test_limits_that_cannot_be_read_are_not_written_over() -> None:
    class ReadsBadly(Kept):
        def find(self, name: str) -> object:
            raise StorageUnavailable("The database is locked.")

    kept = ReadsBadly({"https://my.orq.ai": 3})
    with pytest.raises(StorageUnavailable):
        CallLimits(kept).set(LOCAL, 5)
    assert kept.values[NAME] == {"https://my.orq.ai": 3}
