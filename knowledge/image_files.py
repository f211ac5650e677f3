"""Opens pictures that strangers send: bounded in bytes and pixels, upright, on white.

Needs the extra `vision`: Pillow, and resvg for drawings of the shop's own (SVG).
"""

import io
import warnings
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from knowledge.errors import ExtraMissing, PictureTooLarge, PictureUnreadable
from knowledge.image_encoder import SIDE, Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 60_000_000
"""More than any telephone takes; a picture that unpacks to more is not unpacked."""
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_LEAST_EDGE = 16
_MOST_NARROW = 20


def read_picture(body: bytes) -> Pixels:
    """Return a photo as encoders get it: the first frame, as its EXIF data turns it.

    Args:
        body: a JPEG, PNG, WebP or GIF file.

    Raises:
        ExtraMissing: When the extra `vision` is not installed.
        PictureTooLarge: When it has too many bytes or pixels.
        PictureUnreadable: When it is no such picture, broken, or too small to see anything.
    """
    if len(body) > MAX_BYTES:
        raise PictureTooLarge(f"{len(body)} bytes")
    pillow = _pillow()
    try:
        # Pillow's own limit only warns up to its double; ours is looked at before it unpacks.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pillow.open(io.BytesIO(body), formats=FORMATS) as opened:
                _check(opened.size)
                opened.draft("RGB", (2 * SIDE, 2 * SIDE))  # a large JPEG is unpacked smaller
                opened.seek(0)
                return _square(opened, pillow)
    except (PictureTooLarge, PictureUnreadable):
        raise
    except pillow.DecompressionBombError as error:
        raise PictureTooLarge(str(error)) from error
    except Exception as error:  # a decoder of a broken file may raise anything
        raise PictureUnreadable(type(error).__name__) from error


def read_drawing(body: bytes) -> Pixels:
    """Return an SVG of the shop's own catalogue as encoders get it; it loads nothing else.

    Raises:
        ExtraMissing: When the extra `vision` is not installed.
        PictureTooLarge: When it has too many bytes.
        PictureUnreadable: When it cannot be drawn.
    """
    if len(body) > MAX_BYTES:
        raise PictureTooLarge(f"{len(body)} bytes")
    try:
        import resvg_py
    except ModuleNotFoundError as error:
        raise ExtraMissing("pictures in SVG", "vision") from error
    try:
        text = body.decode("utf-8")
        drawn = bytes(resvg_py.svg_to_bytes(svg_string=text, width=SIDE, height=SIDE))
    except Exception as error:  # resvg raises its own kinds, and UnicodeDecodeError
        raise PictureUnreadable(type(error).__name__) from error
    return read_picture(drawn)


def _check(size: tuple[int, int]) -> None:
    """Look at a picture's size before it is unpacked.

    Raises:
        PictureTooLarge: it has too many pixels.
        PictureUnreadable: it is too small, or a mere line.
    """
    width, height = size
    if width * height > MAX_PIXELS:
        raise PictureTooLarge(f"{width} × {height} pixels")
    if min(size) < _LEAST_EDGE or max(size) > _MOST_NARROW * min(size):
        raise PictureUnreadable(f"{width} × {height} pixels")


def _square(opened: "Image", pillow: ModuleType) -> Pixels:
    from PIL import ImageOps

    turned = opened.getexif()
    if opened.mode in {"I", "I;16", "F"}:
        opened = opened.point(lambda value: value / 256).convert("L")
    # Small before anything copies it: what was unpacked may be large.
    small = opened.resize((SIDE, SIDE), _filter(opened.mode, pillow), reducing_gap=2.0)
    small.info["exif"] = turned.tobytes()
    rgba = ImageOps.exif_transpose(small).convert("RGBA")
    paper = pillow.new("RGBA", rgba.size, (255, 255, 255, 255))
    paper.alpha_composite(rgba)
    return np.asarray(paper.convert("RGB"), dtype=np.uint8)


def _filter(mode: str, pillow: ModuleType) -> int:
    """Return how a picture of a mode is made smaller; shades of a palette cannot be mixed."""
    return int(pillow.Resampling.NEAREST if mode in {"1", "P"} else pillow.Resampling.BICUBIC)


def _pillow() -> ModuleType:
    """Return Pillow.

    Raises:
        ExtraMissing: it is not installed.
    """
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise ExtraMissing("search by picture", "vision") from error
    return Image
