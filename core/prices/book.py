"""The installation's price list: kept in storage, at hand in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final, Protocol

from core.errors import StorageProblem
from core.prices.pricing import FIRST_PRICES, Price, PriceList

NAME: Final = "prices"


class Preferences(Protocol):
    """Where the list is kept."""

    def find(self, name: str) -> object:
        """The value, or None."""
        ...

    def save(self, name: str, value: object) -> None:
        """Keep a value."""
        ...


class PriceBook:
    """Read once, then held; any thread may use it. Without storage (it cannot be read) the first prices count."""

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences
        self._lock = threading.Lock()
        self._prices: PriceList | None = None

    @property
    def prices(self) -> PriceList:
        """The list as it is now."""
        with self._lock:
            if self._prices is None:
                try:
                    kept = self._preferences.find(NAME)
                except StorageProblem:
                    return PriceList()
                self._prices = PriceList(map(Price.from_dict, kept)) if isinstance(kept, list) else PriceList()
            return self._prices

    def replace(self, prices: Iterable[Price]) -> None:
        """Keep another list. ValueError when a model stands in it twice; StorageProblem when it cannot be kept (then nothing changes)."""
        listed = tuple(prices)
        twice = {price.model for price in listed if sum(other.model == price.model for other in listed) > 1}
        if twice:
            raise ValueError(f"{min(twice)} has two prices; keep one.")
        self._preferences.save(NAME, [price.to_dict() for price in listed])
        with self._lock:
            self._prices = PriceList(listed)

    def reset(self) -> None:
        """Back to the prices that a new installation has."""
        self.replace(FIRST_PRICES)
