"""Messages of syslog: RFC 5424, and how they are told apart on a stream: by their length (RFC 6587, section 3.4.1; RFC 5425)."""

import json
import re
from datetime import UTC, datetime
from typing import Any

FACILITY, SEVERITY = 13, 5  #: log audit, notice
PRIORITY = FACILITY * 8 + SEVERITY
_NOT_PRINTED = re.compile(r"[^\x21-\x7e]")


def _word(text: str, most: int) -> str:
    """A field of the header: printable ASCII without spaces, or - for nothing."""
    return _NOT_PRINTED.sub("_", text)[:most] or "-"


def message(host: str, kind: str, at: datetime, value: dict[str, Any]) -> bytes:
    """One message. value: what it says, as JSON in ASCII, so that every receiver can read it."""
    time = at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    said = json.dumps(value, separators=(",", ":"))
    return f"<{PRIORITY}>1 {time} {_word(host, 255)} evenhand - {_word(kind, 32)} - {said}".encode("ascii")


def framed(one: bytes) -> bytes:
    """For a stream: the length in bytes, a space, the message."""
    return b"%d %s" % (len(one), one)
