import json
from datetime import UTC, datetime

import pytest

from knowledge.errors import SourceUnreadable
from knowledge.feeds.articles import Config, connect
from tests.knowledge.feeds.conftest import read, reasons

BODY = "<h2>Label</h2><p>Print the label at home.</p><h2>Box</h2><p>Use any box you like.</p>"
ZENDESK = {"count": 3, "articles": [
    {"id": 11, "title": "Send it back", "body": BODY, "locale": "en-us", "draft": False,
     "html_url": "https://help.example/11", "updated_at": "2026-09-01T10:00:00Z"},
    {"id": 12, "title": "Draft", "body": BODY, "locale": "en-us", "draft": True},
    {"id": 11, "title": "Again", "body": BODY, "locale": "en-us"},
    {"id": 13, "title": "Renvoi", "body": BODY, "locale": "fr"},
]}  # fmt: skip
INTERCOM = {"type": "list", "data": [
    {"type": "article", "id": "9", "title": "Shipping", "body": "<p>Two to four working days.</p>",
     "state": "published", "default_locale": "en", "updated_at": 1767225600, "url": "https://i/9",
     "translated_content": {"type": "x", "de": {"title": "Versand", "state": "published",
        "body": "<p>Zwei bis vier Werktage dauert es.</p>"}}},
]}  # fmt: skip
GORGIAS = {"data": [
    {"id": 5, "translation": {}, "title": "Umtausch", "content": "<p>Das geht 30 Tage lang.</p>",
     "locale": "de-DE", "visibility_status": "PUBLIC", "updated_datetime": "2026-01-02T00:00:00"},
    {"id": 6, "title": "Intern", "content": BODY, "visibility_status": "INTERNAL"},
    17,
]}  # fmt: skip


def export(around, data):
    (around.root / "a.json").write_text(data if isinstance(data, str) else json.dumps(data))
    return connect("desk", Config(path="a.json"), around)


def test_zendesk(around):
    documents = read(export(around, ZENDESK))
    passages = [passage for document in documents for passage in document.passages]
    assert [(p.title, p.text) for p in passages] == [
        ("Label", "Print the label at home."), ("Box", "Use any box you like."),
    ]  # fmt: skip
    first = passages[0]
    assert (first.source_title, first.language, first.country) == ("Send it back", "en", "")
    assert first.updated_at == datetime(2026, 9, 1, 10, tzinfo=UTC)
    told = reasons(documents)
    assert "came before" in told["11:en-us"]
    assert "'fr'" in told["13:fr"]


def test_intercom_in_two_languages_of_one_topic(around):
    english, german = read(export(around, INTERCOM))
    assert english.passages[0].topic_id == german.passages[0].topic_id
    assert german.passages[0].text == "Zwei bis vier Werktage dauert es."
    assert english.passages[0].updated_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_gorgias_json_lines_and_unchanged_articles(around):
    german, broken = read(export(around, GORGIAS))
    assert (german.passages[0].language, broken.state) == ("de", "failed")
    lines = "\n".join(json.dumps(article) for article in GORGIAS["data"][:2])
    (same,) = read(export(around, lines), {german.key: german.fingerprint})
    assert same.state == "unchanged"


@pytest.mark.parametrize("data", ['{"x": 1}', "no json", ""])
def test_what_is_no_export_is_an_error(around, data):
    if data:
        with pytest.raises(SourceUnreadable):
            read(export(around, data))
    else:
        assert read(export(around, data)) == []
