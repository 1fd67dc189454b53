"""The log in other hands: somebody who holds the home with its signing key and the database tampers in seven ways, with care.

    python verify_us_tamper.py WITNESS_URL    in the folder of the week: makes seven bundles, and tamperings.txt

Each time the log itself is changed, every epoch after that is signed again with its own key, its tiles are written anew, and the
bundle is made from it as any other. How the seven are caught is in docs/decisions/0015-log.md.
"""

import asyncio
import base64
import contextlib
import json
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
from verify_us import LOG_TABLES, RIVALS, bundle_of, keep, serving

from evenhand.app.opening import database, services
from evenhand.app.settings import settings_from_environment
from evenhand.app.transparency import the_log
from evenhand.app.witness import Witness, witness_app
from evenhand.features.people.actions import find_org
from evenhand.features.projects.types import ProjectCreated
from evenhand.features.trust import sequencer, witnesses
from evenhand.features.trust.types import Log
from evenhand.infra.db import SYSTEM, Database
from evenhand.infra.facts import event_of, record
from evenhand.infra.postgres.roles import with_database
from evenhand.infra.postgres.server import server_of
from evenhand.infra.seal import At
from evenhand.infra.witnessfiles import WitnessFiles
from evenhand.pure.log.events import epoch_map, padding_entry
from evenhand.pure.log.leaves import LOG_TAG, canonical, event_digest, leaf_entry
from evenhand.pure.log.merkle import Frontier
from evenhand.pure.log.proofs import leaf_hash
from evenhand.pure.log.signing import sign_checkpoint

VICTIM = 20  # the first event from this counter on of a KIND: to which it is done
DAY_S = 86_400
KIND = "TaskLeased"


@dataclass(frozen=True, slots=True)
class Placed:
    """An event of an organisation as the log holds it."""

    fact: str
    counter: int
    index: int
    sequenced: int
    digest: bytes


Change = Callable[[list[Placed]], Awaitable[list[Placed]]]


@dataclass(slots=True)
class Hand:
    db: Database
    log: Log
    admin: psycopg.Connection[Any]
    orgs: dict[str, str]
    lines: list[str] = field(default_factory=list[str])

    # -- the database

    async def restore(self, name: str) -> None:
        """The log as somebody kept it, its files as well. Nothing waits for a place in it."""
        with self.admin.transaction():
            for table in LOG_TABLES:
                self.admin.execute(f"delete from evenhand.{table}".encode())
                self.admin.execute(f"insert into evenhand.{table} select * from {name}.{table}".encode())
            self.admin.execute(
                "delete from evenhand.fact f where not exists (select from evenhand.log_place p"
                " where p.org_id = f.org_id and p.fact_id = f.fact_id)"
            )
        await self.write_files()

    async def write_files(self) -> None:
        shutil.rmtree(self.log.files.folder)
        self.admin.execute("update evenhand.log_state set published = 0")
        await sequencer.publish(self.db, self.log)

    def placed(self, org: str) -> list[Placed]:
        rows = self.admin.execute(
            "select fact_id, counter, index, sequenced, digest from evenhand.log_place join evenhand.fact using (org_id, fact_id)"
            " where org_id = %s order by counter",
            (org,),
        )
        return [Placed(fact, counter, index, at, bytes(digest)) for fact, counter, index, at, digest in rows]

    async def show(self, name: str, check: str, *more: str, to: str = "alder") -> None:
        """The files are written anew from the database, and the bundle is made from them."""
        await self.write_files()
        file = f"{name}.zip"
        Path(file).write_bytes(await bundle_of(self.db, self.log, self.orgs[to]))
        self.lines.append(" ".join((name, check, file, *more)))

    # -- history

    async def rewrite(self, rival: str, change: Change) -> None:
        """Another history of one organisation's events. All other leaves stay; epochs count it, and are signed, anew."""
        await self.restore("week")
        org = self.orgs[rival]
        before = self.placed(org)
        after = await change(before)
        leaves = self._leaves()
        row = self.admin.execute(
            "select tag, slot, index from evenhand.log_member where org_id = %s", (org,)
        ).fetchone()
        assert row is not None
        tag, slot, opened = row
        changed = {one.index for one in {*before} ^ {*after}}
        for index in changed:
            leaves[index] = padding_entry(self.log.secret, index)
        for one in after:
            if one.index in changed:
                leaves[one.index] = leaf_entry(one.digest, tag, one.counter, one.sequenced)
        with self.admin.transaction():
            self.admin.execute("delete from evenhand.log_place where org_id = %s", (org,))
            for one in after:
                self.admin.execute(
                    "insert into evenhand.log_place (org_id, fact_id, counter, index, sequenced) values (%s, %s, %s, %s, %s)",
                    (org, one.fact, one.counter, one.index, one.sequenced),
                )
            self._end_epochs_anew(leaves, slot, min(changed), [opened, *(one.index for one in after)])
            self._keep_leaves(leaves)
            count = 1 + len(after)
            self.admin.execute("update evenhand.log_member set count = %s where org_id = %s", (count, org))

    def _leaves(self) -> list[bytes]:
        rows = self.admin.execute("select entries from evenhand.log_batch order by start")
        return [bytes(held)[at : at + 32] for (held,) in rows for at in range(0, len(held), 32)]

    def _keep_leaves(self, leaves: list[bytes]) -> None:
        for start, length in self.admin.execute(
            "select start, length(entries) / 32 from evenhand.log_batch"
        ).fetchall():
            held = b"".join(leaves[start : start + length])
            self.admin.execute("update evenhand.log_batch set entries = %s where start = %s", (held, start))
        edge = frontier(leaves)
        self.admin.execute("update evenhand.log_state set roots = %s", (b"".join(edge.roots),))

    def _end_epochs_anew(self, leaves: list[bytes], slot: int, first: int, mine: list[int]) -> None:
        """Records and maps that count what there is now, each signed, in their places. mine: indices of its leaves."""
        tags = {s: bytes(tag) for s, tag in self.admin.execute("select slot, tag from evenhand.log_member")}
        rows = self.admin.execute(
            "select epoch, size, salt, record, slots, held from evenhand.log_epoch order by epoch"
        )
        for epoch, size, salt, said, slots, held in rows.fetchall():
            if size <= first:
                continue
            counts = dict(sequencer.HELD.iter_unpack(held)) | {slot: sum(index < size for index in mine)}
            tree = epoch_map(slots, epoch, ((s, tags[s], count) for s, count in counts.items()), self.log.secret)
            told = {**json.loads(said), "root": base64.b64encode(tree.root()).decode()}
            body = canonical(told)
            leaves[size - 1] = leaf_entry(event_digest(bytes(salt), body), LOG_TAG, epoch, told["time"])
            note = sign_checkpoint(self.log.signer, size, frontier(leaves[:size]).root())
            packed = b"".join(sequencer.HELD.pack(s, count) for s, count in counts.items())
            self.admin.execute(
                "update evenhand.log_epoch set record = %s, held = %s, checkpoint = %s where epoch = %s",
                (body, packed, note, epoch),
            )

    # -- by adding to it only, so that an honest witness cosigns

    @contextlib.asynccontextmanager
    async def another_epoch(self, witness_url: str, ahead_s: float = 0) -> AsyncGenerator[None]:
        """What is done in the block stands in one more epoch, which the witness of the week cosigns. ahead_s: how far its clock,
        and everybody's, is ahead of the log's."""
        await self.restore("week")
        with tempfile.TemporaryDirectory() as place:
            shutil.copytree("witness", f"{place}/witness")  # each time it is asked as it was at the end of the week
            files = WitnessFiles(Path(place) / "witness")
            witness = Witness(files, lambda: time.time() + ahead_s)
            async with serving(witness_app(witness), witness_url):
                yield
                async with self.db.narrow("sequencer") as door:
                    await sequencer.store.WANT_EPOCH.run(door)
                await sequencer.tick(self.db, self.log)
                asking = witnesses.Asking(self.db, self.log)
                await asking.round()
                await asking.settled()
            files.close()

    def victim(self, placed: list[Placed]) -> int:
        """Where it is in the list: one whose neighbour came in the same batch."""
        rows = self.admin.execute("select fact_id from evenhand.fact where kind = %s", (KIND,))
        leased = {fact for (fact,) in rows}
        return next(
            at
            for at, one in enumerate(placed[:-1])
            if one.counter >= VICTIM and one.fact in leased and placed[at + 1].sequenced == one.sequenced
        )

    # -- the seven

    async def drop(self, placed: list[Placed]) -> list[Placed]:
        """As if it had never been: the later ones move up."""
        at = self.victim(placed)
        self.admin.execute("delete from evenhand.fact where fact_id = %s", (placed[at].fact,))
        return [*placed[:at], *(replace(one, counter=one.counter - 1) for one in placed[at + 1 :])]

    async def alter(self, placed: list[Placed]) -> list[Placed]:
        """Somebody else did it."""
        at = self.victim(placed)
        one, org = placed[at], self.orgs["alder"]
        row = self.admin.execute(
            "select kind, at, about_id, salt, body from evenhand.fact where org_id = %s and fact_id = %s",
            (org, one.fact),
        ).fetchone()
        assert row is not None
        kind, when, about, salt, body = row
        seal, here = await self.db.seal(org), At("fact", one.fact)
        sealed = seal.shut({**seal.open(body, here), "actor": "0" * 24}, here)
        digest = event_digest(salt, event_of(seal, one.fact, kind, when, about, sealed))
        self.admin.execute(
            "update evenhand.fact set body = %s, digest = %s where org_id = %s and fact_id = %s",
            (sealed, digest, org, one.fact),
        )
        return [*placed[:at], replace(one, digest=digest), *placed[at + 1 :]]

    async def reorder(self, placed: list[Placed]) -> list[Placed]:
        """It and the one after it change places."""
        at = self.victim(placed)
        one, two = placed[at], placed[at + 1]
        swapped = [replace(one, fact=two.fact, digest=two.digest), replace(two, fact=one.fact, digest=one.digest)]
        return [*placed[:at], *swapped, *placed[at + 2 :]]

    async def back_date(self, witness_url: str) -> None:
        """Tomorrow somebody acts, and the log's clock is set back by a day."""
        async with self.another_epoch(witness_url, ahead_s=DAY_S), self.db.tx(self.orgs["alder"], SYSTEM) as tx:
            await record(tx, ProjectCreated("1" * 24, "Put in"))

    async def hide(self, witness_url: str) -> None:
        """The newest event loses its number, and the organisation's counter goes back."""
        async with self.another_epoch(witness_url):
            org = self.orgs["alder"]
            self.admin.execute(
                "delete from evenhand.log_place where org_id = %s and counter ="
                " (select count from evenhand.log_member where org_id = %s)",
                (org, org),
            )
            self.admin.execute("update evenhand.log_member set count = count - 1 where org_id = %s", (org,))

    async def all_seven(self, witness_url: str) -> None:
        keep(self.admin, "week")
        for name, change in (("dropped", self.drop), ("altered", self.alter), ("reordered", self.reorder)):
            await self.rewrite("alder", change)
            await self.show(name, "against", "--against", "alder-midweek.zip")
        await self.back_date(witness_url)
        await self.show("back-dated", "times")
        await self.rewrite("birch", self.drop)  # and Alder is shown that other history
        await self.show("forked", "witnesses")
        await self.restore("midweek")
        await self.show("rolled-back", "since", "--since", "newest.checkpoint")
        await self.hide(witness_url)
        await self.show("hidden", "epochs")


def frontier(leaves: list[bytes]) -> Frontier:
    made = Frontier(0, [])
    for entry in leaves:
        made.append(leaf_hash(entry))
    return made


async def main(witness_url: str) -> None:
    settings = settings_from_environment()
    with zipfile.ZipFile("alder.zip") as file:
        Path("newest.checkpoint").write_bytes(file.read("checkpoint"))
    with database(settings) as (urls, keys):
        admin_url = with_database(server_of(settings.home).admin_url, "evenhand")
        async with services(settings, urls, keys) as opened:
            orgs = {rival: (await find_org(opened.db, name)).id for rival, name in RIVALS.items()}
            with psycopg.connect(admin_url, autocommit=True) as admin:
                hand = Hand(opened.db, the_log(settings, keys), admin, orgs)
                await hand.all_seven(witness_url)
    Path("tamperings.txt").write_text("\n".join(hand.lines) + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
