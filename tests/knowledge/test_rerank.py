import numpy as np
import pytest

from knowledge.ingest import Encoders
from knowledge.library import Library
from knowledge.query import ProductQuery
from knowledge.rerank import Reranker, TransformersReranker
from tests.knowledge.conftest import VOCABULARY


class LongestFirst(Reranker):
    """Prefers long texts."""

    def scores(self, query, texts):
        return np.array([len(text) / 1000 for text in texts], dtype=np.float32)


def flat(texts):
    return np.ones((len(texts), 4), dtype=np.float32) / 2


def test_the_reranker_orders_the_best(dirs, tmp_path):
    encoders = Encoders(flat, flat, LongestFirst())
    library = Library(dirs, tmp_path / "data", VOCABULARY, encoders)
    query = ProductQuery(text="jacket", categories=("jackets",))
    found = library.search_products(query).matches
    lengths = [len(f"{m.product.title['en']}. {m.product.description['en']}") for m in found]
    assert lengths == sorted(lengths, reverse=True)
    assert all(0 <= match.score <= 1 for match in found)


def test_a_cross_encoder_is_read_from_a_folder(tmp_path):
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "shoe", "lamp"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    transformers.BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, num_labels=1, max_position_embeddings=256,
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path)
    reranker = TransformersReranker(tmp_path)
    scores = reranker.scores("red shoe", ["red shoe", "lamp"])
    assert scores.shape == (2,)
    assert ((scores > 0) & (scores < 1)).all()
    assert reranker.scores("red shoe", []).shape == (0,)
