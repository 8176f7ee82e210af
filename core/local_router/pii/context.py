"""Words near a number that tell what it is, and the language of a text, by its most frequent words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache

BOOST = 0.35
"""What a context word adds to a score."""

WORDS_BEFORE, WORDS_AFTER = 60, 20
"""Characters before and after a finding in which context words are looked for."""

FEWEST_HITS = 2
LOOKED_AT = 20_000
"""Characters at the beginning of a text by which its language is told."""

LANGUAGES: Mapping[str, str] = {
    "da": "og i jeg det at en den til er som på de med han af for ikke der var mig sig men et har om vi min havde hvad kan",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an er hat ich sie bitte mein meine",
    "en": "the of and to in a is that it was for on are with as i his they be at this have from or had by but what my your please",
    "es": "de la que el en y a los del se las por un para con no una su al es lo como más pero sus le ya mi por favor está",
    "fi": "ja on ei se että hän oli en mutta ole olen minun kun niin mitä joka sinä minä tämä myös kuin vain ovat voi jos",
    "fr": "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il je mon votre avec vous",
    "it": "di che è e la il un a per in una mi sono ho non ma lo ha le si ti i con cosa se io come da ci questo mio della",
    "nb": "og i jeg det at en et den til er som på de med han av ikke der var meg seg men har om vi min hadde hva kan",
    "nl": "de en van ik te dat die in een hij het niet zijn is was op aan met als voor had er maar om hem dan mijn naar wat",
    "pl": "i w nie na się z do to że jest o jak za od ale po co tak przez mój moja proszę są dla czy jego był która",
    "pt": "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem meu minha",
    "sv": "och i att det som en på är av för med till den har de inte om ett han men var jag sig från vi så kan min",
}
"""Languages by code with their most frequent words. A number's form has no language; only the context words do."""

CONTEXT: Mapping[str, Mapping[str, str]] = {
    "phone": {
        "da": "telefon mobil ring tlf", "de": "telefon telefonnummer handy mobil anruf tel rufnummer",
        "en": "phone telephone call mobile cell tel fax",
        "es": "teléfono móvil llamar llame tel", "fi": "puhelin puhelinnumero soita puh",
        "fr": "téléphone mobile portable appeler tél tel",
        "it": "telefono cellulare chiamare tel", "nb": "telefon mobil ring tlf",
        "nl": "telefoon telefoonnummer mobiel bel tel",
        "pl": "telefon komórka zadzwoń tel", "pt": "telefone celular telemóvel ligar tel", "sv": "telefon mobil ring tel",
    },
    "card": {
        "da": "kort kreditkort", "de": "karte kreditkarte kartennummer", "en": "card credit debit visa mastercard amex",
        "es": "tarjeta crédito",
        "fi": "kortti luottokortti", "fr": "carte bancaire", "it": "carta credito", "nb": "kort kredittkort",
        "nl": "kaart creditcard pas",
        "pl": "karta kredytowa", "pt": "cartão crédito", "sv": "kort kreditkort",
    },
    "network": {
        "da": "ip adresse server", "de": "ip adresse server rechner", "en": "ip address server host ping",
        "es": "ip dirección servidor",
        "fi": "ip osoite palvelin", "fr": "ip adresse serveur", "it": "ip indirizzo server", "nb": "ip adresse server",
        "nl": "ip adres server",
        "pl": "ip adres serwer", "pt": "ip endereço servidor", "sv": "ip adress server",
    },
    "site": {
        "da": "hjemmeside side besøg", "de": "webseite seite besuche", "en": "site website visit page web url link",
        "es": "sitio página visite",
        "fi": "sivusto sivu", "fr": "site page visitez", "it": "sito pagina visita", "nb": "nettside side besøk",
        "nl": "site website bezoek pagina",
        "pl": "strona odwiedź", "pt": "site página visite", "sv": "webbplats sida besök",
    },
    "person": {
        "da": "personnummer cpr", "de": "steuer steuernummer ausweis versicherungsnummer",
        "en": "social security ssn id identity tax insurance number identification",
        "es": "dni identidad identificación fiscal", "fi": "henkilötunnus hetu", "fr": "sécurité sociale identité fiscal",
        "it": "codice fiscale identità",
        "nb": "fødselsnummer personnummer", "nl": "burgerservicenummer sofinummer persoonsnummer",
        "pl": "pesel dowód tożsamości",
        "pt": "cpf contribuinte identidade fiscal", "sv": "personnummer",
    },
}  # fmt: skip
"""Context words of each group of kinds by language."""

_FREQUENT = {code: frozenset(words.split()) for code, words in LANGUAGES.items()}
_WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str | None:
    """The language whose frequent words stand out, or None when none does."""
    words = Counter(_WORD.findall(text[:LOOKED_AT].casefold()))
    hits = sorted(((sum(map(words.__getitem__, frequent)), code) for code, frequent in _FREQUENT.items()), reverse=True)
    (most, code), (next_most, _) = hits[:2]
    return code if most >= FEWEST_HITS and most > next_most else None


@cache
def context_pattern(group: str, names: tuple[str, ...], language: str | None) -> re.Pattern[str]:
    """What a finding's surroundings are searched for: the group's words in ``language`` (None: in all), and ``names`` in any."""
    by_language = CONTEXT.get(group, {})
    texts = by_language.values() if language is None else [by_language.get(language, "")]
    words = {word for text in texts for word in text.split()} | {name.casefold() for name in names}
    return re.compile(rf"(?<!\w)(?:{'|'.join(sorted(map(re.escape, words)))})(?!\w)") if words else re.compile(r"(?!)")


def boosted(score: float, text: str, start: int, end: int, pattern: re.Pattern[str]) -> float:
    """``score``, raised when ``pattern`` stands near ``text[start:end]``; at most 1."""
    if score >= 1:
        return score
    before, after = text[max(0, start - WORDS_BEFORE) : start].casefold(), text[end : end + WORDS_AFTER].casefold()
    return min(1.0, score + BOOST) if pattern.search(before) or pattern.search(after) else score
