"""Hearing of a shutdown before the server waits for open answers, which an event stream would never let it finish."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def on_shutdown_signal(notify: Callable[[], object]) -> Callable[[], None]:
    """Call ``notify`` after the present handler of SIGINT or SIGTERM, whenever one comes; returns what undoes it.

    ``notify`` runs between two steps of the main thread, so it may only hand work over. Does nothing outside the main thread, where
    signals are none of our business.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:
        notify()
        previous = before[signal.Signals(number)]
        if callable(previous):
            previous(number, frame)

    handled = {number for number, previous in before.items() if callable(previous)}
    for number in handled:
        signal.signal(number, handle)

    def undo() -> None:
        for number in handled:
            if signal.getsignal(number) is handle:
                signal.signal(number, before[number])

    return undo
