"""The six kinds of trouble. A feature names its own by deriving from one of them.

The HTTP status, the exit code and whether to retry are decided elsewhere, in one table each; here is only what
happened, in words for the person who reads it, and what to do next.
"""

from collections.abc import Iterable
from typing import ClassVar, Literal, NamedTuple, Self, TypedDict


class Fault(TypedDict):
    """One thing that is wrong in what was sent: where (`annotations[3].w`) and what."""

    path: str
    detail: str


class Concern(NamedTuple):
    """For whom a refusal is news; the asker is never told. org_id: the space, or "" for every space whose own the person is.
    `kind` and `who`: who was refused, a person whom nobody has shown to be it where there is no space. reason: its class."""

    org_id: str
    kind: Literal["person", "key", "system"]
    who: str
    reason: str


class Trouble(Exception):
    """Something that we foresaw. `hint` says what to do next; `errors` names the parts at fault."""

    code: ClassVar[str] = "trouble"
    hint: str | None = None
    concern: Concern | None = None

    def __init__(self, message: str, *, hint: str | None = None, errors: Iterable[Fault] | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint
        self.errors: list[Fault] = list(errors) if errors is not None else []

    def concerning(self, concern: Concern) -> Self:
        self.concern = concern
        return self

    def __str__(self) -> str:
        return self.message


class Invalid(Trouble):
    """What was sent cannot be taken; sending it again changes nothing."""

    code = "invalid"


class Denied(Trouble):
    """The caller is known and may not do this."""

    code = "denied"


class Missing(Trouble):
    """There is no such thing here (or it is behind somebody else's wall, which looks the same)."""

    code = "missing"


class Conflict(Trouble):
    """The world has moved on: a name is taken, a version is stale, a state does not allow it."""

    code = "conflict"


class Busy(Trouble):
    """Too much at once; the same request may go through in `retry_after_s` seconds."""

    code = "busy"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        errors: Iterable[Fault] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint, errors=errors)
        self.retry_after_s = retry_after_s


class Upstream(Trouble):
    """Somebody else's machine failed us: an attachment, a callback, a model."""

    code = "upstream"


KINDS: tuple[type[Trouble], ...] = (Invalid, Denied, Missing, Conflict, Busy, Upstream)
