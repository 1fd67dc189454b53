"""What answers look like to callers."""

from typing import Any

import msgspec


class Submitted(msgspec.Struct, frozen=True):
    """What an annotator is told about a submission."""

    state: str
    late: bool
    extra: bool
    note: str | None
    paid_s: float


class AnswerBody(msgspec.Struct, omit_defaults=True):
    annotations: list[dict[str, Any]] = []


class TaskDone(msgspec.Struct, frozen=True):
    about: str
    answers: int


class TaskToReview(msgspec.Struct, frozen=True):
    about: str


class WorkRecalled(msgspec.Struct, frozen=True):
    about: str


class AnswersSuperseded(msgspec.Struct, frozen=True):
    about: str
    count: int
