"""The questions and policy texts of the demo shop are complete in both languages."""

import re
from pathlib import Path

import pytest
import yaml

DATA = Path(__file__).resolve().parents[2] / "data"
TEXTS = DATA / "policies" / "texts"
LANGUAGES = ("en", "de")


@pytest.fixture(scope="module")
def topics():
    files = sorted((DATA / "faq").glob("*.yml"))
    return {one.stem: yaml.safe_load(one.read_text(encoding="utf-8")) for one in files}


def test_there_are_enough_questions(topics):
    assert len(topics) >= 10
    ids = [entry["id"] for entries in topics.values() for entry in entries]
    assert len(ids) >= 70
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_are_unique_and_answered(topics, language):
    asked = []
    for entries in topics.values():
        for entry in entries:
            variants = entry["variants"][language]
            assert len(variants) >= 4, entry["id"]
            asked += [entry["question"][language], *variants]
            assert 1 <= len(re.findall(r"[.!?](?: |$)", entry["answer"][language])) <= 5
            assert entry["source"]["title"][language]
    folded = [one.casefold() for one in asked]
    assert len(set(folded)) == len(folded)


def test_sources_point_at_the_question(topics):
    for entries in topics.values():
        for entry in entries:
            assert entry["source"]["url"] == f"/shop/help#{entry['id']}"


@pytest.mark.parametrize(
    "name", ["returns", "shipping", "payments", "warranty", "privacy", "terms"]
)
def test_policy_texts_have_the_same_sections(name):
    counts = []
    for language in LANGUAGES:
        text = (TEXTS / f"{name}.{language}.md").read_text(encoding="utf-8")
        assert text.startswith("# ")
        counts.append(len(re.findall(r"^## ", text, re.MULTILINE)))
    assert counts[0] == counts[1] >= 5


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("returns", {"30", "14", "5–7"}),
        ("shipping", {"60", "2–4", "3–5", "4–7"}),
        ("warranty", {"2", "14"}),
    ],
)
def test_policy_texts_state_the_rules(name, facts):
    for language in LANGUAGES:
        text = (TEXTS / f"{name}.{language}.md").read_text(encoding="utf-8")
        assert facts <= set(re.findall(r"\d+(?:–\d+)?", text))


def test_prices_agree_between_languages(topics):
    for entries in topics.values():
        for entry in entries:
            english = sorted(re.findall(r"€(\d+(?:\.\d+)?)", entry["answer"]["en"]))
            german = re.findall(r"(\d+(?:,\d+)?) €", entry["answer"]["de"])
            assert english == sorted(one.replace(",", ".") for one in german), entry["id"]
