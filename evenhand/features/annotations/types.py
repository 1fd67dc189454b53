"""What answers look like to callers."""

from typing import Any

import msgspec


class Feedback(msgspec.Struct, frozen=True):
    """After a task of the training course: how near the answer came (0 to 1), the expected answer to set beside it, and how
    far the course is. `course`: open, passed, again (not passed: it begins anew) or failed."""

    score: float
    expected: dict[str, Any]
    done: int
    of: int
    course: str


class Submitted(msgspec.Struct, frozen=True):
    """What an annotator is told about a submission."""

    state: str
    late: bool
    extra: bool
    note: str | None
    paid_s: float
    feedback: Feedback | None = None


class AnswerBody(msgspec.Struct, omit_defaults=True):
    """`by`: whose it was, in words, where it came in with an export and nobody here gave it."""

    annotations: list[dict[str, Any]] = []
    by: str = ""


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


class GoldScored(msgspec.Struct, frozen=True):
    """An answer to a task with a known answer was compared with it."""

    about: str
    assignment: str


class CourseEnded(msgspec.Struct, frozen=True):
    """Somebody came to the end of a project's training course: passed, again or failed."""

    about: str
    person: str
    cycle: int
    state: str
