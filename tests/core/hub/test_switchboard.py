"""How many pages are kept in mind, and which are refused."""

from __future__ import annotations

import pytest

from core.connection import Connection
from core.hub import switchboard
from core.hub.channels import Reader
from core.hub.hub import Hub
from core.hub.switchboard import HubFull, Switchboard


def test_channels_nobody_follows_are_forgotten_and_their_number_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    board = Switchboard(lambda: now[0], lambda work: None)
    old = board.channel("old")
    now[0] = switchboard.CHANNEL_IDLE_S + 1
    board.channel("new")
    assert board.channel("old") is not old
    monkeypatch.setattr(switchboard, "MAX_CHANNELS", 3)
    for name in "pqrs":
        now[0] += 1
        board.channel(name)
    assert len(board) == 3
    for name in "qrs":
        board.channel(name).readers.add(Reader(board.channel(name), str))
    with pytest.raises(HubFull):
        board.channel("one more")


async def test_a_run_that_no_channel_can_show_is_not_kept_as_waiting_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    await hub.open()
    monkeypatch.setattr(switchboard, "MAX_CHANNELS", 0)
    with pytest.raises(HubFull):
        hub.start({"model": "m"}, Connection("c", "local", "http://127.0.0.1:1", "/"), channel="page")
    assert hub.load["runs"] == 0
    await hub.close()
