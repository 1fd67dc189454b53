"""The scheduler's steps and state as text: steps in a journal, the state in a row for each flow and each pool."""

import json
from collections.abc import Iterable, Sequence
from typing import cast

from evenhand.pure.fairness.ledger import (
    Arrive,
    Charge,
    Decide,
    Depart,
    Disband,
    Extent,
    Flow,
    Forgive,
    Form,
    Ledger,
    Rescale,
    Seed,
    Spend,
    Step,
    Weigh,
)
from evenhand.pure.fairness.state import decode as read_state
from evenhand.pure.fairness.state import restore, snapshot

_KINDS: tuple[type[Step], ...] = (
    Flow, Form, Arrive, Depart, Decide, Charge, Spend, Weigh, Seed, Forgive, Disband, Rescale,
)  # fmt: skip
_NUMBER = {kind: n for n, kind in enumerate(_KINDS)}


def encode(steps: Iterable[Step]) -> str:
    """JSON: a list of [kind, field, ...]."""
    return json.dumps(
        [[_NUMBER[type(s)], *(f.hex() if isinstance(f, bytes) else f for f in s)] for s in steps],
        separators=(",", ":"),
    )


def decode(text: str) -> list[Step]:
    """The steps that `encode` wrote."""
    out: list[Step] = []
    for kind, *fields in cast(list[list[object]], json.loads(text)):
        made = _KINDS[cast(int, kind)]
        if made is Seed:
            out.append(Seed(bytes.fromhex(cast(str, fields[0]))))
        else:
            out.append(made(*(tuple(cast(list[int], f)) if isinstance(f, list) else f for f in fields)))  # type: ignore[arg-type]
    return out


def stored(ledger: Ledger) -> tuple[int, dict[int, str], dict[int, str]]:
    """(number of decisions so far, a text for each flow, a text for each pool): what is stored in rows."""
    state = snapshot(ledger.queue)
    flows = {
        row.flow: json.dumps([row, [e.expected, e.largest, e.most_open, e.done, sorted(e.places)]])
        for row, e in zip(state.accounts, ledger.extents, strict=True)
    }
    pools = {row.pool: json.dumps([row, ledger.members[row.pool]]) for row in state.pools if row.pool in ledger.members}
    return state.number, flows, pools


def rebuild(unit: int, seed: bytes, counts: tuple[int, int, int], flows: Sequence[str], pools: Sequence[str]) -> Ledger:
    """The machine of stored rows. counts: (batch, decisions, pools that there ever were); flows in order of their index."""
    ledger = Ledger(unit, seed)
    ledger.batch, decided, ledger.pools = counts
    accounts: list[object] = []
    for text in flows:
        account, (expected, largest, most_open, done, served_by) = json.loads(text)
        accounts.append(account)
        ledger.extents.append(Extent(expected, largest, most_open, done, set(served_by)))
    places: list[object] = []
    for text in pools:
        place, members = json.loads(text)
        places.append(place)
        ledger.members[place[0]] = tuple(members)
    stored = read_state(json.dumps([unit, decided, accounts, places]).encode())
    ledger.queue = restore(stored, seed)
    ledger.owner = {number: row.flow for row in stored.accounts for number, _ in row.open}
    return ledger
