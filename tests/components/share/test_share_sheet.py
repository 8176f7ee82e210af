"""The sheet before a link is made: every switch leaves out what it says, terms end the link, and a link can be taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import StorageUnavailable
from core.share.snapshot import Snapshot
from core.storage.share_repository import NoShare, ShareRepository
from core.workspace import opened_workspace
from tests.core.share.canaries import CANARIES, KEY, NEVER
from tests.support.script_page import ScriptPage


def sheet() -> None:
    import streamlit as st

    from components.share.share_sheet import share_sheet
    from tests.pages.test_share import SUBJECTS  # made once: a sheet that is drawn again is of the same run

    share_sheet({"This": lambda: SUBJECTS[st.session_state["kind"]]})


class Sheet(ScriptPage):
    def __init__(self, kind: str = "run") -> None:
        super().__init__(sheet, session={"kind": kind})
        self.run()

    def only(self, *on: str) -> Sheet:
        """Switch these on, and all others off."""
        for toggle in self.at.toggle:
            toggle.set_value(str(toggle.key).removeprefix("share.item.") in on)
        return self.run()

    @property
    def switches(self) -> dict[str, bool]:
        return {str(toggle.key).removeprefix("share.item."): toggle.value for toggle in self.at.toggle}

    @property
    def link(self) -> str:
        (found,) = [block.value for block in self.at.code if "/share?s=" in block.value]
        return found

    def made(self) -> Snapshot:
        """Make the link; what whoever has it sees."""
        return read(self.click("share.make").link)


def read(link: str) -> Snapshot:
    return opened_workspace().shares.read(link.rpartition("=")[2])


def held(text: str, name: str) -> list[str]:
    return [canary for canary in CANARIES[name] if canary in text.replace("\\n", "\n")]  # type: ignore[index]


def test_every_item_has_a_switch_and_who_asked_and_where_is_off_at_first() -> None:
    switches = Sheet("comparison").switches
    assert switches.keys() == {*CANARIES, "lane"}
    assert [name for name, on in switches.items() if not on] == ["identity", "thread", "base_url"]
    assert Sheet("preset").switches.keys() == {*CANARIES} - {"output", "error", "base_url"}


@pytest.fixture(scope="module")
def everything() -> Snapshot:
    """A run with every switch on."""
    page = Sheet()
    return page.only(*page.switches).made()


@pytest.mark.parametrize("name", [*CANARIES, "lane"])
def test_each_switch_leaves_out_what_it_names_and_nothing_else_was_missing(name: str, everything: Snapshot) -> None:
    page = Sheet()
    shown = page.only(*(set(page.switches) - {name})).made()
    assert shown.hidden == (name,)
    if name == "lane":
        assert '"lane":null' not in everything.model_dump_json()
        assert '"lane":null' in shown.model_dump_json()
    else:
        assert held(everything.model_dump_json(), name)
        assert not held(shown.model_dump_json(), name)
    for snapshot in (shown, everything):
        assert not [text for text in NEVER if text in snapshot.model_dump_json()]


def test_with_every_switch_off_nothing_of_all_that_is_left() -> None:
    made = Sheet("comparison").only().made()
    assert not [name for name in CANARIES if held(made.model_dump_json(), name)]
    assert KEY not in made.model_dump_json()


def test_preview_shows_exactly_what_the_link_will_hold() -> None:
    page = Sheet().only("prompt", "output")
    page.at.session_state["share.preview"] = True
    (preview,) = [block.value for block in page.run().at.code if '"made_at"' in block.value]
    assert Snapshot.model_validate_json(preview).content == page.made().content


@pytest.mark.parametrize(("expiry", "lasts"), [("never", None), ("in 1 hour", timedelta(hours=1)), ("in 30 days", timedelta(days=30))])
def test_link_ends_when_it_was_told_to(expiry: str, lasts: timedelta | None) -> None:
    page = Sheet().set("share.expiry", expiry).click("share.make")
    assert ends(page) == lasts


def test_link_ends_after_a_number_of_days_that_was_typed() -> None:
    page = Sheet().set("share.expiry", "in …").set("share.days", 3).click("share.make")
    assert ends(page) == timedelta(days=3)
    later = ShareRepository(opened_workspace().database, now=lambda: datetime.now(UTC) + timedelta(days=3, minutes=1))
    with pytest.raises(NoShare, match="expired"):
        later.read(page.link.rpartition("=")[2])


def ends(page: Sheet) -> timedelta | None:
    """How long after its making the link ends, to the minute."""
    (row,) = [row for row in opened_workspace().shares.rows() if row.id == page.link.rpartition("=")[2]]
    return None if row.expires_at is None else timedelta(minutes=round((row.expires_at - row.created_at) / timedelta(minutes=1)))


def test_link_is_of_what_was_switched_when_it_was_made_and_goes_from_sight_after_that() -> None:
    page = Sheet().click("share.make")
    link = page.link
    page.set("share.item.prompt", False)
    assert not [block for block in page.at.code if "/share?s=" in block.value]
    assert page.set("share.item.prompt", True).link == link
    page.set("share.expiry", "in 1 day")
    assert not [block for block in page.at.code if "/share?s=" in block.value]


def test_link_that_was_taken_back_shows_nothing() -> None:
    link = Sheet().click("share.make").link
    assert read(link)
    opened_workspace().shares.revoke(link.rpartition("=")[2])
    with pytest.raises(NoShare, match="took it back"):
        read(link)


def test_links_file_and_markdown_for_other_places_hold_no_more_than_the_link() -> None:
    page = Sheet("preset").only("prompt")
    page.at.session_state["share.elsewhere"] = True
    page.run()
    (contained,) = [block.value for block in page.at.code if "/share?c=" in block.value]
    snapshot = opened_workspace().share_links.unpack(contained.rpartition("?c=")[2]).snapshot
    assert snapshot.content == page.made().content
    texts = [block.value for block in page.at.code]
    assert not [name for name in CANARIES if name != "prompt" for text in texts if held(text, name)]


def test_storage_that_fails_is_said_and_no_link_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise StorageUnavailable("The disk is full.", "Free some space.")

    monkeypatch.setattr(ShareRepository, "add", broken)
    page = Sheet().click("share.make")
    assert "The disk is full. Free some space." in page.words
    assert not [block for block in page.at.code if "/share?s=" in block.value]
