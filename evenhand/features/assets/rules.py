"""What a file is, told from its bytes and never from its name or the type that somebody claims."""

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps

from evenhand.pure.trouble import Invalid

MOST_PIXELS = 300_000_000
_FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif", "BMP": "image/bmp",
            "TIFF": "image/tiff"}  # fmt: skip
#: Types that a browser may show in place; anything else is offered for download.
SHOWN = frozenset({*_FORMATS.values(), "application/pdf", "text/plain", "audio/mpeg", "audio/wav", "audio/ogg", "video/mp4",
                   "video/webm"})  # fmt: skip
_UPRIGHT_SWAPS = (5, 6, 7, 8)  # EXIF orientations that turn by a quarter
_ORIENTATION = 0x0112


class Undecodable(Invalid):
    hint = "Send a JPEG, PNG, WebP, GIF, BMP or TIFF file."


@dataclass(frozen=True, slots=True)
class Sniffed:
    type: str
    width: int | None = None
    height: int | None = None


def sniff(data: bytes) -> Sniffed:
    """The media type by content; for pictures the size as a person sees it (EXIF applied)."""
    picture = _picture(data)
    if picture is not None:
        return picture
    for magic, kind in (
        (b"%PDF-", "application/pdf"),
        (b"ID3", "audio/mpeg"),
        (b"\xff\xfb", "audio/mpeg"),
        (b"OggS", "audio/ogg"),
        (b"\x1aE\xdf\xa3", "video/webm"),
        (b"PK\x03\x04", "application/zip"),
    ):
        if data.startswith(magic):
            return Sniffed(kind)
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return Sniffed("audio/wav")
    if data[4:8] == b"ftyp":
        return Sniffed("video/mp4")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return Sniffed("application/octet-stream")
    if "\0" in text:
        return Sniffed("application/octet-stream")
    return Sniffed("application/json" if text.lstrip()[:1] in ("{", "[") else "text/plain")


def _picture(data: bytes) -> Sniffed | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=list(_FORMATS)) as image:
                width, height = image.size
                kind = _FORMATS[image.format or ""]
                # of a TIFF Pillow says the upright size itself
                if image.format != "TIFF" and image.getexif().get(_ORIENTATION) in _UPRIGHT_SWAPS:
                    width, height = height, width
    except Image.DecompressionBombError as err:
        raise Undecodable("The picture has too many pixels.") from err
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, OverflowError):
        return None
    if width * height > MOST_PIXELS:
        raise Undecodable(f"The picture has more than {MOST_PIXELS:,} pixels.")
    return Sniffed(kind, width, height)


def check_picture(data: bytes) -> Sniffed:
    """Decodes the picture whole: a header alone may lie. Raises Undecodable."""
    found = _picture(data)
    if found is None:
        raise Undecodable("This file is not a picture that can be shown.")
    try:
        with Image.open(io.BytesIO(data), formats=list(_FORMATS)) as image:
            image.draft("RGB", (64, 64))  # JPEG decodes at an eighth: enough to find a broken stream
            image.load()
    except (OSError, ValueError, SyntaxError, TypeError, Image.DecompressionBombError, EOFError) as err:
        raise Undecodable("The picture is broken: it can't be decoded to its end.") from err
    return found


def thumbnail(data: bytes, edge_px: int = 320) -> bytes:
    """A JPEG of at most `edge_px` on its longer side, upright, without metadata."""
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data), formats=list(_FORMATS)) as image:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image.draft("RGB", (edge_px * 2, edge_px * 2))
            image.thumbnail((edge_px, edge_px))  # before anything copies it: a large picture is in memory once
            flat = ImageOps.exif_transpose(image).convert("RGBA")
    except (OSError, ValueError, SyntaxError, TypeError, Image.DecompressionBombError, EOFError) as err:
        raise Undecodable("The picture is broken, so it has no thumbnail.") from err
    ground = Image.new("RGB", flat.size, (128, 128, 128))
    ground.paste(flat, mask=flat.getchannel("A"))
    out = io.BytesIO()
    ground.save(out, "JPEG", quality=80)
    return out.getvalue()
