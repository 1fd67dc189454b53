"""`evenhand archive take`: everything, into a file that has its name only when it is whole and its hash is right.

What has come lies beside it, with a note of which archive it is of: run again after whatever happened, it goes on from there.
"""

import argparse
import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import msgspec

from evenhand.app.cli.api import Api, open_api
from evenhand.app.cli.progress import Progress
from evenhand.infra.home import plain_reason
from evenhand.pure.trouble import Busy, Conflict, Invalid, Missing, Upstream

_TRIES = 6  # in a row without a byte more
_WAIT_MOST_S = 8.0


class _Note(msgspec.Struct, frozen=True):
    """Which archive the bytes so far are of."""

    sha256: str
    size: int


def take(given: argparse.Namespace) -> int:
    target = Path(given.file)
    if target.exists() and not given.force:
        raise Conflict(f"{target} exists already.", hint="Name another file, or add --force.")
    part, note = (target.with_name(f".{target.name}.{end}") for end in ("part", "part.note"))
    try:
        with _mine(part) as file, open_api(given) as api:
            _fetch(api, file, note)
            file.flush()
            os.fsync(file.fileno())
            part.replace(target)
            note.unlink()
    except OSError as err:
        raise Invalid(f"{target} can't be written: {plain_reason(err)}.", hint="Run it again: it goes on.") from err
    except KeyboardInterrupt:
        sys.stderr.write(f"\nWhat has come is kept in {part}. Run the same command again to go on.\n")
        raise
    sys.stderr.write(f"Wrote {target}.\n")
    return 0


@contextmanager
def _mine(part: Path) -> Generator[IO[bytes]]:
    """The file of what has come, which only its owner reads, and only one command writes."""
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError as err:
            raise Conflict(f"Another command is writing {part}.", hint="Wait for it, or name another file.") from err
        yield file


def _fetch(api: Api, file: IO[bytes], note: Path) -> None:
    known = _read_note(note)
    if known is None:
        known = _made(api, file, note)
    elif had := os.fstat(file.fileno()).st_size:
        sys.stderr.write(f"Going on after {had / 1e6:,.1f} MB.\n")
    tries = 0
    with Progress("Taking everything", total=known.size, unit="bytes") as progress:
        progress.add(min(known.size, file.seek(0, os.SEEK_END)))
        while (at := file.seek(0, os.SEEK_END)) < known.size:
            try:
                known = _more(api, file, at, known, note)
            except Missing:  # it had its days, or something was deleted since
                progress.line("That archive is no longer to be had, so a new one is made.")
                known = _made(api, file, note)
            except (Upstream, Busy) as err:
                tries = tries + 1 if file.seek(0, os.SEEK_END) == at else 1
                if tries == _TRIES:
                    hint = "What has come is kept. Run the same command again to go on."
                    raise Upstream(err.message, hint=hint) from err
                time.sleep(min(0.5 * 2**tries, _WAIT_MOST_S))
            progress.add(max(0, file.seek(0, os.SEEK_END) - at))
    if _hash(file) != known.sha256:
        note.unlink()
        raise Upstream("What came is not what the server had.", hint="Run the same command again; it begins anew.")


def _made(api: Api, file: IO[bytes], note: Path) -> _Note:
    """Has one put together; what came of another one goes."""
    with (
        Progress("Putting everything together", unit="bytes") as progress,
        api.stream("/archive", method="POST") as reply,
    ):
        size = 0
        for line in reply.iter_lines():
            said = msgspec.json.decode(line)
            progress.add(said["bytes"] - size)
            size = said["bytes"]
            if "problem" in said:
                raise Upstream(said["problem"]["detail"], hint=said["problem"].get("hint"))
            if "archive" in said:
                return _begin(file, note, _Note(said["archive"]["sha256"], said["archive"]["size"]))
    raise Upstream("The server stopped while it put the archive together.", hint="Run the same command again.")


def _begin(file: IO[bytes], note: Path, known: _Note) -> _Note:
    note.unlink(missing_ok=True)
    file.truncate(0)
    fresh = note.with_name(f"{note.name}.new")
    fresh.write_bytes(msgspec.json.encode(known))
    fresh.replace(note)
    return known


def _read_note(note: Path) -> _Note | None:
    try:
        return msgspec.json.decode(note.read_bytes(), type=_Note)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def _more(api: Api, file: IO[bytes], at: int, known: _Note, note: Path) -> _Note:
    """The bytes from `at` on, as far as they come. Another archive has taken the place of a known one: from its beginning."""
    headers = {"range": f"bytes={at}-", "if-range": f'"{known.sha256}"'}
    with api.stream("/archive", headers=headers) as reply:
        if reply.status_code != 206:
            tag: Any = reply.headers.get("etag", "").strip('"')
            known = _begin(file, note, _Note(tag, int(reply.headers["content-length"])))
            file.seek(0)
        for piece in reply.iter_bytes():
            file.write(piece)
        file.flush()
    return known


def _hash(file: IO[bytes]) -> str:
    file.flush()
    file.seek(0)
    digest = sha256()
    with Progress("Checking", total=os.fstat(file.fileno()).st_size, unit="bytes") as progress:
        while piece := file.read(1 << 20):
            digest.update(piece)
            progress.add(len(piece))
    return digest.hexdigest()
