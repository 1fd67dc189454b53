"""An archive of everything, read by somebody who does not trust it: nothing is unpacked anywhere, every name is one of ours, and
every byte is counted and hashed before any of it is used."""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import IO, Any

import msgspec

from evenhand.pure.trouble import Invalid

FORMAT = "evenhand-archive-v1"
LINE_MOST = 3_900_000  # the server takes lines below 4 MB
#: how much larger than the file what is in it may be: rows of JSON pack 10 to 50 times, a bomb a thousand
EXPANDS_MOST = 200
_SMALL = 100_000_000
_ENTRIES_MOST = 5_000_000
_MANIFEST_LINE_MOST = 1_000
_ID = "[0-9a-f]{24}"
_NAME = re.compile(
    rf"README\.md|organisation\.json|manifest\.jsonl|evidence\.zip|[a-z-]{{1,40}}\.jsonl|projects/{_ID}(\.ontology\.json|\.jsonl)"
    rf"|files/{_ID}(\.[A-Za-z0-9]{{1,10}})?"
)
_HINT = "Take it again: `evenhand archive take`."


class NotWhole(Invalid):
    hint = _HINT


class _Listed(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    bytes: int
    sha256: str
    lines: int | None = None


class _End(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    complete: bool


class About(msgspec.Struct):
    """organisation.json."""

    format: str
    organisation: str
    name: str
    mode: str


class Archive:
    """An archive that was checked: `digest` is the same as long as the content is; `lines` counts the rows of a table."""

    def __init__(self, file: IO[bytes]) -> None:
        """Reads the directory and the manifest. Raises NotWhole, Invalid."""
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as err:
            raise NotWhole("This is no whole archive: the directory at its end is missing or damaged.") from err
        self._infos = _checked(self._zip.infolist(), file)
        self._listed = self._manifest()
        self.digest = sha256(msgspec.json.encode(sorted((m.path, m.sha256) for m in self._listed.values()))).hexdigest()
        self.total = sum(m.bytes for m in self._listed.values())
        self.about = self._about()

    def _about(self) -> About:
        try:
            about = msgspec.json.decode(b"".join(self.pieces("organisation.json")), type=About)
        except (msgspec.MsgspecError, UnicodeError) as err:
            raise Invalid("organisation.json is not what it should be.", hint=_HINT) from err
        if about.format != FORMAT or not re.fullmatch(_ID, about.organisation):
            raise Invalid("This is no archive of Evenhand that this version reads.")
        return about

    def _manifest(self) -> dict[str, _Listed]:
        info = self._infos.get("manifest.jsonl")
        if info is None:
            raise NotWhole("This archive has no manifest: it is not whole, or no archive of Evenhand.")
        if info.file_size > _MANIFEST_LINE_MOST * (len(self._infos) + 1):
            raise Invalid("The manifest is larger than what it lists can make it.")
        out: dict[str, _Listed] = {}
        lines = b"".join(self._raw("manifest.jsonl", info.file_size)).splitlines()
        try:
            end = msgspec.json.decode(lines.pop() if lines else b"", type=_End)
            for line in lines:
                one = msgspec.json.decode(line, type=_Listed)
                out[one.path] = one
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as err:
            raise NotWhole("The manifest of this archive is not what it should be.") from err
        if not end.complete or end.format != FORMAT or len(out) != len(lines):
            raise NotWhole("The manifest of this archive does not say that it is complete.")
        if out.keys() != self._infos.keys() - {"manifest.jsonl"}:
            odd = sorted(out.keys() ^ (self._infos.keys() - {"manifest.jsonl"}))[0]
            raise NotWhole(f"{odd[:80]} is in the archive or in its manifest, and not in both.")
        for name, one in out.items():
            if one.bytes != self._infos[name].file_size:
                raise NotWhole(f"{name} has another size than the manifest says.")
        return out

    # --- reading

    def names(self, folder: str = "") -> list[str]:
        return sorted(name for name in self._listed if name.startswith(folder))

    def lines(self, name: str) -> int:
        found = self._listed.get(name)
        return (found.lines or 0) if found is not None else 0

    def size(self, name: str) -> int:
        return self._listed[name].bytes

    def _raw(self, name: str, most: int) -> Iterator[bytes]:
        """The bytes of an entry. Its checksum is looked at as well, and no more than `most` of them ever come."""
        count = 0
        try:
            with self._zip.open(self._infos[name]) as entry:
                while piece := entry.read(1 << 18):
                    count += len(piece)
                    if count > most:
                        raise NotWhole(f"{name} is longer than it says.")
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as err:
            raise NotWhole(f"{name} is damaged.") from err
        if count != most:
            raise NotWhole(f"{name} is shorter than it says.")

    def pieces(self, name: str) -> Iterator[bytes]:
        """An entry, whose hash is the manifest's, or NotWhole at its end."""
        listed, digest = self._listed.get(name), sha256()
        if listed is None:
            raise NotWhole(f"{name} is missing.")
        for piece in self._raw(name, listed.bytes):
            digest.update(piece)
            yield piece
        if digest.hexdigest() != listed.sha256:
            raise NotWhole(f"{name} is not what it was: its hash is not the manifest's.")

    def check(self, on_bytes: Callable[[int], None]) -> None:
        """Reads everything once. Raises NotWhole where anything is not what the manifest says."""
        for name in self._listed:
            for piece in self.pieces(name):
                on_bytes(len(piece))

    def rows(self, name: str, kind: Any) -> Iterator[tuple[int, bytes, Any]]:
        """(number, line, what it says as `kind`) of a file of JSON lines. Raises Invalid with the line that is none."""
        decoder = msgspec.json.Decoder(kind)
        for number, line in enumerate(self._split(name), 1):
            try:
                yield number, line, decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as err:
                raise Invalid(f"{name}, line {number}: {str(err)[:200]}") from err

    def _split(self, name: str) -> Iterator[bytes]:
        held = b""
        for piece in self.pieces(name):
            parts = (held + piece).split(b"\n")
            held = parts.pop()
            if len(held) > LINE_MOST or any(len(part) > LINE_MOST for part in parts):
                raise Invalid(f"{name} has a line of more than {LINE_MOST:,} bytes.")
            yield from (part for part in parts if part.strip())
        if held.strip():
            yield held


def _checked(infos: list[zipfile.ZipInfo], file: IO[bytes]) -> dict[str, zipfile.ZipInfo]:
    """The entries by their names. Raises Invalid for what no archive of ours has: names that lead elsewhere, one name twice,
    entries that lie over each other, and far more in it than the file can hold."""
    if len(infos) > _ENTRIES_MOST:
        raise Invalid(f"The archive has more than {_ENTRIES_MOST:,} entries.")
    if min((info.header_offset for info in infos), default=1):
        raise NotWhole("This is no whole archive: it does not begin with its first entry.")
    out: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        if not _NAME.fullmatch(info.filename):
            raise Invalid(f"The archive has an entry that none of ours has: {info.filename[:80]!r}.")
        if info.filename in out:
            raise Invalid(f"The archive has {info.filename} twice.")
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Invalid(f"{info.filename} is packed in a way that no archive of ours has.")
        out[info.filename] = info
    size = file.seek(0, 2)
    upto = 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        if info.header_offset < upto:
            raise Invalid("Entries of the archive lie over each other.")
        upto = info.header_offset + 30 + len(info.orig_filename.encode()) + info.compress_size
    if upto > size:
        raise NotWhole("The archive is shorter than its entries.")
    if sum(info.file_size for info in infos) > EXPANDS_MOST * size + _SMALL:
        raise Invalid(f"What is in this archive is more than {EXPANDS_MOST} times as large as the file.")
    return out
