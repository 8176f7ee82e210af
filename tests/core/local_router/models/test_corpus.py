from __future__ import annotations

import pytest

from core.local_router.models.corpus import topics, unwrap

PARAGRAPH = """A function definition is an executable statement.  Its execution binds
the function name in the current local namespace to a function object
(a wrapper around the executable code for the function)."""


def test_wrapped_paragraph_becomes_one_line():
    assert "\n" not in unwrap(PARAGRAPH)
    assert "Its execution binds the function name" in unwrap(PARAGRAPH)


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    return x\n",
        "Function definitions\n********************\n\nText",
        "A heading that is as long as thirty-six columns are\n" + 51 * "*",
        "* one item of a list that is as long as the line allows, seventy chars\n* another item",
        f"+{66 * '-'}+\n| Operator {56 * ' '} |",
        "funcdef ::= [decorators] def funcname ( [parameter_list] ) something or\n            [-> expression] : suite",
        "A short line\nof verse",
    ],
    ids=["code", "heading", "long heading", "list", "table", "grammar", "short lines"],
)
def test_breaks_that_are_not_wraps_stay(text):
    assert unwrap(text) == text


def test_continuation_of_a_list_item_is_joined():
    item = "* If both operands are of the kind that has been described further up,\n  the result is another one."
    assert unwrap(item) == item.replace("\n  ", " ")


def test_word_broken_after_its_hyphen_is_made_whole():
    text = "expression is evaluated once, and that the same value, which is “pre-\ncomputed” when the function is defined, is used."
    assert "“pre-computed”" in unwrap(text)


def test_only_white_space_is_changed():
    for text in topics():
        assert text
    from pydoc_data.topics import topics as reference

    for name in reference:
        assert "".join(unwrap(reference[name]).split()) == "".join(reference[name].split())
