"""Where an Evenhand keeps its things: the home folder, its port, and the lock that makes it one at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from evenhand.pure.trouble import Conflict

DEFAULT_PORT = 8080


class HomeTrouble(Conflict):
    """Something about the home folder or the port that a person must put right, in one plain sentence."""


class AlreadyRunning(HomeTrouble):
    """Another process holds this home."""

    hint = "Stop that one first, or set EVENHAND_HOME to another folder."


@dataclass(frozen=True)
class Home:
    """The folder of one installation (EVENHAND_HOME, ~/.evenhand unless told): private to its user, mode 0700."""

    path: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Home:
        given = (os.environ if environment is None else environment).get("EVENHAND_HOME", "").strip()
        if not given:
            return cls(_user_folder() / ".evenhand")
        path = Path(given)
        if given.startswith("~"):
            path = _user_folder() / given[1:].lstrip("/") if given[:2] in ("~", "~/") else path.expanduser()
        return cls(Path(os.path.abspath(path)))  # noqa: PTH100  (resolve() would follow symbolic links)

    @property
    def pg(self) -> Path:
        return self.path / "pg"

    @property
    def objects(self) -> Path:
        return self.path / "objects"

    @property
    def log(self) -> Path:
        """The public files of the transparency log, which are made from the database."""
        return self.path / "log"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def demo_file(self) -> Path:
        return self.path / "demo.json"

    @property
    def database_keys(self) -> Path:
        """Passwords of the database roles."""
        return self.keys / "database.json"

    @property
    def superuser_key(self) -> Path:
        """Password of the embedded server's superuser."""
        return self.keys / "postgres"

    @property
    def restoring_mark(self) -> Path:
        """There while `evenhand restore` is at work; left behind when it was killed."""
        return self.path / "restoring"

    def make(self) -> Self:
        """Creates what is missing, and refuses a home that others can read or that belongs to somebody else."""
        for folder in (self.path, self.objects, self.keys, self.run, self.logs):
            make_private_folder(folder)
        return self

    def lock(self) -> ProcessLock:
        """Taken by `evenhand up`. Raises AlreadyRunning while another process holds it; a killed one holds nothing."""
        lock = ProcessLock(self.run / "up.lock")
        holder = lock.take()
        if holder is not None:
            raise AlreadyRunning(f"Evenhand is already running with the home {self.path} (process {holder}).")
        return lock


def port_from_environment(environment: Mapping[str, str] | None = None) -> int:
    """EVENHAND_PORT, 8080 unless told."""
    given = (os.environ if environment is None else environment).get("EVENHAND_PORT", "").strip()
    if not given:
        return DEFAULT_PORT
    if not (given.isascii() and given.isdigit()) or not 1 <= int(given[:8]) <= 65535:
        raise HomeTrouble(
            f"EVENHAND_PORT is {given[:40]!r}, and a port is a whole number from 1 to 65535.",
            hint=f"Leave it unset for {DEFAULT_PORT}.",
        )
    return int(given)


def make_private_folder(path: Path) -> None:
    """Creates `path` with mode 0700 (its parents as usual) or tightens one of our own; a stranger's is refused."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.stat()
        if found.st_uid != os.geteuid():
            raise HomeTrouble(
                f"{path} belongs to {user_name(found.st_uid)}, and this process runs as {user_name(os.geteuid())}.",
                hint="Run as that user, or set EVENHAND_HOME to a folder of your own.",
            )
        if stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise HomeTrouble(f"The folder {path} cannot be made: {plain_reason(error)}.") from error


def write_private(path: Path, content: str | bytes) -> None:
    """Writes a 0600 file whole or not at all: a crash leaves the old one."""
    data = content.encode() if isinstance(content, str) else content
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise HomeTrouble(f"{path} cannot be written: {plain_reason(error)}.") from error


def plain_reason(error: OSError) -> str:
    """The system's reason in words a person would use."""
    words = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.EROFS: "the file system is read-only",
        errno.ENOTDIR: "a file is in its place",
        errno.EEXIST: "a file is in its place",
        errno.ENAMETOOLONG: "its path is too long",
    }
    return words.get(error.errno or 0, (error.strerror or str(error)).lower())


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _user_folder() -> Path:
    """~, also where HOME is unset."""
    given = os.environ.get("HOME", "")
    if given.startswith("/"):
        return Path(given)
    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError as error:
        raise HomeTrouble("This user has no home folder; set EVENHAND_HOME to a folder of your own.") from error


class ProcessLock:
    """An advisory lock that belongs to a process and ends with it, kill -9 included.

    POSIX record locks on purpose: flock would pass to forked children and outlive the process that took it. Their
    snare is that closing any descriptor of the file lets go of the lock, so the file is opened once a process, here.
    """

    _held: dict[str, int] = {}  # noqa: RUF012  (shared by the whole process on purpose)

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._owner = 0

    def take(self) -> int | None:
        """None when it is ours now, else the id of the process that has it."""
        if self._file is not None and self._owner == os.getpid():
            return None
        name = os.path.realpath(self._path)
        if self._held.get(name) == os.getpid():
            return os.getpid()
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise HomeTrouble(f"{self._path} cannot be opened: {plain_reason(error)}.") from error
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(file, 32, 0).decode(errors="replace").strip()
            os.close(file)
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise HomeTrouble(f"{self._path} cannot be locked: {plain_reason(error)}.") from error
            return int(holder) if holder.isdigit() else 0
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file, self._owner = file, os.getpid()
        self._held[name] = os.getpid()
        return None

    def give_back(self) -> None:
        """A forked child that inherited this object lets go of nothing."""
        if self._file is None or self._owner != os.getpid():
            return
        self._held.pop(os.path.realpath(self._path), None)
        os.close(self._file)
        self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()
