"""Each leaf of the contract has a test that shows its effect, and the document says which."""

from __future__ import annotations

from tests.contract_coverage import DOCUMENT, document, leaves, shown


def test_every_leaf_has_a_test_that_shows_its_effect():
    found = shown()
    assert [leaf for leaf in leaves() if leaf not in found] == []


def test_no_test_claims_a_leaf_that_does_not_exist():
    assert sorted(set(shown()) - set(leaves())) == []


def test_document_is_up_to_date():
    assert DOCUMENT.read_text() == document(), "run: python -m tests.contract_coverage"
