"""The files of an import: pictures of a folder, and those of an export that came from elsewhere."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from typing import Any, cast

import httpx
import msgspec

from evenhand.app.cli.api import Api
from evenhand.app.cli.readers import FILE_MOST, Fault, Picture, Record
from evenhand.infra.home import plain_reason
from evenhand.infra.ids import is_id
from evenhand.pure.trouble import Invalid, Missing, Trouble

AT_ONCE = 4
#: records with their lines, as the server takes them
Ready = Callable[[list[Record]], list[tuple[Record, "bytes | Fault"]]]
_REFUSED = ("invalid", "conflict")  # what one record can be to blame for; anything else stops the import


class Uploads:
    """Makes lines of records that need a file. The server knows a picture that it has by its reference."""

    def __init__(self, api: Api, key: str) -> None:
        self._api, self._key = api, key
        self._here: bool | None = None  # whether this organisation has the pictures of the export, by their ids

    def lines(self, chunk: list[Record]) -> list[tuple[Record, bytes | Fault]]:
        exported = next((record.picture for record in chunk if record.picture is not None), None)
        if exported is None and all(record.file is None for record in chunk):
            return [(record, record.line) for record in chunk]
        if exported is not None and self._here is None:
            self._here = self._has(exported.asset)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self._line, chunk))

    def _has(self, asset: str) -> bool:
        try:
            self._api.get(f"/assets/{asset}")
        except Missing:
            return False
        return True

    def _line(self, record: Record) -> tuple[Record, bytes | Fault]:
        try:
            if record.file is not None:
                kept = self._keep(record, record.where, record.file.read_bytes())
                task: dict[str, Any] = {"data": {"asset": kept}, "name": clean(record.where)[:500]}
            elif record.picture is not None:
                task = msgspec.json.decode(record.line)
                asset = record.picture.asset if self._here else self._fetched(record, record.picture)
                task["data"]["asset"] = asset
            else:
                return record, record.line
        except OSError as err:  # not the file's fault: it must be read when the command is run again
            raise Invalid(f"{record.where} can't be read: {plain_reason(err)}.") from err
        except Trouble as err:
            if err.code not in _REFUSED:
                raise
            return record, Fault(record.where, err.code, err.message)
        return record, msgspec.json.encode(task)

    def _keep(self, record: Record, name: str, data: bytes) -> str:
        reference = f"{self._key}/{sha256(record.where.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}"
        return str(self._api.upload(clean(name), data, reference)["id"])

    def _fetched(self, record: Record, picture: Picture) -> str:
        return self._keep(record, picture.name or picture.asset, fetched(picture))


def fetched(picture: Picture) -> bytes:
    """A picture of another organisation, by the link that stands beside its id."""
    data = bytearray()
    try:
        with httpx.stream("GET", picture.url, timeout=60) as reply:
            if reply.status_code != 200:
                raise _gone(f"its link answers {reply.status_code}")
            for piece in reply.iter_bytes():
                data += piece
                if len(data) > FILE_MOST:
                    raise Invalid(f"The picture is larger than {FILE_MOST // 1_000_000} MB.")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as err:
        raise _gone(f"its link can't be followed ({type(err).__name__})") from err
    return bytes(data)


class Returning:
    """Makes lines of an export fit where they come in again: the files that they name are there, or are brought by `bring`."""

    def __init__(self, api: Api, key: str, bring: Callable[[Picture], bytes]) -> None:
        self._api, self._key, self._bring = api, key, bring
        self._here: dict[str, str | Fault] = {}  # asset there -> asset here

    def lines(self, chunk: list[Record]) -> list[tuple[Record, bytes | Fault]]:
        read = [(record, _decoded(record.line)) for record in chunk]
        wanted = {p.asset: p for _, task in read if task is not None for p in _pictures(task)}
        new = [picture for asset, picture in wanted.items() if asset not in self._here]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self._here.update(zip((picture.asset for picture in new), pool.map(self._asset, new), strict=True))
        return [(record, self._line(record, task)) for record, task in read]

    def _line(self, record: Record, task: dict[str, Any] | None) -> bytes | Fault:
        if task is None:  # which the server says in its words
            return record.line
        for holder in _holders(task):
            found = self._here[holder["asset"]]
            if isinstance(found, Fault):
                return Fault(record.where, found.code, found.detail)
            holder["asset"] = found
        return msgspec.json.encode(task)

    def _asset(self, picture: Picture) -> str | Fault:
        try:
            with suppress(Missing):
                return str(self._api.get(f"/assets/{picture.asset}")["id"])
            data = self._bring(picture)
            return str(self._api.upload(picture.name or picture.asset, data, f"{self._key}/{picture.asset}")["id"])
        except Trouble as err:
            if err.code not in _REFUSED:
                raise
            return Fault("", err.code, err.message)


def _decoded(line: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _holders(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of an exported task that name a file."""
    data: Any = task.get("data")
    if not isinstance(data, dict):
        return []
    found = cast("dict[str, Any]", data)
    many: Any = found.get("references")
    parts: list[Any] = [found.get("image"), *(many if isinstance(many, list) else [])]
    return [part for part in parts if isinstance(part, dict) and is_id(str(part.get("asset")))]


def _pictures(task: dict[str, Any]) -> list[Picture]:
    return [
        Picture(part["asset"], str(part.get("url") or ""), str(part.get("name") or "")[:500]) for part in _holders(task)
    ]


def _gone(why: str) -> Invalid:
    return Invalid(
        f"Its picture is not in this organisation, and {why}. Links live for an hour: export again, while the server runs."
    )


def clean(name: str) -> str:
    """A file name as text: names on disk may hold bytes that are none."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
