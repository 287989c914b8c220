"""What `make docs` writes is what the code says now, and says enough."""

from pathlib import Path

import pytest

from docs.generate import client_models, supervision
from docs.generate.command_line import every_verb, options_of
from docs.generate.parts import FILES, PARTS, ROOT, documents, names, rewritten
from docs.generate.settings import about, every_setting, unit_of
from store.engine.redis.url import SCHEMES


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_the_committed_document_is_current(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert rewritten(text) == text, "run `make docs`"


def test_the_models_of_the_client_are_those_of_the_service() -> None:
    texts = client_models.modules()
    written = {path.name: path.read_text("utf-8") for path in client_models.FOLDER.glob("*.py")}
    assert written == texts, "run `make docs`"


@pytest.mark.parametrize("name", FILES)
def test_the_committed_file_is_current(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == FILES[name](), "run `make docs`"


def test_every_part_stands_in_one_document() -> None:
    found = [name for path in documents() for name in names(path.read_text(encoding="utf-8"))]
    assert sorted(found) == sorted(PARTS)


def test_a_part_that_nobody_makes_is_refused() -> None:
    with pytest.raises(KeyError):
        rewritten("<!-- generated: nothing; run make docs -->\n<!-- end of nothing -->")


def test_what_a_person_wrote_around_a_part_stays() -> None:
    part = "<!-- generated: exit codes; run make docs -->\nold\n<!-- end of exit codes -->"
    text = rewritten(f"before\n{part}\nafter")
    assert text.startswith("before\n")
    assert text.endswith("\nafter")
    assert "old" not in text


@pytest.mark.parametrize("setting", list(every_setting()), ids=lambda setting: setting.name)
def test_every_setting_says_what_it_means_and_in_which_unit(setting: object) -> None:
    meaning, values, name = (getattr(setting, each) for each in ("meaning", "values", "name"))
    assert meaning.endswith("."), "a sentence below the field tells it"
    if " to " in values:
        assert unit_of(name.rpartition(".")[2])


@pytest.mark.parametrize("name", sorted({one.name.rpartition(".")[0] for one in every_setting()}))
def test_every_table_of_settings_says_what_it_is_for_in_whole_sentences(name: str) -> None:
    assert about(name).endswith(".")


def test_every_form_of_the_address_of_a_store_is_named() -> None:
    [meaning] = [one.meaning for one in every_setting() if one.name == "store.url"]
    for scheme in SCHEMES:
        assert f"{scheme.replace('rediss', 'redis')}://" in meaning
    assert "`rediss`" in meaning


def test_every_actor_says_what_it_is_for_and_nobody_else_does() -> None:
    assert sorted(supervision.PURPOSES) == sorted(supervision.children())


def test_every_option_of_the_command_line_says_what_it_does() -> None:
    silent = [
        f"{called} {option.opts[0]}"
        for called, verb in every_verb()
        for option in options_of(verb)
        if not option.help
    ]
    assert silent == []
