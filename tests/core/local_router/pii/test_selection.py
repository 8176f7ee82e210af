"""What a plug-in's fields select."""

from __future__ import annotations

import pytest

from core.local_router.api_error import ApiError
from core.local_router.pii.kinds import BASE, BY_REGION, DEFAULT_THRESHOLD, KINDS
from core.local_router.pii.selection import read_selection


def kinds(**plugin) -> set[str]:
    return set(read_selection(plugin, "plugins.0").kinds)


def test_nothing_selected_is_everything():
    assert kinds() == kinds(regions=["all"]) == kinds(regions=[], entities=[]) == set(KINDS)


def test_entities_alone_are_all_that_is_looked_for():
    assert kinds(entities=["email_address", "NL_BSN"]) == {"EMAIL_ADDRESS", "NL_BSN"}


def test_regions_add_their_kinds_and_the_base_to_the_entities():
    assert kinds(regions=["NL"]) == {*BASE, "NL_BSN"}
    assert kinds(regions=["nl"], entities=["US_SSN"]) == {*BASE, "NL_BSN", "US_SSN"}
    assert kinds(regions=["gb"]) == {*BASE, *BY_REGION["gb"]}


def test_an_entitys_own_threshold_wins_over_the_general_one():
    thresholds = read_selection({"entities": ["URL"], "threshold": 0.9, "entity_thresholds": {"url": 0.2}}, "p").thresholds
    assert (thresholds.of("URL"), thresholds.of("NL_BSN")) == (0.2, 0.9)
    assert read_selection({"threshold": 0}, "p").thresholds.of("URL") == 0
    assert read_selection({}, "p").thresholds.of("URL") == DEFAULT_THRESHOLD


@pytest.mark.parametrize(("field", "value"), [("entities", "PERSON"), ("regions", "zz")])
def test_what_is_not_known_is_refused_by_name(field: str, value: str):
    with pytest.raises(ApiError) as raised:
        read_selection({field: [value], "on_failure": "passthrough"}, "plugins.0")
    assert (raised.value.status, raised.value.param) == (400, f"plugins.0.{field}")
    assert value in raised.value.message
    assert "/v2/pii/capabilities" in raised.value.message


@pytest.mark.parametrize(("written", "read"), [("auto", None), ("AUTO", None), ("en-US", "en"), ("nl_NL", "nl"), ("", None)])
def test_language_is_read_without_its_country(written: str, read: str | None):
    assert read_selection({"language": written}, "p").language == read
