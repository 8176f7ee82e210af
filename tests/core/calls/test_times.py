"""How long calls take, by the runs there are."""

from __future__ import annotations

from dataclasses import replace

from core.calls.times import CallTimes
from core.errors import StorageUnavailable
from core.metrics import Timings
from core.storage.database import Database
from core.storage.run_query import RunPage
from core.storage.run_repository import RunRepository
from tests.core.storage.samples import body, run


def made(total_s: float, *, model: str = "m", **fields: object):  # type: ignore[no-untyped-def]
    return run(asked=body(model=model), timings=Timings(0.5, 1.0, total_s, 10.0), **fields)


def test_median_of_finished_runs_of_the_model_at_the_connection_without_the_time_in_the_queue(tmp_path) -> None:  # type: ignore[no-untyped-def]
    database = Database.of(tmp_path, None)
    runs = RunRepository(database)
    runs.save([made(2.5), made(3.5), made(10.5), made(99, status="failed"), made(99, model="other"), made(99, connection_name="Orq")])
    runs.save([replace(made(99, model="other"), model="m")])
    times = CallTimes(runs)
    assert times.seconds("Local router", "m") == 3.0
    assert times.seconds("Local router", "unheard of") is None
    database.close()


def test_it_is_looked_up_again_after_a_while_and_is_unknown_while_storage_fails() -> None:
    asked: list[object] = []

    class Failing:
        def page(self, *which: object, **_: object) -> RunPage:
            asked.append(which)
            raise StorageUnavailable("The disk is full.")

    now = [0.0]
    times = CallTimes(Failing(), clock=lambda: now[0])
    assert [times.seconds("c", "m") for _ in range(3)] == [None] * 3
    assert len(asked) == 1
    now[0] = 1.5
    times.seconds("c", "m")
    assert len(asked) == 2


def test_what_is_known_is_not_looked_up_for_some_seconds(tmp_path) -> None:  # type: ignore[no-untyped-def]
    database, now = Database.of(tmp_path, None), [0.0]
    runs = RunRepository(database)
    times = CallTimes(runs, clock=lambda: now[0])
    found = []
    for moment, total_s in ((0.0, 2.5), (9.0, 4.5), (11.0, 6.5)):
        now[0] = moment
        runs.save([made(total_s)])
        found.append(times.seconds("Local router", "m"))
    assert found == [2.0, 2.0, 4.0]
    database.close()
