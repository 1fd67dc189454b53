"""Times as the interface writes and reads them."""

import re
from datetime import UTC, datetime

from evenhand.pure.scale.checks import bad

_shape = re.compile(
    r"(\d{4}-\d{2}-\d{2})"
    r"(?:[T ](\d{2}:\d{2}(?::\d{2})?)(\.\d{1,9})?)?"
    r"\s?(Z|z|UTC|[+ -]\d{2}:?\d{2}|[+ -]\d{2})?",
    re.ASCII,
).fullmatch


def format_time(at: datetime) -> str:
    """ISO 8601, UTC, milliseconds, Z. A time without a zone is read as UTC."""
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z" if at.year >= 1000 else _early(at)


def _early(at: datetime) -> str:
    return f"{at.year:04d}-{at:%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def parse_time(name: str, value: object) -> datetime:
    """With or without zone, with up to nine digits of a second, or a bare date; UTC where nothing else is said.
    A `+` that a query string turned into a space is read as a `+`."""
    found = _shape(value.strip()) if isinstance(value, str) and len(value) <= 50 else None
    if found is None:
        raise bad(name, "must be an ISO 8601 date or time")
    day, clock, fraction, zone = found.groups()
    zone = (zone or "Z").replace(" ", "+")
    zone = "+00:00" if zone.upper() in ("Z", "UTC") else zone
    micros = f"{fraction or '.0'}000000"[:7]
    try:
        clock = clock or "00:00"
        clock = clock if len(clock) == 8 else f"{clock}:00"
        return datetime.fromisoformat(f"{day}T{clock}{micros}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise bad(name, "is not a real date or time") from None
