"""A key service in a folder, for those who have no other: one file a key, mode 0600, its versions sealed under a root key.

Keeping the folder and the root key apart is up to the operator. Who has both can open everything; that is what a service
of the customer's own is for. Destroying overwrites the file before it is removed; file systems that copy on write, and
backups, may keep an older copy, which is why the versions in it are sealed.
"""

import asyncio
import fcntl
import json
import os
import re
import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evenhand.infra.crypto.trouble import Altered
from evenhand.infra.crypto.xaes import KEY_BYTES, Xaes
from evenhand.infra.home import make_private_folder, write_private
from evenhand.infra.kms.port import Context, KeyGone, KeyInfo, KeyNotUsable, KeyRevoked, canonical
from evenhand.pure.trouble import Conflict

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_VERSION_BYTES = 4


class KeyExists(Conflict):
    hint = "Choose another name; a destroyed key's name is not used again."


class LocalKeys:
    """KeyService over files. `root`: 32 bytes from which nothing else is made. `clock`: seconds since 1970."""

    def __init__(self, folder: Path, root: bytes, *, clock: Callable[[], float] = time.time) -> None:
        make_private_folder(folder)
        self._folder = folder
        self._root = Xaes(root)
        self._clock = clock

    def __repr__(self) -> str:
        return f"LocalKeys({str(self._folder)!r}, root not shown)"

    async def create(self, key_id: str) -> KeyInfo:
        """A new key with one version. Raises KeyExists."""
        return await asyncio.to_thread(self._create, key_id)

    async def enable(self, key_id: str, *, enabled: bool) -> KeyInfo:
        """Lets a key be used, or not for the time being."""
        return await asyncio.to_thread(self._enable, key_id, enabled)

    async def wrap(self, key_id: str, plain: bytes, context: Context) -> bytes:
        version = self._read(key_id)["latest"]
        return version.to_bytes(_VERSION_BYTES, "big") + self._version(key_id, version).seal(plain, canonical(context))

    async def unwrap(self, key_id: str, wrapped: bytes, context: Context) -> bytes:
        version = int.from_bytes(wrapped[:_VERSION_BYTES], "big")
        return self._version(key_id, version).open(wrapped[_VERSION_BYTES:], canonical(context))

    async def rotate(self, key_id: str) -> KeyInfo:
        return await asyncio.to_thread(self._rotate, key_id)

    async def destroy(self, key_id: str) -> KeyInfo:
        return await asyncio.to_thread(self._destroy, key_id)

    async def describe(self, key_id: str) -> KeyInfo:
        if (gone := self._tombstone(key_id)).exists():
            return KeyInfo(key_id, "destroyed", gone_at=float(gone.read_text()))
        return _info(key_id, self._read(key_id))

    def _version(self, key_id: str, version: int) -> Xaes:
        held = self._read(key_id)
        if held["state"] != "enabled":
            raise KeyRevoked(key_id, "it is disabled")
        sealed = held["versions"].get(str(version))
        if sealed is None:
            raise Altered("This wrapped key")
        return Xaes(self._root.open(b64decode(sealed), _place(key_id, version)))

    def _create(self, key_id: str) -> KeyInfo:
        with self._alone():
            if self._file(key_id).exists() or self._tombstone(key_id).exists():
                raise KeyExists(f"There is or was a key '{key_id}'.")
            return self._write(key_id, self._with_version({"state": "enabled", "versions": {}}, key_id, 1))

    def _rotate(self, key_id: str) -> KeyInfo:
        with self._alone():
            held = self._read(key_id)
            if held["state"] != "enabled":
                raise KeyRevoked(key_id, "it is disabled")
            return self._write(key_id, self._with_version(held, key_id, held["latest"] + 1))

    def _enable(self, key_id: str, enabled: bool) -> KeyInfo:
        with self._alone():
            return self._write(key_id, {**self._read(key_id), "state": "enabled" if enabled else "disabled"})

    def _destroy(self, key_id: str) -> KeyInfo:
        with self._alone():
            file = self._file(key_id)
            if not self._tombstone(key_id).exists():
                self._read(key_id)
                write_private(self._tombstone(key_id), repr(self._clock()))
            if file.exists():  # also where an earlier attempt stopped between the two
                with file.open("r+b") as out:
                    _overwrite(out.fileno())
                file.unlink()
                _sync_folder(self._folder)
            return KeyInfo(key_id, "destroyed", gone_at=float(self._tombstone(key_id).read_text()))

    def _with_version(self, held: dict[str, Any], key_id: str, version: int) -> dict[str, Any]:
        sealed = b64encode(self._root.seal(secrets.token_bytes(KEY_BYTES), _place(key_id, version))).decode()
        return {**held, "latest": version, "versions": {**held["versions"], str(version): sealed}}

    def _write(self, key_id: str, held: dict[str, Any]) -> KeyInfo:
        """Whole or not at all; what stood there before is overwritten once it is no longer needed."""
        file = self._file(key_id)
        before = os.open(file, os.O_RDWR) if file.exists() else None
        try:
            write_private(file, json.dumps(held))
            _sync_folder(self._folder)
            if before is not None:
                _overwrite(before)
        finally:
            if before is not None:
                os.close(before)
        return _info(key_id, held)

    def _read(self, key_id: str) -> dict[str, Any]:
        if self._tombstone(key_id).exists():  # the file may still be there, overwritten
            raise KeyGone(key_id)
        try:
            return json.loads(self._file(key_id).read_text())
        except FileNotFoundError:
            raise KeyGone(key_id) from None

    def _file(self, key_id: str) -> Path:
        if not _NAME.fullmatch(key_id):
            raise KeyNotUsable(
                f"'{key_id[:80]}' is no name for a key.", hint="Use lower-case letters, digits and hyphens, at most 63."
            )
        return self._folder / f"{key_id}.key"

    def _tombstone(self, key_id: str) -> Path:
        return self._file(key_id).with_suffix(".destroyed")

    @contextmanager
    def _alone(self) -> Generator[None]:
        """One writer at a time, in whatever process or thread."""
        lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _place(key_id: str, version: int) -> bytes:
    return f"evenhand/local-key/1/{key_id}/{version}".encode()


def _info(key_id: str, held: dict[str, Any]) -> KeyInfo:
    return KeyInfo(key_id, held["state"], tuple(sorted(int(v) for v in held["versions"])))


def _overwrite(file: int) -> None:
    os.pwrite(file, os.urandom(os.fstat(file).st_size), 0)
    os.fsync(file)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
