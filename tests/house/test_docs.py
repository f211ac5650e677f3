"""The docs say what the files say."""

import importlib.util

import pytest

from tests.house.source import ROOT


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_generated_table_is_fresh(generate):
    stale = [
        page
        for page in generate.pages()
        if generate.refreshed(page.read_text()) != page.read_text()
    ]
    assert stale == [], "run `make docs`"


def test_a_skill_becomes_a_row(generate, tmp_path):
    skills = tmp_path / "data" / "skills"
    skills.mkdir(parents=True)
    (skills / "wave.yml").write_text(
        "skill: wave\ntitle: {en: Wave, de: Winken}\ndescription: Say | hello.\n"
    )
    text = "# x\n<!-- generated: skills -->\nold\n<!-- end -->\nrest\n"
    made = generate.refreshed(text, tmp_path)
    assert "| `wave` | Wave | Winken | Say / hello. |\n<!-- end -->\nrest\n" in made
    assert "old" not in made


def test_an_unknown_table_is_an_error(generate):
    with pytest.raises(generate.UnknownTable, match="nonsense"):
        generate.refreshed("<!-- generated: nonsense -->\n<!-- end -->")


def test_decision_records_are_short_and_say_what_was_refused():
    for path in (ROOT / "docs" / "adr").glob("[0-9]*.md"):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 25, path.name
        assert "## Refused" in text, path.name
