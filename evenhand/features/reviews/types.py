"""Reviews, questions and notices, as callers see them."""

from datetime import datetime
from typing import Any

import msgspec


class Verdict(msgspec.Struct, frozen=True):
    decision: str
    comment: str = ""
    answer_id: str | None = None
    errors: list[dict[str, Any]] = []  # what is wrong where, marked without a repair


class Question(msgspec.Struct, frozen=True):
    id: str
    project: str
    task: str | None
    question: str
    answer: str | None
    asked_at: datetime
    answered_at: datetime | None


class QuestionBody(msgspec.Struct, omit_defaults=True):
    question: str
    answer: str = ""


class Notice(msgspec.Struct, frozen=True):
    id: str
    at: datetime
    kind: str
    text: str
    project: str | None
    task: str | None


class Change(msgspec.Struct, frozen=True):
    version: int
    at: datetime
    summary: str


class Answered(msgspec.Struct, frozen=True):
    question: str
    answer: str
    at: datetime


class Instructions(msgspec.Struct, frozen=True):
    """`viewer`: the name that pages lay over text, where the space wants that."""

    version: int
    markdown: str
    changed_at: datetime
    changes: list[Change]
    questions: list[Answered]
    viewer: str = ""


class Point(msgspec.Struct, frozen=True):
    t: datetime
    done: int


class Quality(msgspec.Struct, frozen=True):
    """Share accepted by reviewers and customers, with Wilson's 95 % interval."""

    accepted: int
    reviewed: int
    low: float
    high: float


class Seconds(msgspec.Struct, frozen=True):
    """Of people who label: median and 90th percentile of the latest thousand answers, and the sum of all."""

    median: float
    p90: float
    total: float


class Looked(msgspec.Struct, frozen=True):
    who: str
    at: datetime
    what: str


class Progress(msgspec.Struct, frozen=True):
    counts: Any
    series: list[Point]
    per_hour: float
    done_at: datetime | None
    quality: Quality
    seconds: Seconds
    looked: list[Looked]


class PilotPair(msgspec.Struct, frozen=True):
    task: str
    agreement: float | None


class Pilot(msgspec.Struct, frozen=True):
    stage: str
    size: int
    yours: int
    theirs: int
    pairs: list[PilotPair]
    agreement: float | None


# --- facts


class ReviewClosed(msgspec.Struct, frozen=True):
    about: str
    decision: str
    source: str


class QuestionAsked(msgspec.Struct, frozen=True):
    about: str
    question: str


class QuestionAnswered(msgspec.Struct, frozen=True):
    about: str
