"""Every text of the pages is there in every language, and asks for the same values."""

import re
from pathlib import Path

import pytest

from tests.browser.catalogues import (
    STATIC,
    TEXTS,
    catalogue,
    general,
    languages,
    names_in,
    texts_of,
)

OTHERS = [language for language in languages() if language != "en"]
FORMS = {"en": {"one", "other"}, "de": {"one", "other"}}
"""The forms of a plural that Unicode's rules name for whole numbers."""
SAME = frozenset(
    {
        *("API", "Body", "Chance", "Cluster", "Commits", "Firmware", "Gateway", "Gateways"),
        *("Hook", "Hooks", "Join", "Position", "Status", "Uplink"),
        *("Live", "Mailbox", "Name", "Offline", "Online", "Orange", "Rollouts", "SQLite"),
        *("Session", "Shard", "Shards", "Tags", "Token", "Version", "Webhooks", "orange"),
        *(
            "{gateway} (offline)",
            "{n} min",
            "{name} API",
            "Parameter",
            "Plan",
            "Plan…",
            "Plan {name}",
            "Gateway {name}",
            "online",
        ),
    }
)
"""Words of the field, and texts made of values, that are the same in German."""


def test_there_are_english_and_german() -> None:
    assert {"en", "de"} <= set(languages())


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_every_text(language: str) -> None:
    assert catalogue(language).keys() == catalogue("en").keys()


@pytest.mark.parametrize("language", languages())
def test_no_text_is_empty_and_a_plural_has_every_form(language: str) -> None:
    for key, entry in catalogue(language).items():
        assert all(text.strip() for text in texts_of(entry)), key
        if isinstance(entry, dict):
            assert set(entry) == FORMS[language], key


@pytest.mark.parametrize("language", OTHERS)
def test_a_text_asks_for_the_same_values_in_every_language(language: str) -> None:
    for key, entry in catalogue("en").items():
        wanted = names_in(general(entry))
        assert names_in(general(catalogue(language)[key])) == wanted, key
        assert isinstance(catalogue(language)[key], str) == isinstance(entry, str), key
        for text in (*texts_of(entry), *texts_of(catalogue(language)[key])):
            assert names_in(text) <= wanted | {"n"}, key


def test_german_is_translated() -> None:
    english = catalogue("en")
    same = {
        text
        for key, entry in catalogue("de").items()
        for text in set(texts_of(entry)) & set(texts_of(english[key]))
        if re.search(r"[a-z]{3}", re.sub(r"\{\w+\}|Lamplighter|ChirpStack", "", text))
    }
    assert same - SAME == set()


def test_every_part_of_a_catalogue_is_in_it() -> None:
    for language in languages():
        whole = (TEXTS / f"{language}.js").read_text("utf-8")
        for part in (TEXTS / language).glob("*.js"):
            assert f'from "./{language}/{part.name}"' in whole, part.name


@pytest.mark.parametrize("page", sorted(STATIC.glob("*.html")), ids=lambda path: path.name)
def test_every_text_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r'data-text(?:-\w+)?="([^"]+)"', page.read_text("utf-8"))
    assert set(named) <= catalogue("en").keys()
