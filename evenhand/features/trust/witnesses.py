"""The log's side of witnessing: its policy, and asking each witness for a cosignature of every epoch.

Nothing waits for a witness but a bundle, and that for a few seconds: each is asked by a task of its own, and one that is dead or
answers nonsense is asked less and less often.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable

from evenhand.features.trust import store
from evenhand.features.trust.types import Log
from evenhand.infra.db import AWAY, Database, Narrow
from evenhand.infra.fetch import check_url, request
from evenhand.infra.logfiles import LogFiles
from evenhand.pure.log.checkpoints import Checkpoint
from evenhand.pure.log.merkle import consistency_proof
from evenhand.pure.log.notes import VerifierKey, whole_number
from evenhand.pure.log.policy import Policy
from evenhand.pure.log.tiles import Damaged, TileNodes
from evenhand.pure.log.witness import AddCheckpoint, merged
from evenhand.pure.log.wrong import Unreadable, Wrong
from evenhand.pure.trouble import Busy, Conflict, Invalid, Missing, Upstream

log = logging.getLogger("evenhand.log")
NOBODY = "quorum none\n"
EVERY_S = 1.0
TIMEOUT_S = 5.0
_MOST_REPLY = 32 * 1024
_FIRST_WAIT_S, _MOST_WAIT_S = 2.0, 300.0


# --- the policy


def read_policy(words: str) -> Policy:
    """Raises Invalid: witnesses, groups and one quorum, without a line for a log."""
    try:
        policy = Policy.parse(words.encode())
    except Unreadable as err:
        raise Invalid(f"This is no policy: {err}.", hint="The form is that of c2sp.org/tlog-policy.") from err
    if policy.logs:
        raise Invalid(
            "The policy of this log needs no line for a log.", hint="Leave the lines that begin with log out."
        )
    for address in policy.addresses.values():
        check_url(address, private=True)
    return policy


async def policy_words(db: Database) -> str:
    """The newest policy; without any, that no witness is asked."""
    async with db.narrow("sequencer") as door:
        return await policy_in(door)


async def policy_in(door: Narrow) -> str:
    """The same, in a transaction of the sequencer's."""
    row = await store.POLICY_GET.maybe(door)
    return NOBODY if row is None else row["words"]


async def set_policy(db: Database, words: str) -> None:
    """From now on these are asked. An epoch ends, so that its record names the hash of the policy."""
    read_policy(words)
    async with db.narrow("sequencer") as door:
        await store.STATE_LOCK.one(door)
        if await policy_in(door) == words:
            return
        await store.POLICY_ADD.run(door, words=words)
        await store.WANT_EPOCH.run(door)


def policy_hash(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()


def with_witness(words: str, name: str, key: str, address: str) -> str:
    """The policy with one more witness, of whom more than half are needed. Raises Conflict and Invalid."""
    kept = [line for line in words.splitlines() if line.split(" ", 1)[0] == "witness"]
    if any(line.split(" ")[1] == name for line in kept):
        raise Conflict(f"A witness is called {name!r} already.", hint="Remove it first, or choose another name.")
    return _by_majority([*kept, f"witness {name} {key} {address}".rstrip()])


def without_witness(words: str, name: str) -> str:
    """Raises Missing."""
    lines = [line for line in words.splitlines() if line.split(" ", 1)[0] == "witness"]
    kept = [line for line in lines if line.split(" ")[1] != name]
    if len(kept) == len(lines):
        raise Missing(f"No witness is called {name!r}.", hint="See: evenhand log policy")
    return _by_majority(kept)


def _by_majority(lines: list[str]) -> str:
    if not lines:
        return NOBODY
    names = " ".join(line.split(" ")[1] for line in lines)
    words = "\n".join([*lines, f"group majority {len(lines) // 2 + 1} {names}", "quorum majority"]) + "\n"
    read_policy(words)
    return words


# --- cosignatures


async def cosigned(db: Database, answer: bytes, *, size: int) -> bytes:
    """Keeps the cosignatures of an answer that are by witnesses of the policy and good. Returns the checkpoint with them.

    Raises Missing where no epoch ends at `size`."""
    async with db.narrow("sequencer") as door:
        policy = Policy.parse((await policy_in(door)).encode())
        row = await store.EPOCH_LOCK.maybe(door, size=size)
        if row is None:
            raise Missing("No epoch ends there.", hint="Cosign what /log/epoch shows.")
        note = merged(row["checkpoint"], answer, list(policy.witnesses.values()))
        if note != row["checkpoint"]:
            await store.EPOCH_COSIGN.run(door, size=size, checkpoint=note)
        return note


async def take(db: Database, raw: bytes) -> bool:
    """A checkpoint that a witness has cosigned by itself: whether anything of it was wanted. Raises Invalid and Missing."""
    try:
        brought = Checkpoint.parse(raw)
        answer = raw[len(brought.note.text.encode()) + 1 :]
        note = await cosigned(db, answer, size=brought.size)
    except Unreadable as err:
        raise Invalid(f"This is no cosigned checkpoint: {err}.") from err
    held = Checkpoint.parse(note)
    return held.note.text == brought.note.text and any(s in held.note.signatures for s in brought.note.signatures)


class _Asked:
    """A witness with an address: what it is known to have cosigned, and when it may be asked next."""

    def __init__(self, key: VerifierKey, address: str) -> None:
        self.key, self.address = key, address
        self.old = 0
        self.wait_s = 0.0
        self.next_at = 0.0
        self.task: asyncio.Task[None] | None = None


class Asking:
    """Asks the witnesses of the policy, each by itself."""

    def __init__(self, db: Database, this: Log, clock: Callable[[], float] = time.monotonic) -> None:
        self._db, self._this, self._clock = db, this, clock
        self._all: dict[tuple[VerifierKey, str], _Asked] = {}
        self._words = ""

    async def round(self) -> None:
        """Brings policy and epoch on the disk up to date, and begins what is due. It waits for no witness."""
        async with self._db.narrow("sequencer") as door:
            words = await policy_in(door)
            state = await store.STATE_GET.one(door)
            newest = await store.LAST_EPOCH.maybe(door, published=state["published"])
        if words != self._words:
            self._this.files.put_policy(words)
            policy = Policy.parse(words.encode())
            wanted = {(policy.witnesses[name], address) for name, address in policy.addresses.items()}
            self._all = {one: self._all.get(one, _Asked(*one)) for one in wanted}
            self._words = words
        if newest is None:
            return
        if self._this.files.epoch() != newest["checkpoint"]:
            self._this.files.put_epoch(newest["checkpoint"])
        held = Checkpoint.parse(newest["checkpoint"])
        for one in self._all.values():
            if held.note.by(one.key):
                one.wait_s = one.next_at = 0.0  # it may have brought it by itself: whoever was away is back
                continue
            if (one.task is None or one.task.done()) and self._clock() >= one.next_at:
                one.task = asyncio.create_task(self._ask(one, newest["size"], newest["checkpoint"]))

    async def settled(self) -> None:
        """Until everybody who was asked has answered or was given up."""
        await asyncio.gather(*(one.task for one in self._all.values() if one.task is not None))

    async def _ask(self, one: _Asked, size: int, note: bytes) -> None:
        try:
            await self._add(one, size, note)
            one.wait_s = 0.0
        except (Upstream, Unreadable, Wrong, Damaged, Invalid, Busy, OSError, *AWAY) as err:
            one.wait_s = min(_MOST_WAIT_S, max(_FIRST_WAIT_S, 2 * one.wait_s))
            log.warning("the witness %s did not cosign (%s); asking again in %d s", one.key.name, err, one.wait_s)
        one.next_at = self._clock() + one.wait_s

    async def _add(self, one: _Asked, size: int, note: bytes) -> None:
        for _ in range(2):
            proof: list[bytes] = []
            if 0 < one.old < size:
                proof = await asyncio.to_thread(
                    consistency_proof, TileNodes(self._this.files.tile, size), one.old, size
                )
            got = await request(
                "POST", f"{one.address.rstrip('/')}/add-checkpoint", content=AddCheckpoint(one.old, tuple(proof), note).body(),
                most_bytes=_MOST_REPLY, follow=False, timeout_s=TIMEOUT_S, private=True,
            )  # fmt: skip
            if got.status == 409:
                one.old = whole_number(got.body.decode("ascii", "replace").strip())
                if one.old > size:
                    said, one.old = one.old, 0  # or a witness that erred once would be asked in vain for ever
                    raise Upstream(f"it says that it has cosigned {said} leaves, which this log does not have")
                continue
            if got.status != 200:
                raise Upstream(f"it answered {got.status}")
            one.old = size
            held = Checkpoint.parse(await cosigned(self._db, got.body, size=size))
            if not held.note.by(one.key):
                raise Upstream("what it answered is no cosignature of its own")
            return
        raise Upstream("it does not say what it has cosigned")


async def run(db: Database, this: Log, stop: asyncio.Event) -> None:
    """Asks from now on."""
    asking = Asking(db, this)
    while not stop.is_set():
        try:
            await asking.round()
        except Exception as err:
            # whatever a witness, the network or the database does, all are asked again in a moment
            log.warning("the witnesses can't be asked (%s); trying again", type(err).__name__)
        try:
            await asyncio.wait_for(stop.wait(), EVERY_S)
        except TimeoutError:
            continue


def quorum_of(files: LogFiles) -> Policy:
    """The policy as it is published."""
    return Policy.parse((files.policy() or NOBODY).encode())


def is_met(policy: Policy, checkpoint: bytes) -> bool:
    """Whether the witnesses that the policy asks for have cosigned. Their signatures were checked when they came."""
    if policy.quorum is None:
        return True
    note = Checkpoint.parse(checkpoint).note
    return policy.met(policy.quorum, {name for name, key in policy.witnesses.items() if note.by(key)})
