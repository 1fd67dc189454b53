"""Single byte ranges (RFC 9110, 14), for what can be taken from any byte on."""

from starlette.requests import Request


def _range(header: str, size: int) -> tuple[int, int] | None:
    """(start, end) of a single byte range (RFC 9110, 14.2), or None for the whole."""
    unit, _, spec = header.partition("=")
    first, dash, last = spec.partition("-")
    if unit != "bytes" or not dash or "," in spec:
        return None
    try:
        if first == "":
            start, end = max(0, size - int(last)), size
        else:
            start, end = int(first), min(size, int(last) + 1 if last else size)
    except ValueError:
        return None
    return (start, end) if 0 <= start < end else (size, size)


def wanted_range(request: Request, size: int, tag: str) -> tuple[int, int] | None:
    """The range that is asked for. With If-Range only of the very file that somebody has the beginning of."""
    if request.headers.get("if-range", tag) != tag:
        return None
    return _range(request.headers.get("range", ""), size)
