"""Callbacks: when to try again."""

#: seconds before the 2nd to the 20th try: 20 tries over 24 hours
_EARLY = (10, 30, 60, 120, 300, 600, 1200, 1800, 2700)
_DAY_S = 24 * 3600
MOST_TRIES = 20
BACKOFF_S = (*_EARLY, *((_DAY_S - sum(_EARLY)) / (MOST_TRIES - 1 - len(_EARLY)),) * (MOST_TRIES - 1 - len(_EARLY)))


def wait_after(tries: int) -> float | None:
    """Seconds until the next try after `tries` failed ones, or None when that was the last."""
    return BACKOFF_S[tries - 1] if tries < MOST_TRIES else None
