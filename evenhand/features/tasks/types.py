"""What tasks look like to callers, and what a task row seals."""

from datetime import datetime
from typing import Any, Literal

import msgspec

TaskState = Literal["fetching", "held", "open", "full", "review", "done", "canceled", "error"]


class TaskData(msgspec.Struct, omit_defaults=True):
    """What the annotator is shown. `image` holds the asset's id and size; its links are made when it is served."""

    medium: str
    image: dict[str, Any] | None = None
    text: str | None = None
    conversation: dict[str, Any] | None = None
    name: str = ""
    prelabels: list[dict[str, Any]] = []
    context: str = ""
    references: list[dict[str, Any]] = []


class TaskBody(msgspec.Struct, omit_defaults=True):
    """The sealed body of a task."""

    data: TaskData
    name: str = ""
    unique_id: str = ""
    tags: list[str] | None = None  # None: none were ever set
    metadata: dict[str, Any] = {}
    ontology: dict[str, Any] | None = None  # None: the project's
    instructions: str = ""  # added to the project's
    callback_url: str = ""
    params: dict[str, Any] = {}  # of a compatible door
    response: dict[str, Any] | None = None  # what a compatible door answers, where it is not made from the result
    clear_unique_on_error: bool = False
    callback_ok: bool | None = None
    expected: dict[str, Any] | None = None  # of evaluation and training tasks
    error: str = ""
    message: str = ""  # a reviewer's words, when the task came back
    door: dict[str, Any] = {}  # what a compatible door keeps of the request beside its params


class TaskInput(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """The data of a new task: one of image_url, asset, text, conversation."""

    image_url: str | None = None
    asset: str | None = None
    text: str | None = None
    conversation: dict[str, Any] | None = None
    prelabels: list[dict[str, Any]] = []
    context: str = ""


class NewTask(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """A new task, or a line of an import."""

    data: TaskInput
    name: str = ""
    batch: str | None = None
    unique_id: str = ""
    priority: int = 0
    tags: list[str] | None = None
    metadata: dict[str, Any] = {}
    ontology: dict[str, Any] | None = None
    callback_url: str = ""


class TaskRow(msgspec.Struct, frozen=True):
    """A task in a list."""

    id: str
    name: str
    project: str
    batch: str | None
    state: TaskState
    created_at: datetime
    completed_at: datetime | None
    thumb_url: str | None
    excerpt: str | None
    labels: int
    people: int
    flags: list[str]


class AnswerView(msgspec.Struct, frozen=True):
    id: str
    by: str
    annotations: list[dict[str, Any]]
    submitted_at: datetime
    seconds: float
    late: bool
    extra: bool
    state: str
    origin: str


class ReviewView(msgspec.Struct, frozen=True):
    id: str
    decision: str
    by: str
    at: datetime
    comment: str
    source: str


class Task(msgspec.Struct, frozen=True):
    """A task with everything that is known of it. `viewer`: the name that pages lay over text, where the space wants that."""

    id: str
    name: str
    project: str
    batch: str | None
    state: TaskState
    created_at: datetime
    completed_at: datetime | None
    thumb_url: str | None
    excerpt: str | None
    labels: int
    people: int
    flags: list[str]
    data: dict[str, Any]
    ontology: dict[str, Any]
    answers: list[AnswerView]
    result: dict[str, Any] | None
    reviews: list[ReviewView]
    metadata: dict[str, Any]
    tags: list[str]
    unique_id: str
    priority: int
    error: str = ""
    viewer: str = ""


class ImportFault(msgspec.Struct, frozen=True):
    line: int
    code: str
    detail: str


class ImportReport(msgspec.Struct):
    created: int = 0
    repeated: int = 0
    failed: int = 0
    errors: list[ImportFault] = []


class Empty(msgspec.Struct, frozen=True):
    """Why there is no work just now, and when to ask again."""

    reason: str
    text: str
    retry_after_s: int


# --- facts


class TaskCreated(msgspec.Struct, frozen=True):
    about: str
    project: str
    priority: int


class TasksImported(msgspec.Struct, frozen=True):
    """priorities: how many tasks came with each. objects: the commitment to the lines "task priority"."""

    about: str  # the project
    created: int
    failed: int
    priorities: dict[str, int]
    objects: str


class TaskReady(msgspec.Struct, frozen=True):
    about: str


class TaskFailed(msgspec.Struct, frozen=True):
    """An attachment could not be had: the task is in error."""

    about: str


class TaskCanceled(msgspec.Struct, frozen=True):
    about: str


class TaskRequeued(msgspec.Struct, frozen=True):
    about: str
    because: str


class TaskViewed(msgspec.Struct, frozen=True):
    about: str


class TaskSkipped(msgspec.Struct, frozen=True):
    about: str
    reason: str


class LeaseReleased(msgspec.Struct, frozen=True):
    about: str
