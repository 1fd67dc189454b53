"""What quality looks like to callers. Scores are agreements with the known answer, 0 to 1."""

from datetime import datetime
from typing import Literal

import msgspec


class GoldTask(msgspec.Struct, frozen=True):
    """A task with a known answer. `role`: who is given it. `closed`: it is given to nobody any more."""

    id: str
    name: str
    purpose: Literal["evaluation", "training"]
    role: Literal["label", "review"]
    state: Literal["fetching", "open", "closed"]
    created_at: datetime
    answers: int
    mean: float | None


class Course(msgspec.Struct, frozen=True):
    """How far somebody is in the training course. `score`: of the cycle that ended last."""

    state: Literal["open", "passed", "failed"]
    cycle: int
    score: float | None


class Score(msgspec.Struct, frozen=True):
    task: str
    purpose: Literal["evaluation", "training"]
    score: float
    cycle: int
    at: datetime


class Labeler(msgspec.Struct, frozen=True):
    """Somebody's scores. `evaluations` and `mean` are of the gold tasks in live work, not of the course; `low` and `high` are
    the 95 % interval of that mean."""

    person: str
    name: str
    evaluations: int
    mean: float | None
    low: float | None
    high: float | None
    course: Course | None
    scores: list[Score] = []


class ProjectQuality(msgspec.Struct, frozen=True):
    """`gold_share`: of the leases, how many are gold tasks. `pass_mark`: the mean score that passes the course."""

    gold_share: float
    pass_mark: float
    tasks: list[GoldTask]
    labelers: list[Labeler]


class QualityPatch(msgspec.Struct, forbid_unknown_fields=True):
    gold_share: float | None = None
    pass_mark: float | None = None


class KnownTask(msgspec.Struct, forbid_unknown_fields=True):
    """A finished task to make a known one of: its data again, with its result as the expected answer."""

    task: str
    purpose: Literal["evaluation", "training"]


# --- facts


class QualityChanged(msgspec.Struct, frozen=True):
    """The share of gold tasks or the pass mark of a project was set."""

    about: str
    gold_share: float
    pass_mark: float


class CourseReopened(msgspec.Struct, frozen=True):
    """Somebody may try the training course once more."""

    about: str
    person: str
    because: str
