"""What holds, retention rules and deletions look like to callers, and the facts that they leave."""

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

Reason = Literal["project", "organisation", "retention"]


class Hold(msgspec.Struct, frozen=True):
    """A legal hold. `project`: "" for the whole organisation."""

    project: str
    reason: str
    since: datetime


class Retention(msgspec.Struct, frozen=True):
    """How long a project's tasks, answers and files are kept: days after a task has come to its end, and days after the
    project was archived. None: for as long as the project is there."""

    done_days: int | None = None
    ended_days: int | None = None


class Erasure(msgspec.Struct, frozen=True):
    """A deletion, under way or done. `certificate`: the signed note, once it is done."""

    id: str
    project: str
    reason: Reason
    state: Literal["running", "held", "done"]
    tasks: int
    answers: int
    files: int
    bytes: int
    asked_at: datetime
    ended_at: datetime | None
    certificate: str


class DataView(msgspec.Struct, frozen=True):
    """What holds, rules and deletions a project, or the organisation (project ""), has."""

    project: str
    holds: list[Hold]
    retention: Retention
    deletions: list[Erasure]


class Kept(msgspec.Struct, frozen=True):
    """An archive that lies ready. size: bytes of the whole; rest: of what is no file's content; files: how many lie in between;
    object: where the rest is kept, under `key`."""

    id: str
    size: int
    sha256: str
    rest: int
    files: int
    made_at: datetime
    object: str
    key: bytes


class ArchiveReady(msgspec.Struct, frozen=True):
    """An archive that can be taken: sha256 is of all its bytes."""

    id: str
    size: int
    sha256: str
    made_at: datetime
    until: datetime


# --- facts


class HoldSet(msgspec.Struct, frozen=True):
    about: str
    scope: Literal["project", "organisation"]


class HoldReleased(msgspec.Struct, frozen=True):
    about: str
    scope: Literal["project", "organisation"]


class RetentionSet(msgspec.Struct, frozen=True):
    about: str
    done_days: int | None
    ended_days: int | None


class ArchiveMade(msgspec.Struct, frozen=True):
    """Everything that the organisation has was put together for it to take."""

    about: str
    archive: str


class ArchiveTaken(msgspec.Struct, frozen=True):
    """Everything that the organisation has left the house, from byte `start` up to but not with `end`: who asked is the fact's
    actor. sha256: of the whole."""

    about: str
    archive: str
    sha256: str
    start: int
    end: int


class DeletionAsked(msgspec.Struct, frozen=True):
    about: str  # the deletion
    what: Reason
    project: str


class DataDeleted(msgspec.Struct, frozen=True):
    """It has gone. `certificate`: base64 of the SHA-256 of the certificate's text; `root` commits to the ids."""

    kind: ClassVar[str] = "data.deleted"
    about: str
    what: Reason
    project: str
    certificate: str
    root: str
    leaves: int
