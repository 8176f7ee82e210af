"""Preferences come back as they were set, on both databases."""

from __future__ import annotations

import pytest

from core.storage.database import Database
from core.storage.preference_repository import PreferenceRepository


@pytest.mark.parametrize("value", [[{"model": "m", "input": "1.50"}], {"max_age_days": 30}, {}, [], "\x00½😀", 0, False])
def test_value_comes_back_as_it_was_set(database: Database, value):
    PreferenceRepository(database).save("prices", value)
    found = PreferenceRepository(database).find("prices")
    assert (found, type(found)) == (value, type(value))


def test_newest_value_counts(database: Database):
    preferences = PreferenceRepository(database)
    preferences.save("retention", {"max_age_days": 30})
    preferences.save("retention", {"max_age_days": None})
    assert preferences.find("retention") == {"max_age_days": None}


def test_what_nobody_set_is_none(database: Database):
    assert PreferenceRepository(database).find("prices") is None


def test_each_owner_has_preferences_of_its_own(database: Database):
    PreferenceRepository(database, "ada").save("prices", [1])
    assert PreferenceRepository(database, "bob").find("prices") is None
