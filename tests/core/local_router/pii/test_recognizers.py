"""What is found, what is not, and how sure of it the recognisers are."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from core.local_router.pii.detection import detect
from core.local_router.pii.findings import DetectionFailed
from core.local_router.pii.kinds import KINDS
from core.local_router.pii.recognizers.person_numbers import NUMBERS
from core.local_router.pii.selection import read_selection
from tests.core.local_router.pii.conftest import Found

EXAMPLES = {
    "EMAIL_ADDRESS": "jane.doe+post@mail.example.com",
    "PHONE_NUMBER": "+31 20 794 0000",
    "IBAN_CODE": "NL91 ABNA 0417 1643 00",
    "CREDIT_CARD": "4111 1111 1111 1111",
    "CRYPTO": "1NEDqZPvTWRaoho48qXuLLsrYomMXPABfD",
    "IP_ADDRESS": "2001:db8::8a2e:370:7334",
    "MAC_ADDRESS": "d0:50:99:84:a2:a0",
    "URL": "https://example.org/a?b=c",
    "US_SSN": "536-90-4399",
    "US_ITIN": "912-90-3456",
    "UK_NHS": "943-476-5870",
    "UK_NINO": "AB 12 34 56 C",
    "NL_BSN": "1112.22.333",
    "DE_TAX_ID": "36 574 261 809",
    "DE_TAX_NUMBER": "181/815/08155",
    "FR_NIR": "2 95 10 99 126 111 93",
    "ES_NIF": "54362315-K",
    "ES_NIE": "X-2482300-W",
    "IT_FISCAL_CODE": "RCCMNL83S18D969H",
    "IT_VAT_CODE": "IT 00743110157",
    "PL_PESEL": "44051401359",
    "SE_PERSONNUMMER": "880320-0016",
    "NO_FODSELSNUMMER": "151086 95088",
    "DK_CPR": "211062-5629",
    "FI_PERSONAL_IDENTITY_CODE": "131052-308T",
    "BE_NATIONAL_NUMBER": "85 07 30 033 28",
    "AT_SOCIAL_SECURITY": "1237 010180",
    "CH_AHV": "756.9217.0769.85",
    "PT_NIF": "PT 501 964 843",
    "IE_PPS": "6433435OA",
    "CZ_BIRTH_NUMBER": "710319/2745",
    "RO_CNP": "1630615123457",
    "HR_OIB": "HR 33392005961",
    "BR_CPF": "390.533.447-05",
    "MX_CURP": "BOXW310820HNERXN09",
    "CA_SIN": "123-456-782",
    "AU_TFN": "123 456 782",
    "AU_ABN": "83 914 571 673",
    "AU_ACN": "004 085 616",
    "IN_AADHAAR": "2341 2341 2346",
    "IN_PAN": "ACUPA7085R",
    "ZA_ID_NUMBER": "7503305044089",
    "KR_RRN": "971013-9019902",
    "TH_TNIN": "1-2345-45678-78-1",
    "TR_NATIONAL_ID": "17291716060",
    "IL_ID_NUMBER": "3933742-3",
    "CN_RESIDENT_ID": "360426199101010071",
    "SG_UEN": "197401143C",
}
"""A value of each kind, those of states from the documentation of python-stdnum: none belongs to anybody."""


WITHOUT_CHECK_DIGIT = {"US_SSN", "US_ITIN", "IN_PAN", "DE_TAX_NUMBER", "DK_CPR"}
"""stdnum knows their ranges only."""


def test_every_kind_has_an_example():
    assert set(EXAMPLES) == set(KINDS)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_kind_is_found_whole_in_a_sentence(found: Found, kind: str):
    value = EXAMPLES[kind]
    for text in (f"We have {value}, and so on.", f"({value})", value):
        assert found(text, entities=[kind]) == [(kind, value)]


@pytest.mark.parametrize("kind", [number.kind for number in NUMBERS if number.check and number.kind not in WITHOUT_CHECK_DIGIT])
def test_a_wrong_digit_is_no_number_of_that_kind(kind: str):
    value = EXAMPLES[kind]
    spoiled = [value[:place] + str((int(sign) + 1) % 10) + value[place + 1 :] for place, sign in enumerate(value) if sign.isdigit()]
    number = next(one for one in NUMBERS if one.kind == kind)
    refused = [wrong for wrong in spoiled if not list(number.find(wrong, None, ()))]
    assert len(refused) > len(spoiled) / 2  # a digit that says the form, as the first, may change both ways


@pytest.mark.parametrize(
    "text",
    [
        "std::vector<int> a::b, c ::d",
        "1.2.3.4.5 and 10.0.300.1",
        "on 2026-11-24 at 12:30, 24.11.2026, 1999-2024",
        "user@localhost, @name, a@b",
        "version 3.11.4, 1,234,567.89 in sum",
        "4111 1111 1111 1112",
        "NL91ABNA0417164301",
        "x123456782y",
    ],
)
def test_lookalikes_are_left_alone(found: Found, text: str):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("see https://example.org/a_(b).", "https://example.org/a_(b)"),
        ("(see www.example.org/a)", "www.example.org/a"),
        ("<https://example.org/>", "https://example.org/"),
    ],
)
def test_address_ends_where_the_sentence_goes_on(found: Found, text: str, value: str):
    assert found(text) == [("URL", value)]


def test_account_ends_before_the_words_after_it(found: Found):
    assert found("Pay NL91 ABNA 0417 1643 00 BY FRIDAY") == [("IBAN_CODE", "NL91 ABNA 0417 1643 00")]


def test_words_before_a_number_tell_its_kind(found: Found):
    assert found("Mijn BSN is 123456782") == [("NL_BSN", "123456782")]
    assert found("My SIN is 123456782") == [("CA_SIN", "123456782")]


def test_words_count_in_the_language_of_the_request(found: Found):
    asked = {"entities": ["PHONE_NUMBER"], "regions": ["nl"], "threshold": 0.62}
    assert ("PHONE_NUMBER", "0207940000") in found("telefoon: 0207940000", language="nl", **asked)
    assert ("PHONE_NUMBER", "0207940000") not in found("telefoon: 0207940000", language="en", **asked)


def test_national_phone_number_counts_in_the_regions_asked_for(found: Found):
    asked = {"entities": ["PHONE_NUMBER"], "language": "en"}
    assert ("PHONE_NUMBER", "020 794 0000") in found("at 020 794 0000", **asked, regions=["nl"])
    assert ("PHONE_NUMBER", "020 794 0000") not in found("at 020 794 0000", **asked, regions=["us"])


def test_value_that_was_sure_once_is_hidden_everywhere(found: Found):
    far = " and so it goes on for a while, long enough for no word to be near it any more; then again comes "
    text = f"Her SSN is 536904399.{far}536904399{far}536904390"
    assert found(text, entities=["US_SSN"]) == [("US_SSN", "536904399")] * 2


def test_findings_that_overlap_are_hidden_as_one(found: Found):
    assert found("https://example.org/?mail=jane@example.com&x=1") == [("URL", "https://example.org/?mail=jane@example.com&x=1")]


def test_private_values_are_found_whatever_they_are(found: Found):
    assert found("Ada Lovelace and Ada", ("Ada", "Ada Lovelace", ""), entities=["URL"]) == [("INPUT", "Ada Lovelace"), ("INPUT", "Ada")]


UNITS = (
    "a",
    "1",
    "1 2 3 ",
    "123456782 ",
    "a@",
    "x@y.",
    "1.2.3.4.",
    "http://",
    "a:",
    "ab:cd:",
    "AB12 ",
    "(1)",
    "+1",
    "www.))))",
    "a.a.",
    "<",
)


@pytest.mark.parametrize("unit", UNITS)
def test_time_grows_no_faster_than_the_text(unit: str):
    selection = read_selection({}, "plugins.0")

    def spent(characters: int) -> float:
        text = (unit * (characters // len(unit) + 1))[:characters]
        start = time.process_time()
        with suppress(DetectionFailed):  # more numbers than are looked at
            detect([text], (), selection)
        return time.process_time() - start

    spent(10_000)
    short, long = min(spent(20_000) for _ in range(2)), spent(160_000)
    assert long < 8 * short * 3 + 0.2
