"""Which of the answers is better: `field`, `winner` (null: a tie), `strength` 0..3 (0 exactly for a tie)."""

from evenhand.pure.kinds.kind import NAME_MAX, Kind, Obj, check_text, keys, no_area, no_bounds, ordered, wrong
from evenhand.pure.numbers import is_whole

STRENGTH_MAX = 3


def _check(a: Obj) -> None:
    check_text("field", a["field"], NAME_MAX, 1)
    winner, strength = a["winner"], a["strength"]
    if winner is not None:
        check_text("winner", winner, NAME_MAX, 1)
    if not is_whole(strength) or not 0 <= strength <= STRENGTH_MAX:
        raise wrong("strength", f"must be a whole number from 0 to {STRENGTH_MAX}")
    if (strength == 0) != (winner is None):
        raise wrong("strength", "is 0 for a tie and only for a tie")


def _normalise(a: Obj) -> Obj:
    out = ordered(a, "field", "winner", "strength")
    out["strength"] = int(a["strength"])
    return out


def _distance(a: Obj, b: Obj) -> float:
    """Same winner: a sixth for each step of strength; a tie against a winner: a half; different winners: 1."""
    if a["winner"] == b["winner"]:
        return abs(a["strength"] - b["strength"]) / (2 * STRENGTH_MAX)
    return 0.5 if a["winner"] is None or b["winner"] is None else 1.0


_required, _allowed = keys("field", "winner", "strength", classed=False)
PREFERENCE = Kind("preference", False, _required, _allowed, _check, _normalise, no_bounds, no_area, _distance)
