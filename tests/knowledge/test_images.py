"""Pictures: what is opened, what is not, and what looks alike."""

import io
import struct
import zlib

import msgspec
import numpy as np
import pytest

from bench.knowledge.sides import ROOT
from knowledge.documents import Product, ProductVariant
from knowledge.errors import PictureTooLarge, PictureUnreadable
from knowledge.image_encoder import SIDE, ImageEncoder
from knowledge.image_index import ImageIndex
from knowledge.image_search import PhotoSearch
from knowledge.query import ProductMatch, ProductQuery, ProductResult
from knowledge.store import FileStore

Image = pytest.importorskip("PIL.Image", reason="needs the extra vision")
from knowledge.image_files import MAX_BYTES, read_drawing, read_picture  # noqa: E402


def saved(picture, kind="PNG", **options):
    held = io.BytesIO()
    picture.save(held, kind, **options)
    return held.getvalue()


def halves(size=(80, 60)):
    """Return a picture with a red left and a blue right half."""
    picture = Image.new("RGB", size, "blue")
    picture.paste("red", (0, 0, size[0] // 2, size[1]))
    return picture


def bomb(side):
    """Return a PNG of few bytes that unpacks to side × side pixels."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_usual_kinds_are_opened(kind):
    pixels = read_picture(saved(halves(), kind))
    assert pixels.shape == (SIDE, SIDE, 3)
    assert pixels[SIDE // 2, 20].argmax() == 0
    assert pixels[SIDE // 2, -20].argmax() == 2


def test_a_picture_is_turned_as_its_camera_was():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    pixels = read_picture(saved(halves(), "JPEG", exif=exif, quality=95))
    assert pixels[20, SIDE // 2].argmax() == 0
    assert pixels[-20, SIDE // 2].argmax() == 2


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "L", "I;16", "CMYK"])
def test_every_mode_becomes_red_green_blue(mode):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert read_picture(saved(Image.new(mode, (40, 40)), kind)).shape == (SIDE, SIDE, 3)


def test_what_is_clear_lies_on_white():
    assert read_picture(saved(Image.new("RGBA", (40, 40), (0, 0, 0, 0)))).min() == 255


def test_of_an_animation_the_first_frame_counts():
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue", "lime")]
    body = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert read_picture(body)[100, 100].argmax() == 0


@pytest.mark.parametrize("side", [9_000, 40_000, 2_000_000_000])
def test_a_bomb_is_not_unpacked(side):
    with pytest.raises((PictureTooLarge, PictureUnreadable)):
        read_picture(bomb(side))


def test_too_many_bytes_are_not_looked_at():
    with pytest.raises(PictureTooLarge):
        read_picture(b"\xff\xd8\xff" + bytes(MAX_BYTES))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"%PDF-1.7 a report",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a",
        b"\xff\xd8\xff\xe0 broken",
        b"MZ\x90\x00",
        saved(halves(), "BMP"),
        saved(halves(), "TIFF"),
        saved(halves())[:60],
        saved(halves((4, 4))),
        saved(halves((2000, 20))),
    ],
    ids=["empty", "pdf", "svg", "gif", "jpeg", "exe", "bmp", "tiff", "cut", "tiny", "line"],
)
def test_what_is_no_picture_is_said_to_be_none(body):
    with pytest.raises(PictureUnreadable):
        read_picture(body)


def test_a_drawing_loads_nothing_from_elsewhere(tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(saved(Image.new("RGB", (40, 40), "red")))
    pytest.importorskip("resvg_py")
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">'
        f'<rect width="40" height="40" fill="white"/><image href="{secret.as_uri()}" width="40" '
        'height="40"/><image href="http://127.0.0.1:9/x.png" width="40" height="40"/></svg>'
    )
    assert read_drawing(drawing.encode()).min() == 255


class Colours(ImageEncoder):
    """A stand-in that sees nothing but the mean colour, and counts what it is given."""

    def __init__(self, name="colours"):
        self.seen = 0
        self._name = name

    @property
    def fingerprint(self):
        return self._name

    def encode(self, pictures):
        self.seen += len(pictures)
        rows = pictures.reshape(len(pictures), -1, 3).mean(axis=1).astype(np.float32) + 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def shop(folder, **colours):
    folder.mkdir(exist_ok=True)
    for name, colour in colours.items():
        (folder / f"{name}.png").write_bytes(saved(Image.new("RGB", (40, 40), colour)))
    return [goods(name, f"{name}.png") for name in colours]


def goods(name, image, price=1000, available=True, shelf="scarves"):
    one = ProductVariant(f"{name}-1", {}, price, available)
    return Product(name, {"en": name}, (one,), category=shelf, image=image)


@pytest.fixture
def index(tmp_path):
    return ImageIndex(tmp_path / "shop", tmp_path / "data", Colours(), FileStore)


def test_only_what_changed_is_encoded_again_and_what_is_gone_goes(index, tmp_path):
    products = shop(tmp_path / "shop", red="red", blue="blue", lime="lime")
    assert index.ingest(products).added == 3
    assert index.ingest(products).unchanged == 3
    shop(tmp_path / "shop", blue="navy")
    report = index.ingest(products[:2])
    assert (report.added, report.removed, report.unchanged) == (1, 1, 1)
    assert index._encoder.seen == 4
    assert len(index) == 2


def test_another_encoder_makes_all_vectors_anew(index, tmp_path):
    products = shop(tmp_path / "shop", red="red", blue="blue")
    index.ingest(products)
    other = ImageIndex(tmp_path / "shop", tmp_path / "data", Colours("other"), FileStore)
    assert len(other) == 0
    assert other.ingest(products).added == 2


def test_what_cannot_be_read_is_told_and_the_rest_goes_in(index, tmp_path):
    products = shop(tmp_path / "shop", red="red")
    (tmp_path / "secret.png").write_bytes(saved(Image.new("RGB", (40, 40), "lime")))
    (tmp_path / "shop" / "text.png").write_bytes(b"no picture")
    wrong = ["gone.png", "../secret.png", "text.png", "http://127.0.0.1:9/a.png"]
    products += [goods(f"P{n}", image) for n, image in enumerate(wrong)]
    report = index.ingest(products)
    assert report.added == 1
    assert sorted(problem.item for problem in report.problems) == ["P0", "P1", "P2", "P3"]


class Limits:
    """A search that knows price and stock alone."""

    def __init__(self, products):
        self.products = products

    def __call__(self, query: ProductQuery) -> ProductResult:
        fits = [
            ProductMatch(p, p.variants[0], 0.0)
            for p in self.products
            if p.variants[0].available
            and p.variants[0].price_minor <= (query.price_max_minor or 10**9)
        ]
        return ProductResult(query, tuple(fits[: query.limit]), len(fits))


def test_limits_hold_and_it_says_which_case_it_is(index, tmp_path):
    folder = tmp_path / "shop"
    (red, dark, pink, blue) = shop(folder, red="red", dark="darkred", pink="pink", blue="blue")
    dear = goods("dark", dark.image, price=9000)
    gone = goods("pink", pink.image, available=False)
    products = [red, dear, gone, blue]
    index.ingest(products)
    search = PhotoSearch(index, Limits(products))
    photo = read_picture((folder / "red.png").read_bytes())
    found = search.find(photo, ProductQuery())
    assert {m.product.id for m in found.result.matches[:2]} == {"red", "dark"}
    assert "pink" not in {m.product.id for m in found.result.matches}
    cheap = search.find(photo, ProductQuery(price_max_minor=2000))
    assert "dark" not in {m.product.id for m in cheap.result.matches}
    none = search.find(photo, ProductQuery(price_max_minor=1))
    assert none.state == "limits"
    assert none.result.matches


def test_without_pictures_nothing_looks_alike(index):
    photo = read_picture(saved(halves()))
    assert PhotoSearch(index, Limits([])).find(photo, ProductQuery()).state == "nothing"


def test_the_network_knows_its_own_pictures_again_and_no_noise():
    pytest.importorskip("onnxruntime")
    pytest.importorskip("resvg_py")
    from knowledge.image_encoder import OnnxImageEncoder

    encoder = OnnxImageEncoder(ROOT / "models" / "image_encoder.onnx")
    raw = (ROOT / "data" / "demo_shop" / "products.json").read_bytes()
    products = msgspec.json.decode(raw, type=list[Product])[::12]
    pixels = np.stack([
        read_drawing((ROOT / "data" / "demo_shop" / product.image).read_bytes())
        for product in products
    ])
    rows = encoder.encode(pixels)
    turned = encoder.encode(np.ascontiguousarray(pixels[:, :, ::-1]))
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-4)
    found = (turned @ rows.T).argmax(axis=1)
    assert (found == np.arange(len(products))).mean() > 0.9
