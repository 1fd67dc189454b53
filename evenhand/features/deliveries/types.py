"""Callbacks and deliveries, as callers see them."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec


class CallbackTry(msgspec.Struct, frozen=True):
    at: datetime
    status: int | None
    error: str


class Callback(msgspec.Struct, frozen=True):
    id: str
    task: str | None
    batch: str | None
    url: str
    state: str
    tries: list[CallbackTry]
    next_at: datetime | None


class CallbackBody(msgspec.Struct, omit_defaults=True):
    url: str
    payload: dict[str, Any] = {}


class CallbackSecrets(msgspec.Struct, frozen=True):
    """`auth_key` is sent as it is in `scale-callback-auth`; `signing_secret` signs `evenhand-signature`."""

    auth_key: str
    signing_secret: str


class Delivery(msgspec.Struct, frozen=True):
    id: str
    project: str
    name: str
    format: str
    task_count: int
    at: datetime
    url: str


class DeliveryBody(msgspec.Struct):
    name: str
    format: str = "jsonl"


class Exported(msgspec.Struct, frozen=True):
    """Results left the house: who asked is the fact's actor."""

    about: str
    format: str


class Delivered(msgspec.Struct, frozen=True):
    about: str
    project: str
    tasks: int


class CallbackSent(msgspec.Struct, frozen=True):
    """A try begins: what the callback says is about to leave. `task`: of which it tells; `n`: which try it is."""

    about: str
    task: str
    n: int


class CallbackEnded(msgspec.Struct, frozen=True):
    about: str
    ok: bool
    tries: int


Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class ExportedAnswer(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    by: str
    origin: Literal["label", "review", "customer", "merged", "machine", "gold"]
    state: Literal["current", "extra", "superseded", "rejected"]
    submitted_at: Moment
    annotations: list[dict[str, Any]]
    late: bool = False
    seconds: float = 0.0


class ExportedReview(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    by: str
    decision: Literal["accept", "fix", "reject"]
    source: Literal["reviewer", "customer"]
    at: Moment
    seconds: float = 0.0
    comment: str = ""
    errors: list[dict[str, Any]] = []


class ExportedFile(msgspec.Struct, forbid_unknown_fields=True):
    """A picture, by its asset here; the rest is said again by the file itself."""

    asset: str
    name: str = ""
    width: int = 0
    height: int = 0
    type: str = ""
    url: str = ""


class ExportedData(msgspec.Struct, forbid_unknown_fields=True):
    medium: str
    image: ExportedFile | None = None
    text: str | None = None
    conversation: dict[str, Any] | None = None
    name: str = ""
    prelabels: list[dict[str, Any]] = []
    context: str = ""
    references: list[ExportedFile] = []


class ExportedTask(msgspec.Struct, forbid_unknown_fields=True):
    """A line of an export, as `ExportTask` has it."""

    data: ExportedData
    state: Literal["open", "done", "canceled", "error"]
    id: str = ""
    name: str | None = None
    project: str | None = None
    batch: str | None = None
    created_at: str | None = None
    completed_at: str | None = None
    metadata: dict[str, Any] = {}
    tags: list[str] = []
    unique_id: str | None = None
    priority: int = 0
    error: str | None = None
    result: list[dict[str, Any]] | None = None
    answers: list[ExportedAnswer] = []
    reviews: list[ExportedReview] = []
    ontology: dict[str, Any] = {}
