"""Names in pictures: legible, everywhere, and the picture otherwise as it was."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from evenhand.features.assets import watermark
from evenhand.features.assets.rules import sniff
from evenhand.features.assets.watermark import NotMarked, mark, printable

LINES = ("Worker 1A2B-3C4D-5E6F-7788", "2026-11-23 08:34 UTC", "0123456789abcdef01234567")
OTHER = ("Ada Lovelace", *LINES[1:])
STAYS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


def smooth(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A picture in which a mark is easily told from what was there."""
    y, x = np.mgrid[0:height, 0:width]
    three = np.stack([x * 255 // width, y * 255 // height, np.full_like(x, 120)], -1).astype(np.uint8)
    return Image.fromarray(three).convert(mode)


def kept(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def seen(data: bytes) -> NDArray[np.int16]:
    """(height, width, 3): the pixels as a person sees them."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"), dtype=np.int16)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("turned", [1, 2, 3, 5, 6, 7, 8])
def test_size_and_orientation_stay(kind: str, turned: int) -> None:
    if kind in ("GIF", "BMP") and turned > 1:
        return  # they have no orientation
    exif = Image.Exif()
    exif[0x0112] = turned
    options = {} if kind in ("GIF", "BMP") else {"exif": exif.tobytes()}
    data = kept(smooth(420, 260), kind, **options)
    marked = mark(data, LINES)
    assert marked.type == STAYS.get(kind, "image/png")
    before, after = sniff(data), sniff(marked.data)
    assert (before.width, before.height) == (after.width, after.height)
    if kind not in ("GIF", "TIFF"):
        off = np.abs(seen(marked.data) - seen(data)).max(-1)
        assert (off > 20).mean() > 0.01, "there is a mark"
        assert (off <= 4).mean() > 0.6, "and between its letters nothing has moved"


def test_between_the_letters_the_pixels_are_the_same() -> None:
    data = kept(smooth(640, 480), "PNG")
    off = np.abs(seen(mark(data, LINES).data) - seen(data)).max(-1)
    assert (off == 0).mean() > 0.7
    squares = off.reshape(4, 120, 5, 128).max((1, 3))
    assert (squares > 20).all(), "no part of it can be cut out without a letter"


@pytest.mark.parametrize("ground", [0, 60, 128, 200, 255])
def test_it_is_seen_on_any_ground(ground: int) -> None:
    data = kept(Image.new("RGB", (640, 480), (ground,) * 3), "PNG")
    off = np.abs(seen(mark(data, LINES).data) - ground).max(-1)
    assert (off > 25).mean() > 0.01


def test_two_viewers_have_two_pictures_and_the_same_viewer_one() -> None:
    data = kept(smooth(640, 480), "JPEG", quality=85)
    assert mark(data, LINES).data == mark(data, LINES).data, "ranges from two processes fit together"
    assert mark(data, LINES).data != mark(data, OTHER).data


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 90),
    st.integers(1, 90),
    st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]),
    st.lists(
        st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20), min_size=1, max_size=3
    ),
)
def test_any_small_picture_in_any_mode_keeps_its_size(width: int, height: int, mode: str, lines: list[str]) -> None:
    grey = np.full((height, width), 30_000, dtype=np.uint16)
    image = Image.fromarray(grey) if mode == "I;16" else smooth(width, height).convert(mode)
    with Image.open(io.BytesIO(mark(kept(image, "PNG"), tuple(lines)).data)) as marked:
        assert marked.size == (width, height)


def test_deep_grey_keeps_its_brightness_and_what_is_clear_stays_clear() -> None:
    deep = Image.fromarray(np.full((200, 300), 30_000, dtype=np.uint16))
    assert int(np.median(seen(mark(kept(deep, "PNG"), LINES).data))) == 30_000 >> 8
    clear = Image.new("RGBA", (640, 480), (10, 200, 30, 0))
    with Image.open(io.BytesIO(mark(kept(clear, "PNG"), LINES).data)) as marked:
        alpha = np.asarray(marked.getchannel("A"))
    assert (alpha == 0).mean() > 0.6 and (alpha > 40).mean() > 0.01, "the mark is seen where nothing else is"


def test_lossless_webp_stays_lossless() -> None:
    data = kept(smooth(640, 480), "WEBP", lossless=True)
    assert (np.abs(seen(mark(data, LINES).data) - seen(data)).max(-1) == 0).mean() > 0.7


def test_a_picture_that_cannot_be_marked_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = kept(smooth(640, 480), "JPEG", quality=95)
    with pytest.raises(NotMarked, match="broken"):
        mark(whole[: len(whole) // 2], LINES)
    monkeypatch.setattr(watermark, "MOST_PX", 640 * 480 - 1)
    with pytest.raises(NotMarked, match="pixels"):
        mark(whole, LINES)


@given(st.text(max_size=60))
def test_a_name_is_drawn_in_letters_that_the_font_has(name: str) -> None:
    drawn = printable(name)
    assert drawn is None or (drawn.isascii() and drawn.isprintable() and drawn.strip() and len(drawn) <= 40)


def test_names_lose_accents_but_no_letters() -> None:
    assert printable("  Zoë   Łukasz Ångström ") == "Zoe Lukasz Angstrom"
    assert printable("Jürgen Groß") == "Jurgen Gross"
    assert printable("王小明") is None and printable("") is None
