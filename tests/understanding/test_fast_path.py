"""The fast path: what is certain needs no encoder, and everything else still gets it."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from bot.understanding.batching import BatchedEncoder
from bot.understanding.encoder import LexicalEncoder
from bot.understanding.examples import Example, load_examples
from bot.understanding.fast_path import NEVER, Certainty, margins, text_code
from bot.understanding.fast_path_training import (
    MOST_HARMED,
    MOST_TAKEN_IN,
    Lesson,
    certainty,
    upper_bound,
)
from bot.understanding.intents import IntentClassifier
from bot.understanding.model_store import ModelFileError, load_model, save_model
from bot.understanding.parser_setup import ParserSettings, build_parser, example_mask
from bot.understanding.pipeline import Pipeline
from bot.understanding.result import OUT_OF_SCOPE
from bot.understanding.training import load_or_train, train
from tests.understanding.conftest import ROOT

THINGS = (
    "lamp", "kettle", "jacket", "mug", "shirt", "chair", "table", "bottle", "carpet", "towel",
    "phone", "cable", "scarf", "ring", "clock", "frame", "tent", "drill", "bag", "book",
    "pillow", "knife", "plate", "mirror",
)  # fmt: skip
FORMS = {
    "track": ("where is my {}", "track the parcel with my {}", "when does the {} arrive",
              "has my {} been shipped"),
    "stop": ("cancel my {}", "please stop the order of the {}", "call off the {} order",
             "I do not want to order the {}"),
    "back": ("send the {} back", "I want to return the {}", "how do I return a {}",
             "take back my {} please"),
    OUT_OF_SCOPE: ("how tall is a {} tree", "sing a song of a {}", "what is the capital of {}",
                   "who won the {} cup"),
}  # fmt: skip


class CountingEncoder(LexicalEncoder):
    """An encoder that remembers what it was asked for."""

    def __init__(self):
        super().__init__(64)
        self.asked = []

    def encode(self, texts):
        self.asked.extend(texts)
        return super().encode(texts)


class GlancingEncoder(CountingEncoder):
    """An encoder that can embed at a glance, too."""

    def glance(self, texts):
        return LexicalEncoder(32).encode(texts)


def _examples():
    return [
        Example(form.format(thing), intent, "en")
        for intent, forms in FORMS.items()
        for form in forms
        for thing in (*THINGS, *(f"{kind} {thing}" for kind in ("old", "red") for thing in THINGS))
    ]


@pytest.fixture(params=[CountingEncoder, GlancingEncoder])
def encoder(request):
    return request.param()


@pytest.fixture
def model(encoder):
    trained = train(_examples(), encoder, str)
    encoder.asked.clear()
    return trained


def test_a_certain_text_is_answered_without_the_encoder(model, encoder):
    classifier = IntentClassifier(model, encoder)
    best = classifier.rank(["where is my sofa"])[0][0]
    assert (best.name, encoder.asked) == ("track", [])
    assert 0.5 < best.confidence <= 1.0


def test_only_the_uncertain_texts_of_a_batch_are_encoded(model, encoder):
    texts = ["where is my sofa", "violet elephants", "cancel my sofa", "violet elephants"]
    ranked = IntentClassifier(model, encoder).rank(texts)
    assert encoder.asked == ["violet elephants"]
    assert [ranking[0].name for ranking in ranked[::2]] == ["track", "stop"]
    assert ranked[1] == ranked[3]


def test_a_repeated_example_is_certain_whatever_its_case_and_signs(model, encoder):
    never = _with(model, Certainty())
    assert IntentClassifier(never, encoder).rank(["Cancel my LAMP!!"])[0][0].name == "stop"
    assert not encoder.asked
    IntentClassifier(never, encoder).rank(["cancel my lampshade"])
    assert encoder.asked


def test_switched_off_every_text_is_encoded(model, encoder):
    texts = ["where is my sofa", "cancel my lamp"]
    IntentClassifier(model, encoder, fast_path=False).rank(texts)
    assert encoder.asked == texts


def test_what_may_be_out_of_scope_is_never_answered_fast(model, encoder):
    classifier = IntentClassifier(model, encoder)
    outside = [example.text for example in _examples() if example.intent == OUT_OF_SCOPE]
    assert not any(map(classifier.is_certain, [*outside, "how tall is a sofa tree"]))
    lax = IntentClassifier(_with(model, Certainty(margin=0.0)), encoder)
    assert not any(map(lax.is_certain, outside))


@pytest.mark.parametrize("text", ["", "?!", "4711", "ORDERNUMBER", "\ud800", "x" * 500, "😀"])
def test_what_has_no_words_or_far_too_many_is_encoded(model, encoder, text):
    assert not IntentClassifier(model, encoder).is_certain(text)


def test_a_text_that_stands_for_two_intents_is_not_certain(encoder):
    examples = [*_examples(), Example("that one", "stop", "en"), Example("That one.", "back", "en")]
    model = train(examples, encoder, str)
    assert model.fast_path.repeats.label("that one") == -1
    assert model.labels[model.fast_path.repeats.label("Where is my LAMP?")] == "track"


def test_an_encoder_that_sees_otherwise_than_in_training_is_asked(model, encoder):
    other = GlancingEncoder() if type(encoder) is CountingEncoder else CountingEncoder()
    IntentClassifier(model, other).rank(["where is my sofa"])
    assert other.asked == ["where is my sofa"]


def test_stored_and_loaded_it_answers_alike(tmp_path, model, encoder):
    save_model(tmp_path / "intents.npz", model, "digest")
    loaded = load_model(tmp_path / "intents.npz", "digest")
    texts = [
        "where is my sofa",
        "cancel my lamp",
        "how do I return a sofa",
        "how tall is a sofa tree",
    ]
    before, after = IntentClassifier(model, encoder), IntentClassifier(loaded, encoder)
    assert [*map(before.is_certain, texts)] == [*map(after.is_certain, texts)]
    assert [*map(before.is_certain, texts)] == [True, True, True, False]
    for first, second in zip(before.rank(texts), after.rank(texts), strict=True):
        assert first[0].name == second[0].name
        assert first[0].confidence == pytest.approx(second[0].confidence, abs=1e-3)


@pytest.mark.parametrize(("name", "value"), [
    ("fast_known", np.zeros((3, 7))), ("fast_ngram_weights", np.zeros((1, 1))),
    ("repeat_keys", np.zeros(2, np.uint64)), ("fast_centre", None),
    ("fast_axes", np.zeros((5, 32))),
])  # fmt: skip
def test_a_file_with_a_broken_fast_path_is_refused(tmp_path, model, name, value):
    path = tmp_path / "intents.npz"
    save_model(path, model, "digest")
    with np.load(path) as stored:
        arrays = {key: stored[key] for key in stored.files}
    arrays.pop(name)
    np.savez(path, **arrays, **({} if value is None else {name: value}))
    with pytest.raises(ModelFileError):
        load_model(path, "digest")


def _with(model, sure):
    return type(model)(**{
        **{field: getattr(model, field) for field in model.__struct_fields__},
        "fast_path": type(model.fast_path)(**{
            **{field: getattr(model.fast_path, field)
               for field in model.fast_path.__struct_fields__},
            "certainty": sure,
        }),
    })  # fmt: skip


def _lesson(targets, outside=-1):
    count = len(targets)
    return Lesson(
        masked=["text"] * count,
        ngrams=csr_matrix((count, 1)),
        familiar=np.ones(count, np.bool_),
        glances=np.zeros((count, 0), np.float32),
        targets=targets,
        counts=np.ones(count, np.float32),
        outside=outside,
        labels=3,
    )


def _scored(count, seed):
    """Return scores of which the clear ones are right and the others often wrong."""
    chance = np.random.default_rng(seed)
    targets = chance.integers(0, 3, count)
    clear = chance.random(count)
    said = np.where(chance.random(count) < 0.3 * (1 - clear) ** 6, (targets + 1) % 3, targets)
    return targets, (np.eye(3)[said] * clear[:, None]).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_the_margin_keeps_its_promise_on_texts_not_seen(seed):
    targets, scores = _scored(4_000, seed)
    every = np.ones(len(targets), np.bool_)
    found = certainty(scores, _lesson(targets), every, every)
    fresh, fresh_scores = _scored(40_000, seed + 100)
    sure = margins(fresh_scores) >= found.margin
    wrong = sure & (fresh_scores.argmax(axis=1) != fresh)
    assert wrong.mean() <= MOST_HARMED
    assert sure.mean() > 0.2


def test_a_slip_that_the_encoder_makes_too_costs_nothing():
    targets, scores = _scored(2_000, 1)
    every = np.ones(len(targets), np.bool_)
    both_wrong = scores.argmax(axis=1) == targets
    strict = certainty(scores, _lesson(targets), every, every)
    assert certainty(scores, _lesson(targets), both_wrong, every).margin < strict.margin


def test_too_few_examples_prove_nothing():
    targets = np.arange(60) % 3
    every = np.ones(60, np.bool_)
    assert (
        certainty(np.eye(3, dtype=np.float32)[targets], _lesson(targets), every, every).margin
        == NEVER
    )


def test_out_of_scope_examples_are_guarded_apart():
    targets = np.concatenate([np.zeros(2_000, np.int64), np.full(100, 2)])
    scores = np.zeros((2_100, 3), np.float32)
    scores[:, 0] = np.linspace(0.5, 1.0, 2_100)
    scores[2_000:, 0] = np.linspace(0.1, 0.9, 100)  # taken for the first intent, some clearly
    every = np.ones(2_100, np.bool_)
    found = certainty(scores, _lesson(targets, outside=2), every, every)
    taken_in = (margins(scores[2_000:]) >= found.margin).sum()
    assert taken_in <= MOST_TAKEN_IN * 100


def test_the_upper_bound_is_wilsons():
    assert upper_bound(np.array([0]), 178) == pytest.approx([0.01497], abs=2e-5)
    assert upper_bound(np.array([10]), 1_000) == pytest.approx([0.01666], abs=2e-5)


def test_keys_are_of_words():
    assert text_code("Wo ist es?") == text_code("wo  IST es")
    assert text_code("👍") != text_code("👎")
    assert text_code("Größe") == text_code("GROESSE")


class ShopEncoder(CountingEncoder):
    """The lexical encoder behind the pipeline's cache."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    inner = ShopEncoder()
    models = tmp_path_factory.mktemp("models")
    settings = ParserSettings(models, (ROOT / "data",))
    parser = build_parser(settings, BatchedEncoder(inner))
    inner.asked.clear()
    return parser, inner, settings


def test_a_message_that_is_certain_takes_no_vector_at_all(shop):
    parser, inner, _ = shop
    inner.asked.clear()  # another test may have come first
    result = parser.parse("Bitte stornieren Sie TR-104823!")
    assert (result.intent.name, inner.asked) == ("cancel_order", [])


def test_the_mood_of_a_certain_message_is_that_of_its_words_whatever_is_kept(shop):
    _, inner, settings = shop
    text = "Storniere bitte meine Bestellung TR-104711"
    encoder = BatchedEncoder(inner)
    parser = build_parser(settings, encoder)
    before = parser.parse(text).sentiment
    encoder.encode([text, "Storniere bitte meine Bestellung #4711"])
    assert parser.parse(text).sentiment == before


def test_config_can_switch_it_off(shop):
    _, inner, settings = shop
    chosen = Pipeline().intent_classifier
    off = type(chosen)(chosen.role, chosen.name, {"fast_path": False})
    pipeline = Pipeline(intent_classifier=off, encoder_cache_size=0)
    slow = ParserSettings(settings.models_dir, settings.data_dirs, pipeline=pipeline)
    parser = build_parser(slow, BatchedEncoder(inner, 0))
    inner.asked.clear()
    assert parser.parse("Storniere bitte meine Bestellung TR-104711").intent.name == "cancel_order"
    assert inner.asked


def test_of_our_own_out_of_scope_examples_none_is_answered_fast(shop):
    _, inner, settings = shop
    mask = example_mask(settings.models_dir)
    model = load_or_train(settings.models_dir, settings.data_dirs, inner, mask)
    classifier = IntentClassifier(model, inner)
    examples = load_examples(settings.data_dirs)
    outside = [mask(example.text) for example in examples if example.intent == OUT_OF_SCOPE]
    assert len(outside) >= 100
    assert not any(map(classifier.is_certain, outside))
