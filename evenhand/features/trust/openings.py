"""The decisions for which a customer waited, opened to it: its own entry, and of each other entry only how far behind it stood."""

import base64
import json
from collections.abc import AsyncIterator, Collection
from typing import Any

from evenhand.features.tasks import turns_store as store
from evenhand.features.trust.sealing import unpack
from evenhand.infra.db import Database
from evenhand.pure.fairness.chain import seed_of
from evenhand.pure.fairness.commitment import open_for
from evenhand.pure.fairness.opening import Opening
from evenhand.pure.fairness.seeds import seed_commitment
from evenhand.pure.log.merkle import Tree, inclusion_proof
from evenhand.pure.log.proofs import leaf_hash

MOST_BYTES = 64 << 20  # of lines; whole batches, the newest first
_MOST_BATCHES = 10_000


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def opening_line(opening: Opening) -> dict[str, Any]:
    return {
        "seeds": _b64(opening.seeds), "audit": _b64(opening.audit), "salt": _b64(opening.salts[0]),
        "own_salt": _b64(opening.salts[1]), "seen": _b64(opening.seen), "own": _b64(opening.own),
        "others": [[*map(_b64, one)] for one in opening.others],
    }  # fmt: skip


async def opened(
    db: Database, org: str, told: Collection[tuple[str, int]], most: int = MOST_BYTES
) -> AsyncIterator[list[bytes]]:
    """The lines of one batch after another, of those that the organisation was `told` of (class and batch)."""
    async with db.narrow("scheduler") as on:
        mine = [(row["class"], row["flow"]) for row in await store.MY_FLOWS.all(on, org=org)]
    for name, flow in mine:
        key = {"class": name}
        async with db.narrow("scheduler") as on:
            secret = (await store.CLASS_GET.one(on, **key))["secret"]
            batches = await store.BATCHES.all(on, **key, most=_MOST_BATCHES)
        for batch in batches:
            if (name, batch["batch"]) not in told:
                continue
            async with db.narrow("scheduler") as on:
                rows = await store.DECISIONS.all(on, **key, batch=batch["batch"])
            lines = list(lines_of(name, flow, batch, rows, seed_of(secret, batch["batch"])))
            most -= sum(map(len, lines))
            if most < 0:
                return
            yield lines


def lines_of(name: str, flow: int, batch: Any, rows: list[Any], seed: bytes) -> list[bytes]:
    """batch: its number and sorted leaves. rows: its decisions. Lines of those for which the flow waited."""
    leaves = [batch["leaves"][at : at + 32] for at in range(0, len(batch["leaves"]), 32)]
    places = {leaf: at for at, leaf in enumerate(leaves)}
    tree = Tree(map(leaf_hash, leaves))
    out: list[bytes] = []
    for row in rows:
        entries, decision = unpack(row["trace"], seed)
        if all(entry.flow != flow for entry in entries):
            continue
        at = places[row["commitment"]]
        line = {
            "class": name, "batch": batch["batch"], "commitment": _b64(row["commitment"]), "index": at,
            "proof": [*map(_b64, inclusion_proof(tree.nodes, at, tree.size))],
            "opening": opening_line(open_for(entries, decision, seed_commitment(seed), row["key"], flow)),
        }  # fmt: skip
        if decision.winner == flow:
            line["assignment"] = row["assignment"]
        out.append(json.dumps(line, separators=(",", ":")).encode() + b"\n")
    return out
