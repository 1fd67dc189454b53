"""The whole trace of the scheduler, for an auditor: every decision with all that it saw, sealed to the auditor's key.

HPKE (RFC 9180) in base mode: X25519, HKDF-SHA-256, AES-256-GCM; `info` is the name of the form. Inside: JSON lines, compressed.
"""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from evenhand.features.tasks import turns_store as store
from evenhand.features.trust.sealing import unpack
from evenhand.infra.db import Database
from evenhand.pure.fairness.chain import seed_of
from evenhand.pure.fairness.commitment import audit
from evenhand.pure.fairness.seeds import seed_commitment
from evenhand.pure.log.merkle import Tree
from evenhand.pure.log.proofs import leaf_hash
from evenhand.pure.trouble import Invalid

FORM = b"evenhand-trace-v1\n"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_MOST_BATCHES = 1_000_000
_MOST_BYTES = 1 << 32


class NotATrace(Invalid):
    hint = "`evenhand trace` writes one, sealed to the key that was given there."


@dataclass(frozen=True, slots=True)
class Audited:
    """What came of an audit. wrong: sentences about decisions or batches that do not hold."""

    classes: int
    batches: int
    decisions: int
    wrong: list[str]


async def whole_trace(db: Database) -> list[dict[str, Any]]:
    """For each class its customers behind the indices, and each batch that was sealed with its decisions."""
    out: list[dict[str, Any]] = []
    async with db.narrow("scheduler") as on:
        names = [row["class"] for row in await store.CLASSES.all(on)]
    for name in names:
        key = {"class": name}
        async with db.narrow("scheduler") as on:
            secret = (await store.CLASS_GET.one(on, **key))["secret"]
            flows = {row["flow"]: row["org_id"] for row in await store.FLOWS.all(on, **key, **{"from": 0})}
            batches = await store.BATCHES.all(on, **key, most=_MOST_BATCHES)
        out.append({"class": name, "flows": flows})
        for batch in reversed(batches):
            seed = seed_of(secret, batch["batch"])
            async with db.narrow("scheduler") as on:
                rows = await store.DECISIONS.all(on, **key, batch=batch["batch"])
            out.append(
                {
                    "class": name, "batch": batch["batch"], "seed": seed.hex(), "root": batch["root"].hex(),
                    "leaves": batch["leaves"].hex(), "limits": json.loads(batch["limits"]),
                    "decisions": [_decision(row, seed) for row in rows],
                }
            )  # fmt: skip
    return out


def _decision(row: Any, seed: bytes) -> dict[str, Any]:
    entries, decision = unpack(row["trace"], seed)
    return {
        "at": row["at"].isoformat(), "assignment": row["assignment"], "commitment": row["commitment"].hex(),
        "key": row["key"].hex(), "entries": [entry[:4] for entry in entries], "decision": decision,
    }  # fmt: skip


def sealed(lines: list[dict[str, Any]], auditor: X25519PublicKey) -> bytes:
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    return FORM + _SUITE.encrypt(zlib.compress(text.encode()), auditor, FORM)


def unsealed(raw: bytes, auditor: X25519PrivateKey) -> Iterator[dict[str, Any]]:
    """Raises NotATrace."""
    if not raw.startswith(FORM):
        raise NotATrace("This is not a sealed trace.")
    try:
        packed = _SUITE.decrypt(raw[len(FORM) :], auditor, FORM)
    except (InvalidTag, ValueError) as err:
        raise NotATrace("The trace was sealed to another key, or altered.") from err
    text = zlib.decompressobj().decompress(packed, _MOST_BYTES)
    yield from map(json.loads, text.decode().splitlines())


def audited(lines: Iterator[dict[str, Any]]) -> Audited:
    """Replays every decision from all that it saw, and each batch's root; the seeds must be one chain."""
    wrong: list[str] = []
    classes: set[str] = set()
    batches = decisions = 0
    before: dict[str, tuple[int, bytes]] = {}
    for line in lines:
        name: str = line["class"]
        classes.add(name)
        if "batch" not in line:
            continue
        number, seed = line["batch"], bytes.fromhex(line["seed"])
        where = f"{name}, batch {number}"
        batches += 1
        last = before.get(name)
        if last is not None and (number != last[0] + 1 or seed_commitment(seed) != last[1]):
            wrong.append(f"{where}: it does not follow the batch before")
        before[name] = (number, seed)
        leaves = {line["leaves"][at : at + 64] for at in range(0, len(line["leaves"]), 64)}
        if Tree(leaf_hash(bytes.fromhex(one)) for one in sorted(leaves)).root().hex() != line["root"]:
            wrong.append(f"{where}: its leaves do not give its root")
        for one in line["decisions"]:
            decisions += 1
            packed = zlib.compress(json.dumps([one["entries"], one["decision"]]).encode(), 1)
            entries, decision = unpack(packed, seed)
            held = audit(entries, decision, seed, bytes.fromhex(one["key"]), bytes.fromhex(one["commitment"]))
            if not held or one["commitment"] not in leaves:
                wrong.append(f"{where}: decision {decision.number} does not follow from what it saw")
    return Audited(len(classes), batches, decisions, wrong)
