"""What a witness keeps: its key, the logs it watches, and the newest checkpoint of each that it has cosigned. A small folder."""

import base64
import fcntl
import hashlib
import os
from pathlib import Path
from typing import IO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evenhand.infra.keys import secret_in
from evenhand.pure.log.checkpoints import Checkpoint
from evenhand.pure.log.notes import LOG_KEY, WITNESS_KEY, VerifierKey
from evenhand.pure.log.signing import Signer
from evenhand.pure.log.wrong import Unreadable
from evenhand.pure.trouble import Conflict, Invalid

KEY, NAME, LOGS, LATEST = "witness.key", "name", "logs", "latest"


class WitnessBusy(Conflict):
    hint = "End it first, or give this one a folder of its own."


class WitnessFiles:
    """One folder, held by one process. What is put there is on the disk when the call returns."""

    def __init__(self, folder: Path, name: str | None = None) -> None:
        """name: what a new witness is called. Raises WitnessBusy, and Invalid for a name that it does not have."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        (folder / LATEST).mkdir(mode=0o700, exist_ok=True)
        self._lock: IO[str] = (folder / "lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as err:
            self._lock.close()
            raise WitnessBusy(f"A witness works in {folder} already.") from err
        private = Ed25519PrivateKey.from_private_bytes(secret_in(folder / KEY))
        try:
            self.signer = self._signer(private, name)
        except Invalid:
            self.close()
            raise

    def _signer(self, private: Ed25519PrivateKey, name: str | None) -> Signer:
        path = self._folder / NAME
        held = path.read_text(encoding="utf-8").strip() if path.exists() else ""
        if held and name and held != name:
            raise Invalid(f"The witness in {self._folder} is called {held!r}, and its key with it.")
        public = hashlib.sha256(private.public_key().public_bytes_raw()).hexdigest()[:16]
        called = held or name or f"witness/{public}"
        try:
            signer = Signer.of(called, WITNESS_KEY, private)
        except ValueError as err:
            raise Invalid("The name of a witness has no spaces and no plus.") from err
        if not held:
            self._put(path, called.encode() + b"\n")
        return signer

    def close(self) -> None:
        self._lock.close()

    def logs(self) -> dict[str, tuple[VerifierKey, str]]:
        """origin -> its key, and where the log is ("" where it comes to us)."""
        path = self._folder / LOGS
        out: dict[str, tuple[VerifierKey, str]] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            words = line.split(" ")
            key = VerifierKey.parse(words[0])
            out[key.name] = (key, words[1] if len(words) > 1 else "")
        return out

    def add_log(self, key: VerifierKey, address: str) -> None:
        """Watches a log. Raises Conflict where it is watched under another key."""
        if key.kind != LOG_KEY:
            raise Invalid(f"The key of {key.name!r} is not that of a log.")
        logs = self.logs()
        if key.name in logs and logs[key.name][0] != key:
            raise Conflict(
                f"The log {key.name!r} has another key than before.",
                hint=f"That must not happen. If its operator told you why, remove its line from {self._folder / LOGS}.",
            )
        logs[key.name] = (key, address or logs.get(key.name, (key, ""))[1])
        lines = [f"{one} {where}".rstrip() for one, where in logs.values()]
        self._put(self._folder / LOGS, "\n".join(lines).encode() + b"\n")

    def latest(self, origin: str) -> tuple[int, bytes] | None:
        """(size, root) of what was cosigned last. Raises Invalid where the file can't be read: a witness must not forget."""
        path = self._place(origin)
        if not path.exists():
            return None
        try:
            point = Checkpoint.parse(path.read_bytes())
        except Unreadable as err:
            raise Invalid(f"{path} can't be read, so nothing of {origin!r} is cosigned: {err}.") from err
        return point.size, point.root

    def keep(self, checkpoint: Checkpoint, note: bytes) -> None:
        """Before a cosignature leaves: this is the newest now, on the disk."""
        self._put(self._place(checkpoint.origin), note)

    def _place(self, origin: str) -> Path:
        name = base64.urlsafe_b64encode(hashlib.sha256(origin.encode()).digest()[:15]).decode()
        return self._folder / LATEST / name

    @staticmethod
    def _put(path: Path, data: bytes) -> None:
        """Whole or not at all, and on the disk: the file, and its name in the folder."""
        fresh = path.with_name(f".{path.name}.new")
        with fresh.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
