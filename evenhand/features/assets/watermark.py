"""A visible mark in a picture: whom it was shown to, when, and by which viewing. Burnt into the pixels, so that it stays in a copy.

The picture keeps its size, its orientation and its colours between the letters: what is drawn on it stays where it was.
"""

import io
import warnings
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import combining, normalize

from PIL import Image, ImageDraw, ImageFont, ImageOps

from evenhand.pure.trouble import Conflict

#: a picture is decoded whole to be marked: at most 200 to 270 MB of pixels at a time (8,192 x 8,192 fits)
MOST_PX = 70_000_000
MARKED = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/tiff"})
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_ANGLE = 24.0  # degrees: cut off neither with a row nor with a column of pixels
_LIGHT, _DARK = 110, 80  # of 255: read on any ground, and the ground is still seen
_ORIENTATION = 0x0112
#: what turns an upright letter into the stored pixels of a picture with this EXIF orientation
_LAID = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip
#: letters that do not fall apart into a plain one and an accent
_PLAIN = str.maketrans(
    {"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th",
     "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ı": "i", "’": "'", "‘": "'", "–": "-", "—": "-"}
)  # fmt: skip


class NotMarked(Conflict):
    code = "not_marked"
    hint = "Send it smaller and whole, or show pictures without marks: Console, Data, Names on pictures."


@dataclass(frozen=True, slots=True)
class Picture:
    data: bytes
    type: str


def printable(name: str) -> str | None:
    """The name in letters that the mark's font has, without accents; None where letters would be lost."""
    plain = "".join(c for c in normalize("NFKD", name.translate(_PLAIN)) if not combining(c))
    plain = " ".join(plain.split())
    return plain[:40] if plain and plain.isascii() and plain.isprintable() else None


def mark(data: bytes, lines: tuple[str, ...]) -> Picture:
    """The picture with `lines` all over it. JPEG, PNG and WebP stay what they are; the others come as PNG, and of what
    moves the first frame. Raises NotMarked for what is too large or broken: it is not shown without."""
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data), formats=list(_FORMATS)) as image:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            if image.width * image.height > MOST_PX:
                raise NotMarked(f"A picture of more than {MOST_PX:,} pixels can't carry its viewer's name.")
            return _marked(image, data, lines)
    except (OSError, ValueError, SyntaxError, TypeError, Image.DecompressionBombError, EOFError) as err:
        raise NotMarked("This picture is broken, so it can't carry its viewer's name, and is not shown.") from err


def _marked(image: Image.Image, data: bytes, lines: tuple[str, ...]) -> Picture:
    kind = image.format or ""
    turned = int(image.getexif().get(_ORIENTATION, 1))
    info = dict(image.info)
    image.load()
    if kind == "TIFF":  # no browser shows one: as PNG it comes upright
        image, turned = ImageOps.exif_transpose(image), 1
    ground = _drawable(image)
    _cover(ground, lines, turned)
    exif = Image.Exif()
    if turned in _LAID:
        exif[_ORIENTATION] = turned
    profile = info.get("icc_profile") if ground.mode == image.mode or image.mode == "P" else None
    kept = {"exif": exif.tobytes(), **({"icc_profile": profile} if profile else {})}
    out = io.BytesIO()
    if kind == "JPEG":
        # with the tables of the original, what lies between the letters hardly changes
        same = {"quality": "keep", "subsampling": "keep"} if ground is image else {"quality": 92}
        ground.save(out, "JPEG", **same, **kept)
        return Picture(out.getvalue(), "image/jpeg")
    if kind == "WEBP":
        ground.save(out, "WEBP", lossless=_lossless(data), quality=92, method=2, **kept)
        return Picture(out.getvalue(), "image/webp")
    ground.save(out, "PNG", compress_level=1, **kept)
    return Picture(out.getvalue(), "image/png")


def _drawable(image: Image.Image) -> Image.Image:
    """The picture in a mode that letters can be drawn in; itself where it is in one."""
    if image.mode in ("L", "RGB", "LA", "RGBA") and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):  # 16 bits a sample: the upper eight are what a screen shows
        return (
            image.convert("I").point(lambda sample: sample * (1 / 256)).convert("L")
        )  # what is beyond 0 to 255 is cut there
    if image.mode in ("1", "F"):
        return image.convert("L")
    clear = "transparency" in image.info or image.mode in ("PA", "La", "RGBa")
    return image.convert("RGBA" if clear else "RGB")


def _cover(ground: Image.Image, lines: tuple[str, ...], turned: int) -> None:
    """Draws the lines in rows, each second one shifted, over the whole picture."""
    size_px = max(11, min(64, min(ground.size) // 34))
    dark, light = _letters(lines, size_px)
    if turned in _LAID:
        dark, light = dark.transpose(_LAID[turned]), light.transpose(_LAID[turned])
    step_x, step_y = dark.width + size_px, dark.height + size_px
    opaque = len(ground.getbands()) in (1, 3)
    ink = {0: (0,), 255: (255,)} if len(ground.getbands()) < 3 else {0: (0, 0, 0), 255: (255, 255, 255)}
    for row, y in enumerate(range(-dark.height // 3, ground.height, step_y)):
        for x in range(-dark.width // 4 - row % 2 * step_x // 2, ground.width, step_x):
            for tone, mask in ((0, dark), (255, light)):
                ground.paste(ink[tone] if opaque else (*ink[tone], 255), (x, y), mask)


@lru_cache(8)
def _letters(lines: tuple[str, ...], size_px: int) -> tuple[Image.Image, Image.Image]:
    """How strongly each pixel of a mark is dark, and light: outline and letters, aslant."""
    font = ImageFont.load_default(size_px)
    edge, line_px = max(1, size_px // 14), size_px * 5 // 4
    size = (int(max(font.getlength(line) for line in lines)) + 2 * edge + 2, line_px * len(lines) + 2 * edge)
    dark, light = Image.new("L", size), Image.new("L", size)
    for n, line in enumerate(lines):  # one by one: an outline would move the lines below it
        at = (edge + 1, edge + n * line_px)
        ImageDraw.Draw(dark).text(at, line, _DARK, font, stroke_width=edge, stroke_fill=_DARK)
        ImageDraw.Draw(dark).text(at, line, 0, font)
        ImageDraw.Draw(light).text(at, line, _LIGHT, font)
    aslant = [one.rotate(_ANGLE, Image.Resampling.BICUBIC, expand=True) for one in (dark, light)]
    return aslant[0], aslant[1]


def _lossless(webp: bytes) -> bool:
    """Whether the first picture of a WebP is kept without loss, by its chunks (RFC 9649)."""
    at = 12
    while at + 8 <= len(webp):
        name = webp[at : at + 4]
        if name in (b"VP8 ", b"VP8L"):
            return name == b"VP8L"
        if name == b"ANMF":  # a frame: 16 bytes, then its own chunks
            at += 8 + 16
            continue
        size = int.from_bytes(webp[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return False
