"""Prices as rows of texts: checked without losing any, and to and from CSV."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.prices.pricing import FIRST_PRICES, Price
from core.prices.rows import cells_of, check_rows, merged, read_csv, write_csv

GOOD = {"model": "p/m", "input": "0.15", "output": "0.60", "cached": "0.075", "source": 'the "bill", May', "as_of": "2026-05-01"}


def test_prices_become_rows_and_rows_prices_again_exactly() -> None:
    prices, problems = check_rows([cells_of(price) for price in FIRST_PRICES])
    assert (tuple(prices), problems) == (FIRST_PRICES, {})
    assert cells_of(Price("local/*", Decimal(0), Decimal("1.50"))) == {"model": "local/*", "input": "0", "output": "1.50"}


def test_each_wrong_row_is_told_in_a_sentence_and_the_right_ones_are_prices() -> None:
    rows = [
        {"model": "a", "input": "1"},
        GOOD,
        {"input": "1", "output": "2"},
        {"model": "b", "input": "1,5", "output": "2"},
        {**GOOD, "model": " p/m "},
        {"model": "c", "input": "1", "output": "2", "as_of": "May"},
        {"model": "d", "input": "-1", "output": "2"},
    ]
    prices, problems = check_rows(rows)
    assert [price.model for price in prices] == ["p/m"]
    assert problems == {
        0: "A price needs both an input and an output price.",
        2: "A price needs a model's id or a pattern such as local/*.",
        3: "The input price must be a number, got '1,5'.",
        4: "Row 2 has a price of this model already; keep one.",
        5: "The date must look like 2026-03-31, got 'May'.",
        6: "The input price of d must be a number from 0 to 1,000,000, in dollars per million tokens.",
    }


def test_csv_comes_back_as_it_was() -> None:
    rows = [GOOD, {"model": "q", "input": "1", "output": "2"}]
    assert read_csv(write_csv(rows).encode()) == rows


@pytest.mark.parametrize(
    "content",
    ["model;input;output\nm;1,5;2\n", '\ufeffModel,Input,OUTPUT,other\nm,"1,5",2,x\n\n', "output\tmodel\tinput\n2\t m \t1,5\n"],
)
def test_csv_of_spreadsheets_is_read_and_its_cells_are_kept(content: str) -> None:
    assert read_csv(content.encode()) == [{"model": "m", "input": "1,5", "output": "2"}]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no column “model”"),
        (b"model,input\nm,1\n", "no column “output”"),
        ("model,input,output\nü,1,2".encode("latin-1"), "not UTF-8"),
        (b"model,input,output\nm\0,1,2", "zero bytes"),
        (b"model,input,output\n" + b"m,1,2\n" * 5_001, "at most 5,000"),
    ],
)
def test_file_that_holds_no_prices_is_refused_with_a_sentence(content: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_csv(content)


def test_rows_of_a_file_take_the_places_of_their_models() -> None:
    rows = [{"model": "a", "input": "1"}, {"model": "b", "input": "1"}]
    assert merged(rows, [{"model": "c", "input": "3"}, {"model": "a", "input": "2"}]) == [
        {"model": "a", "input": "2"},
        {"model": "b", "input": "1"},
        {"model": "c", "input": "3"},
    ]
