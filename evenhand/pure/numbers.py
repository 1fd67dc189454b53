"""Small numbers that several parts need: what counts as a number in JSON, and an honest interval."""

import math
from typing import TypeGuard

# The largest coordinate that any shape may use: 10 million pixels, far beyond any picture, exact in a float32's range.
COORDINATE_MAX = 1e7


def is_number(value: object) -> TypeGuard[int | float]:
    """A finite JSON number. `True` is not a number; an integer too big for a float is not finite."""
    kind = type(value)
    if kind is float:
        return math.isfinite(value)  # type: ignore[arg-type]
    return kind is int and -1.7976931348623157e308 <= value <= 1.7976931348623157e308  # type: ignore[operator]


def is_whole(value: object) -> TypeGuard[int | float]:
    """A whole JSON number; `3.0` is whole, as in every reader that has one number type."""
    kind = type(value)
    return kind is int or (kind is float and value.is_integer())  # type: ignore[attr-defined]


def is_coordinate(value: object) -> TypeGuard[int | float]:
    """A number with |value| <= COORDINATE_MAX. NaN fails both comparisons."""
    kind = type(value)
    return (kind is float or kind is int) and -1e7 <= value <= 1e7  # type: ignore[operator]


def wilson(successes: float, trials: int, *, z: float = 1.959963984540054) -> tuple[float, float]:
    """The Wilson score interval of a proportion (Wilson 1927); 95 % by default. No trials: (0, 1).

    For a mean of values between 0 and 1, give their sum: their variance is at most p(1 - p), so the interval errs by being
    wide."""
    if trials <= 0:
        return (0.0, 1.0)
    p = successes / trials
    z2 = z * z
    middle = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    half = z / (1 + z2 / trials) * math.sqrt(p * (1 - p) / trials + z2 / (4 * trials * trials))
    return (max(0.0, middle - half), min(1.0, middle + half))
