"""Numbers that states give to persons (and a few to firms), checked by ``python-stdnum``.

Scores: 1.0 where the form is distinctive and the check digits leave hardly a chance, 0.6 for digits with one check digit (every
tenth number has it right), 0.3 for digits without any, 0.7 for such digits in their usual groups. Words around a number raise it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from core.local_router.pii.context import boosted, context_pattern
from core.local_router.pii.findings import Finding
from core.local_router.pii.recognizers.windows import matches

FEWEST_DIGITS, FEWEST_WITH_LETTERS = 8, 4
"""How many digits every form has at the least, those with letters apart."""


@dataclass(frozen=True, slots=True)
class Number:
    """``form`` is a pattern without its borders; ``check`` a module of stdnum with ``is_valid``, or None where the form is all there is.

    ``bare`` is the score of digits without any separator, ``grouped`` of every other spelling. ``names`` are context words in any language.
    """

    kind: str
    region: str
    form: str
    check: str | None
    bare: float
    grouped: float
    names: tuple[str, ...]

    @property
    def _fewest_digits(self) -> int:
        return FEWEST_WITH_LETTERS if "[A-" in self.form else FEWEST_DIGITS

    def find(self, text: str, language: str | None, _regions: tuple[str, ...]) -> Iterator[Finding]:
        """Every place that has the form and passes the check."""
        words = context_pattern("person", self.names, language)
        is_valid = _check(self.check)
        for match in matches(_bordered(self.form), text, at_least=self._fewest_digits):
            if is_valid(match[0]):
                score = self.bare if match[0].isdigit() else self.grouped
                yield Finding(self.kind, match.start(), match.end(), boosted(score, text, match.start(), match.end(), words))


@cache
def _bordered(form: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.-])(?:{form})(?![\w]|[.-]\d)", re.IGNORECASE)


@cache
def _check(module: str | None) -> Callable[[str], bool]:
    if module is None:
        return lambda _: True
    found: Callable[[str], bool] = import_module(f"stdnum.{module}").is_valid
    return found


NUMBERS = (
    Number("US_SSN", "us", r"\d{3}([ -])\d{2}\1\d{4}|\d{9}", "us.ssn", 0.3, 0.7, ("ssn", "social security")),
    Number("US_ITIN", "us", r"9\d{2}([ -])\d{2}\1\d{4}|9\d{8}", "us.itin", 0.3, 0.7, ("itin", "taxpayer")),
    Number("UK_NHS", "gb", r"\d{3}([ -]?)\d{3}\1\d{4}", "gb.nhs", 0.6, 0.85, ("nhs", "national health service")),
    Number("UK_NINO", "gb", r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]", None, 0.7, 0.7,
           ("nino", "national insurance", "ni number")),
    Number("NL_BSN", "nl", r"\d{9}|\d{4}\.\d{2}\.\d{3}|\d{3}([ .-])\d{3}\1\d{3}", "nl.bsn", 0.6, 0.6,
           ("bsn", "burgerservicenummer", "sofinummer")),
    Number("DE_TAX_ID", "de", r"\d{2}( ?)\d{3}\1\d{3}\1\d{3}", "de.idnr", 0.6, 0.85, ("steuer-id", "idnr", "identifikationsnummer", "tin")),
    Number("DE_TAX_NUMBER", "de", r"\d{2,3}/\d{3,4}/\d{4,5}", "de.stnr", 0.3, 0.6, ("steuernummer", "stnr")),
    Number("FR_NIR", "fr", r"[12]( ?)\d{2}\1\d{2}\1(?:\d{2}|2[AB])\1\d{3}\1\d{3}\1\d{2}", "fr.nir", 1.0, 1.0, ("nir", "insee")),
    Number("ES_NIF", "es", r"\d{8}-?[A-Z]|[A-HJ-NP-SUVW]-?\d{7}[\dA-J]", "es.nif", 0.85, 0.85, ("nif", "dni", "cif")),
    Number("ES_NIE", "es", r"[XYZ]-?\d{7}-?[A-Z]", "es.nie", 0.95, 0.95, ("nie",)),
    Number("IT_FISCAL_CODE", "it", r"[A-Z]{6}[\dL-NP-V]{2}[A-EHLMPRST][\dL-NP-V]{2}[A-Z][\dL-NP-V]{3}[A-Z]",
           "it.codicefiscale", 1.0, 1.0, ()),
    Number("IT_VAT_CODE", "it", r"(?:IT ?)?\d{11}", "it.iva", 0.4, 0.85, ("partita iva", "p.iva", "vat")),
    Number("PL_PESEL", "pl", r"\d{11}", "pl.pesel", 0.85, 0.85, ("pesel",)),
    Number("SE_PERSONNUMMER", "se", r"(?:\d{2})?\d{6}[-+]?\d{4}", "se.personnummer", 0.6, 0.95, ("personnummer",)),
    Number("NO_FODSELSNUMMER", "no", r"\d{6} ?\d{5}", "no.fodselsnummer", 1.0, 1.0, ("fødselsnummer", "personnummer")),
    Number("DK_CPR", "dk", r"\d{6}-?\d{4}", "dk.cpr", 0.4, 0.6, ("cpr", "cpr-nummer")),
    Number("FI_PERSONAL_IDENTITY_CODE", "fi", r"\d{6}[-+A-FU-Y]\d{3}[\dA-Y]", "fi.hetu", 1.0, 1.0, ("henkilötunnus", "hetu")),
    Number("BE_NATIONAL_NUMBER", "be", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}|\d{2}( ?)\d{2}\1\d{2}\1\d{3}\1\d{2}", "be.nn", 0.95, 1.0,
           ("rijksregisternummer", "registre national", "niss", "insz")),
    Number("AT_SOCIAL_SECURITY", "at", r"\d{4} ?\d{6}", "at.vnr", 0.6, 0.85, ("svnr", "versicherungsnummer")),
    Number("CH_AHV", "ch", r"756(\.?)\d{4}\1\d{4}\1\d{2}", "ch.ssn", 0.95, 1.0, ("ahv", "avs")),
    Number("PT_NIF", "pt", r"(?:PT ?)?\d{3}( ?)\d{3}\1\d{3}", "pt.nif", 0.6, 0.6, ("nif", "contribuinte")),
    Number("IE_PPS", "ie", r"\d{7}[A-W][A-IW]?", "ie.pps", 0.85, 0.85, ("pps", "ppsn")),
    Number("CZ_BIRTH_NUMBER", "cz", r"\d{6}/?\d{3,4}", "cz.rc", 0.4, 0.9, ("rodné číslo", "rč")),
    Number("RO_CNP", "ro", r"[1-9]\d{12}", "ro.cnp", 0.95, 0.95, ("cnp",)),
    Number("HR_OIB", "hr", r"(?:HR ?)?\d{11}", "hr.oib", 0.6, 0.9, ("oib",)),
    Number("BR_CPF", "br", r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{11}", "br.cpf", 0.85, 1.0, ("cpf",)),
    Number("MX_CURP", "mx", r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[\dA-Z]\d", "mx.curp", 1.0, 1.0, ("curp",)),
    Number("CA_SIN", "ca", r"\d{3}([ -]?)\d{3}\1\d{3}", "ca.sin", 0.6, 0.7, ("sin", "social insurance", "nas")),
    Number("AU_TFN", "au", r"\d{3}( ?)\d{3}\1\d{2,3}", "au.tfn", 0.6, 0.6, ("tfn", "tax file")),
    Number("AU_ABN", "au", r"\d{2}( ?)\d{3}\1\d{3}\1\d{3}", "au.abn", 0.6, 0.85, ("abn", "business number")),
    Number("AU_ACN", "au", r"\d{3}( ?)\d{3}\1\d{3}", "au.acn", 0.4, 0.6, ("acn", "company number")),
    Number("IN_AADHAAR", "in", r"[2-9]\d{3}([ -]?)\d{4}\1\d{4}", "in_.aadhaar", 0.6, 0.85, ("aadhaar", "uidai")),
    Number("IN_PAN", "in", r"[A-Z]{3}[ABCFGHLJPTK][A-Z]\d{4}[A-Z]", "in_.pan", 0.7, 0.7, ("pan", "permanent account")),
    Number("ZA_ID_NUMBER", "za", r"\d{6} ?\d{4} ?\d{3}", "za.idnr", 0.85, 0.85, ("rsa id",)),
    Number("KR_RRN", "kr", r"\d{6}-?\d{7}", "kr.rrn", 0.85, 0.95, ("rrn", "주민등록번호")),
    Number("TH_TNIN", "th", r"[1-8](-?)\d{4}\1\d{5}\1\d{2}\1\d", "th.pin", 0.6, 0.95, ("เลขประจำตัวประชาชน",)),
    Number("TR_NATIONAL_ID", "tr", r"[1-9]\d{10}", "tr.tckimlik", 0.95, 0.95, ("tckn", "t.c. kimlik", "kimlik")),
    Number("IL_ID_NUMBER", "il", r"\d{7,8}-?\d", "il.idnr", 0.4, 0.6, ("תעודת זהות", "teudat zehut")),
    Number("CN_RESIDENT_ID", "cn", r"[1-9]\d{16}[\dX]", "cn.ric", 1.0, 1.0, ("身份证",)),
    Number("SG_UEN", "sg", r"\d{8,9}[A-Z]|[RST]\d{2}[A-Z]{2}\d{4}[A-Z]", "sg.uen", 0.85, 0.85, ("uen",)),
)  # fmt: skip
"""Ordered so that of two kinds of the same length and score the more usual one names the number."""
