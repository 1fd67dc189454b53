"""Checks of single parameters. Each takes the parameter's name and its value, and raises `Invalid` naming both."""

import math
import re
from collections.abc import Callable
from typing import Any, cast

import msgspec

from evenhand.pure.numbers import is_number, is_whole
from evenhand.pure.trouble import Invalid

Obj = dict[str, Any]
Check = Callable[[str, object], None]

METADATA_BYTES_MAX = 10_240
TAGS_MAX = 5
TAG_CHARS_MAX = 500
NAME_CHARS_MAX = 300
CHOICES_MAX = 1_000
URL_CHARS_MAX = 8_000

_is_url = re.compile(r"(?:https?|scaledata)://[^\s/?#]+[^\s]*", re.ASCII | re.IGNORECASE).fullmatch
_is_email = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+").fullmatch


def bad(name: str, detail: str) -> Invalid:
    """The text that the client shows: the parameter, then what is wrong with it."""
    return Invalid(f"{name} {detail}", errors=[{"path": name, "detail": detail}])


def missing(name: str) -> Invalid:
    return Invalid(f"Missing parameter: {name} is required", errors=[{"path": name, "detail": "is required"}])


def given(value: object) -> bool:
    """`null`, `""` and nothing at all mean the same to the client: not given."""
    return value is not None and value != ""


def text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise bad(name, "must be a string")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise bad(name, "is not valid Unicode text") from None


def filled(name: str, value: object) -> None:
    text(name, value)
    if not cast(str, value).strip():
        raise bad(name, "must not be empty")


def name_text(name: str, value: object) -> None:
    filled(name, value)
    if len(cast(str, value)) > NAME_CHARS_MAX:
        raise bad(name, f"must have at most {NAME_CHARS_MAX} characters")


def flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise bad(name, "must be true or false")


def number(name: str, value: object) -> None:
    """A number, or a number written as text: the legacy types send both."""
    to_number(name, value)


def to_number(name: str, value: object) -> float:
    if is_number(value):
        return value
    if isinstance(value, str):
        try:
            out = float(value)
        except ValueError:
            out = math.nan
        if math.isfinite(out):
            return int(out) if out.is_integer() else out
    raise bad(name, "must be a number")


def size(name: str, value: object) -> None:
    if to_number(name, value) < 0:
        raise bad(name, "must be 0 or more")


def count(name: str, value: object) -> None:
    if not is_whole(value) or not 0 <= value <= 10_000:
        raise bad(name, "must be a whole number from 0 to 10000")


def one_to_hundred(name: str, value: object) -> None:
    if not is_whole(value) or not 1 <= value <= 100:
        raise bad(name, "must be a whole number from 1 to 100")


def obj(name: str, value: object) -> None:
    if not isinstance(value, dict):
        raise bad(name, "must be an object")


def rows(name: str, value: object) -> None:
    if not isinstance(value, list):
        raise bad(name, "must be a list")


def filled_rows(name: str, value: object) -> None:
    rows(name, value)
    if not value:
        raise bad(name, "must not be empty")


def url(name: str, value: object) -> None:
    if not isinstance(value, str) or len(value) > URL_CHARS_MAX or _is_url(value) is None:
        raise bad(name, "must be an http, https or scaledata URL")


def is_url(value: object) -> bool:
    return isinstance(value, str) and len(value) <= URL_CHARS_MAX and _is_url(value) is not None


def urls(name: str, value: object) -> None:
    filled_rows(name, value)
    for i, v in enumerate(cast(list[object], value)):
        url(f"{name}[{i}]", v)


def is_email(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 254 and _is_email(value) is not None


def email(name: str, value: object) -> None:
    if not is_email(value):
        raise bad(name, "must be an e-mail address")


def callback(name: str, value: object) -> None:
    if is_email(value):
        return
    if not is_url(value) or not cast(str, value).lower().startswith("http"):
        raise bad(name, "must be an http or https URL or an e-mail address")


def one_of(*allowed: object) -> Check:
    def check(name: str, value: object) -> None:
        if isinstance(value, bool) or value not in allowed:
            raise bad(name, f"must be one of {', '.join(str(a) for a in allowed)}")

    return check


def metadata(name: str, value: object) -> None:
    obj(name, value)
    try:
        length = len(msgspec.json.encode(value))
    except (UnicodeEncodeError, RecursionError):
        raise bad(name, "cannot be written as JSON") from None
    if length > METADATA_BYTES_MAX:
        raise bad(name, f"must be at most {METADATA_BYTES_MAX // 1024} KB of JSON; this is {length:,} bytes")


def parse_tags(name: str, value: object, *, limit: int = TAGS_MAX) -> list[str]:
    """Strings, each once, in the order given."""
    rows(name, value)
    for i, tag in enumerate(cast(list[object], value)):
        filled(f"{name}[{i}]", tag)
        if len(cast(str, tag)) > TAG_CHARS_MAX:
            raise bad(f"{name}[{i}]", f"must have at most {TAG_CHARS_MAX} characters")
    tags = list(dict.fromkeys(cast(list[str], value)))
    if len(tags) > limit:
        raise bad(name, f"must be at most {limit} strings")
    return tags


def tags(name: str, value: object) -> None:
    parse_tags(name, value)


def choices(name: str, value: object) -> None:
    """A list of strings, numbers or `{choice|label|value, subchoices}`; at least one, none twice."""
    filled_rows(name, value)
    if len(cast(list[object], value)) > CHOICES_MAX:
        raise bad(name, f"has more than {CHOICES_MAX} entries")
    found = leaves(name, value)
    names = [leaf.value for leaf in found]
    for v in names:
        if names.count(v) > 1 and len(names) <= CHOICES_MAX:
            raise bad(name, f"names {v!r} twice")


class Leaf(msgspec.Struct, frozen=True):
    """A choice that can be picked: its text in the native model, what the customer wrote, how it is shown."""

    value: str
    original: Any
    title: str


def leaves(name: str, value: object, above: tuple[str, ...] = (), depth: int = 0) -> list[Leaf]:
    """All choices that can be picked: parents with subchoices are headings only."""
    if depth > 8:
        raise bad(name, "is nested more than 8 deep")
    filled_rows(name, value)
    out: list[Leaf] = []
    for i, choice in enumerate(cast(list[object], value)):
        at = f"{name}[{i}]"
        if isinstance(choice, str | int | float):
            out.append(_leaf(at, choice, as_text(choice), above))
            continue
        obj(at, choice)
        c = cast(Obj, choice)
        original = next((c[k] for k in ("choice", "value", "label", "name") if given(c.get(k))), None)
        if not isinstance(original, str | int | float):
            raise bad(at, "must be a string or an object with a choice")
        shown = next((c[k] for k in ("display", "label", "title", "name") if isinstance(c.get(k), str) and c[k]), None)
        title = str(shown) if shown is not None else str(original)
        if c.get("subchoices"):
            out.extend(leaves(f"{at}.subchoices", c["subchoices"], (*above, title), depth + 1))
        else:
            out.append(_leaf(at, original, title, above))
    if len(out) > CHOICES_MAX:
        raise bad(name, f"has more than {CHOICES_MAX} choices")
    return out


def _leaf(at: str, original: str | int | float, title: str, above: tuple[str, ...]) -> Leaf:
    value = as_text(original)
    text(at, value)
    if not 1 <= len(value) <= 200:
        raise bad(at, "must have 1 to 200 characters")
    return Leaf(value, original, " / ".join((*above, title))[:500])


def as_text(value: object) -> str:
    """How a number or truth value is spelt where the native model has text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
