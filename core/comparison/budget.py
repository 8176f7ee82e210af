"""What a comparison may cost before Run asks once more, as somebody set it: kept in storage, at hand in memory."""

from __future__ import annotations

import threading
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from core.errors import StorageProblem
from core.prices.book import Preferences

NAME: Final = "comparison_budget_usd"
MOST_USD: Final = Decimal(1_000_000)


class Budget:
    """Read once, then held; any thread may use it. Without storage there is none."""

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences
        self._lock = threading.Lock()
        self._held: tuple[Decimal | None] | None = None

    @property
    def usd(self) -> Decimal | None:
        """US dollars; None where nobody set a budget."""
        with self._lock:
            if self._held is None:
                try:
                    self._held = (_amount(self._preferences.find(NAME)),)
                except StorageProblem:
                    return None
            return self._held[0]

    def set(self, usd: Decimal | None) -> None:
        """Keep another budget; None for none. ValueError when it is no amount; StorageProblem when it cannot be kept."""
        if usd is not None and _amount(str(usd)) is None:
            raise ValueError(f"A budget is an amount from $0 to ${MOST_USD:,}.")
        self._preferences.save(NAME, "" if usd is None else str(usd))
        with self._lock:
            self._held = (usd,)


def _amount(kept: Any) -> Decimal | None:
    try:
        found = Decimal(kept) if isinstance(kept, str) else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() and 0 <= found <= MOST_USD else None
