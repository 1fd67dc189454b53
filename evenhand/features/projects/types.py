"""What projects, batches and seats look like to callers."""

from datetime import datetime
from typing import Any, Literal

import msgspec

Medium = Literal["image", "text", "conversation", "none"]
Review = Literal["none", "all", "sample"]
BatchState = Literal["staging", "in_progress", "paused", "completed", "cancelled"]


class Counts(msgspec.Struct, frozen=True):
    """Tasks by what is waiting on them. `total` is the sum."""

    fetching: int = 0
    held: int = 0
    open: int = 0
    full: int = 0
    review: int = 0
    done: int = 0
    canceled: int = 0
    error: int = 0
    total: int = 0


class Project(msgspec.Struct, frozen=True):
    id: str
    name: str
    kind: str
    medium: Medium
    stage: Literal["pilot", "live"]
    state: Literal["active", "paused", "archived"]
    overlap: int
    review: Review
    review_rate: float
    lease_s: int
    ontology: dict[str, Any]
    instructions: str
    version: int
    created_at: datetime
    counts: Counts = Counts()
    reference: str = ""


class Version(msgspec.Struct, frozen=True):
    version: int
    at: datetime
    summary: str
    instructions: str
    ontology: dict[str, Any]


class VersionBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a version seals. `params` are those of a compatible door's project."""

    ontology: dict[str, Any] = {}
    instructions: str = ""
    summary: str = ""
    params: dict[str, Any] = {}


class ProjectBody(msgspec.Struct, omit_defaults=True):
    """`reference`: what it is called where it comes from."""

    name: str
    callback_url: str = ""
    rapid: bool = False
    studio: bool = False
    dataset_id: str | None = None
    rate: str = ""
    reference: str = ""


class BatchBody(msgspec.Struct, omit_defaults=True):
    name: str
    callback_url: str = ""
    metadata: dict[str, Any] = {}
    calibration: bool = False
    self_label: bool = False
    groups: list[str] = []


class Batch(msgspec.Struct, frozen=True):
    id: str
    project: str
    name: str
    state: BatchState
    priority: int
    created_at: datetime
    completed_at: datetime | None
    metadata: dict[str, Any]
    callback_url: str = ""
    counts: Counts = Counts()


class Seat(msgspec.Struct, frozen=True):
    person: str
    name: str
    role: Literal["label", "review"]


# --- facts


class ProjectCreated(msgspec.Struct, frozen=True):
    """rate: the commitment to the words that say what is paid, or ""."""

    about: str
    kind: str
    rate: str = ""


class ProjectChanged(msgspec.Struct, frozen=True):
    about: str
    version: int
    changed: list[str]
    rate: str = ""


class PilotEnded(msgspec.Struct, frozen=True):
    about: str
    opened: int


class BatchCreated(msgspec.Struct, frozen=True):
    about: str
    project: str
    priority: int


class BatchMoved(msgspec.Struct, frozen=True):
    """A batch went to another state."""

    about: str
    state: str


class BatchPrioritized(msgspec.Struct, frozen=True):
    about: str
    priority: int


class SeatsChanged(msgspec.Struct, frozen=True):
    """Who may take the project's tasks. `joined`, `left`: people, each as often as a role."""

    about: str
    added: int
    removed: int
    joined: list[str] = []
    left: list[str] = []
