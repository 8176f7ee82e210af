"""The Shared page through Streamlit's AppTest: what a link shows, what it offers, and what is said when it shows nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from core.errors import StorageUnavailable
from core.share.freezing import freeze
from core.share.link import SelfContainedLinks
from core.share.opening import title_of
from core.share.snapshot import Snapshot
from core.share.subject import preset_subject
from core.storage.share_repository import ShareRepository
from core.workspace import opened_workspace
from tests.core.share.canaries import CANARIES, KEY, subjects
from tests.core.storage import samples
from tests.support.script_page import ScriptPage

SUBJECTS = subjects()


class Page(ScriptPage):
    SAYS = ("markdown", "caption", "info", "error", "code", "text")

    def __init__(self, **query: str) -> None:
        super().__init__("share.py", query=query)
        self.run()

    @property
    def words(self) -> str:
        return super().words.replace("\u2060", "")


def share(snapshot: Snapshot, **fields: object) -> str:
    return opened_workspace().shares.add(snapshot, title_of(snapshot), **fields).id  # type: ignore[arg-type]


def preset(**fields: object) -> Snapshot:
    return freeze(
        preset_subject({"body": samples.body(**fields), "extra": ""}, name="Greedy", description="For extraction", tags=("a tag",))
    )


@pytest.mark.parametrize("kind", ["preset", "run", "comparison"])
def test_link_shows_what_was_shared_and_runs_nothing(kind: str):
    before = opened_workspace().runs.count()
    page = Page(s=share(freeze(SUBJECTS[kind], secrets=[KEY])))
    for name in ("prompt", *(() if kind == "preset" else ("output", "error"))):
        assert CANARIES[name][-1 if name == "output" else 0].split("\n")[0] in page.words  # type: ignore[index]
    assert KEY not in page.words
    assert opened_workspace().runs.count() == before
    assert opened_workspace().hub.load["running"] == 0


@pytest.mark.parametrize("kind", ["preset", "run", "comparison"])
def test_what_was_left_out_is_not_shown_and_named(kind: str):
    page = Page(s=share(freeze(SUBJECTS[kind], hidden=["prompt", "identity", "models"], secrets=[KEY])))
    assert "Left out by whoever shared it: Prompt, Identity and user, Model names" in page.words
    assert not [text for name in ("prompt", "identity", "models") for text in CANARIES[name] if text in page.words]  # type: ignore[index]


def test_opening_puts_the_request_into_the_playground_and_starts_nothing():
    page = Page(s=share(preset(temperature=0.25)))
    assert "session.draft.a" not in page.at.session_state
    page.at.get_by_key("share.playground").click()
    page.at.run()  # the page to switch to is not there in a test of one page
    assert page.at.session_state["session.draft.a"]["body"] == samples.body(temperature=0.25)
    assert opened_workspace().hub.load["running"] == 0


def test_fork_is_a_preset_with_the_names_and_the_content():
    page = Page(s=share(preset(temperature=0.75)))
    page.at.get_by_key("share.fork").click()
    page.at.run()
    made = opened_workspace().presets.find(page.at.session_state["session.ticked_presets"][0])
    assert made is not None
    assert (made.label.name, made.label.description, made.label.tags) == ("Greedy", "For extraction", ("a tag",))
    version = opened_workspace().presets.version(made.id, 1)
    assert version is not None
    assert [leaving.body for _, leaving in version.content.sent()] == [samples.body(temperature=0.75)]


def test_link_that_holds_it_all_says_who_made_it():
    ours = opened_workspace().share_links.pack(preset())
    others = SelfContainedLinks("another").pack(preset())
    assert "It was made by this playground." in Page(c=ours or "").words
    assert "It was made by another playground; nothing tells whose." in Page(c=others or "").words


def test_links_that_show_nothing_say_why():
    shares = opened_workspace().shares
    revoked = share(preset())
    shares.revoke(revoked)
    past = ShareRepository(opened_workspace().database, now=lambda: datetime.now(UTC) - timedelta(hours=2))
    expired = past.add(preset(), "t", expires_at=datetime.now(UTC) - timedelta(hours=1)).id
    for query, why in (
        ({"s": revoked}, "Whoever shared this took it back. Ask for a new link."),
        ({"s": expired}, "This link has expired. Ask for a new link."),
        ({"s": "a" * 22}, "Nothing is shared under this link."),
        ({"s": "<b>"}, "This link is not whole."),
        ({"c": "AAAA"}, "This link holds nothing that was shared from a playground."),
        ({"c": quote("<script>")}, "This link is not whole"),
    ):
        page = Page(**query)
        assert why in page.words
        assert len(page.at.error) == 1


def test_visit_is_counted_once_in_a_session():
    share_id = share(preset())
    Page(s=share_id).run().run()
    Page(s=share_id)
    (row,) = [row for row in opened_workspace().shares.rows() if row.id == share_id]
    assert row.views == 2


def test_list_shows_what_was_shared_and_takes_it_back():
    snapshot = freeze(SUBJECTS["preset"], hidden=["prompt", "names"], secrets=[KEY])
    share_id = share(snapshot, expires_at=datetime.now(UTC) + timedelta(days=1))
    page = Page()
    assert "without Prompt, Names and description" in page.words
    assert f"share?s={share_id}" in page.words
    page.click(f"share.revoke.{share_id}")
    assert f"share?s={share_id}" not in page.words
    assert "took it back" in Page(s=share_id).words
    page.click(f"share.forget.{share_id}")
    assert not [row for row in opened_workspace().shares.rows() if row.id == share_id]


def test_database_that_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object, **__: object) -> None:
        raise StorageUnavailable("The disk is full.", "Free some space.")

    monkeypatch.setattr(ShareRepository, "read", broken)
    monkeypatch.setattr(ShareRepository, "rows", broken)
    assert "The disk is full. Free some space." in Page(s="a" * 22).words
    assert "The list cannot be read. The disk is full." in Page().words
