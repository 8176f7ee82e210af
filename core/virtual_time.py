"""An event loop whose time passes only by waiting, and then at once: what takes minutes by its timers is over in milliseconds."""

from __future__ import annotations

import asyncio
import selectors


class _Skipping(selectors.DefaultSelector):
    """Waits for nothing but files: a wait for a timer is skipped and counted."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; nothing else is waited for unless no timer is running."""
        ready = super().select(None if timeout is None else 0)
        if not ready and timeout is not None and timeout > 0:
            self.skipped_s += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """For work without a network: ``asyncio.sleep`` and ``asyncio.timeout`` mean virtual seconds, which begin at 0."""

    def __init__(self) -> None:
        self._waits = _Skipping()
        super().__init__(self._waits)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._waits.skipped_s
