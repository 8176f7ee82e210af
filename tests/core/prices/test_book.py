"""The price list is kept and comes back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import StorageUnavailable
from core.prices.book import PriceBook
from core.prices.pricing import FIRST_PRICES, Price
from core.storage.database import Database
from core.storage.preference_repository import PreferenceRepository

MINE = Price("p/m", Decimal("0.15"), Decimal("0.60"), Decimal("0.075"), source="the bill")


@pytest.fixture
def preferences(tmp_path: Path) -> PreferenceRepository:
    return PreferenceRepository(Database.of(tmp_path, None))


def test_new_installation_has_the_first_prices(preferences: PreferenceRepository):
    assert PriceBook(preferences).prices.prices == FIRST_PRICES


def test_list_that_was_set_counts_at_once_and_after_a_restart(preferences: PreferenceRepository):
    book = PriceBook(preferences)
    book.replace([MINE])
    assert book.prices.prices == PriceBook(preferences).prices.prices == (MINE,)


def test_reset_brings_the_first_prices_back(preferences: PreferenceRepository):
    book = PriceBook(preferences)
    book.replace([])
    assert book.prices.find("local/pydoc") is None
    book.reset()
    assert book.prices.prices == FIRST_PRICES


def test_model_with_two_prices_is_refused_and_nothing_changes(preferences: PreferenceRepository):
    book = PriceBook(preferences)
    with pytest.raises(ValueError, match="p/m has two prices"):
        book.replace([MINE, replace(MINE, input=Decimal(1))])
    assert book.prices.prices == FIRST_PRICES


class Broken:
    def find(self, _name):
        raise StorageUnavailable("The disk is full.", "Free some space.")

    save = find


def test_without_storage_the_first_prices_count_and_are_looked_for_again():
    broken = Broken()
    book = PriceBook(broken)
    assert book.prices.prices == FIRST_PRICES
    broken.find = lambda _name: [MINE.to_dict()]
    assert book.prices.prices == (MINE,)
