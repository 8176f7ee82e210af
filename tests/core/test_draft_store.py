from core.draft_store import DraftStore, new_draft_id


def test_loaded_draft_is_a_copy():
    store = DraftStore()
    store.save("d", {"body": {"prompt": "as saved"}})
    store.load("d")["body"]["prompt"] = "changed"
    assert store.load("d") == {"body": {"prompt": "as saved"}}


def test_saved_draft_is_a_copy():
    store, draft = DraftStore(), {"body": {"prompt": "as saved"}}
    store.save("d", draft)
    draft["body"]["prompt"] = "changed"
    assert store.load("d") == {"body": {"prompt": "as saved"}}


def test_unknown_draft_is_none():
    assert DraftStore().load("nobody") is None


def test_the_draft_not_touched_for_longest_goes_first():
    store = DraftStore(limit=2)
    store.save("old", {})
    store.save("kept", {})
    store.load("old")
    store.save("new", {})
    assert store.load("kept") is None
    assert store.load("old") == {}


def test_ids_differ_and_fit_a_url():
    ids = {new_draft_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(identifier.replace("-", "").replace("_", "").isalnum() for identifier in ids)
