"""What a log in which nothing happens costs: under 50 MB a day, on the disk as it is allotted, and in the database."""

import hashlib
from pathlib import Path

import pytest

from evenhand.features.trust.sequencer import announce, store, tick
from evenhand.infra.logfiles import LogFiles
from evenhand.pure.log.merkle import Frontier
from evenhand.pure.log.proofs import leaf_hash
from evenhand.pure.log.tiles import WIDTH, grown, grown_entries
from tests.conftest import World
from tests.features.trust.test_log import log_in

BATCH, A_DAY = 16, 24 * 3600 // 5
HOUR = 3600 // 5
MOST_BYTES = 50_000_000
MOST_PARTIAL = 3_000_000


def allotted(folder: Path, *, partial: bool) -> int:
    """Bytes of the blocks that files take; of partial tiles only, or of all others."""
    files = [p for p in folder.rglob("*") if p.is_file() and any(part.endswith(".p") for part in p.parts) == partial]
    return sum(p.stat().st_blocks * 512 for p in files)


def test_an_idle_hour_of_files(tmp_path: Path) -> None:
    """720 batches of 16: partial tiles go when the full one is there, level 0 after 80 s."""
    files, frontier, most_partial = LogFiles(tmp_path), Frontier(), 0
    for n in range(HOUR):
        entries = [hashlib.sha256(b"%d %d" % (n, at)).digest() for at in range(BATCH)]
        for tile, data in [
            *grown_entries(n * BATCH, entries, files.tile),
            *grown(n * BATCH, frontier.extend(map(leaf_hash, entries)), files.tile),
        ]:
            files.put_tile(tile, data)
        if n % 16 == 15:  # 80 s: the tile of level 0 is full
            assert not list((tmp_path / "tile" / "0").rglob("*.p")), "partial tiles of level 0 outlive the full one"
        if n % 60 == 14:
            most_partial = max(most_partial, allotted(tmp_path, partial=True))
    whole = allotted(tmp_path, partial=False)
    assert whole * 24 < MOST_BYTES / 2, f"{whole * 24 / 1e6:.1f} MB a day"
    # a tile of level 1 is full after 65,536 leaves, a little under six hours: till then each width of it lies there
    a_level_1 = WIDTH * (8192 + 4096)
    assert most_partial + a_level_1 < MOST_PARTIAL * 2, f"{most_partial} bytes of partial tiles"


@pytest.mark.anyio
async def test_idle_batches_in_the_database(world: World, tmp_path: Path) -> None:
    this, ticks = log_in(tmp_path), 60
    for _ in range(ticks):
        await tick(world.db, this)
    async with world.db.narrow("sequencer") as door:
        row = await door.conn.fetchrow(
            "select count(*) as n, sum(pg_column_size(b.*) + 28) as bytes from evenhand.log_batch b"
        )
    a_day = row["bytes"] / row["n"] * A_DAY * 1.1 + A_DAY * 40  # pages are not quite full; the index
    assert row["n"] == ticks and a_day < MOST_BYTES / 2, f"{a_day / 1e6:.1f} MB a day"


@pytest.mark.anyio
async def test_a_program_that_changed_is_told_in_an_epoch_at_its_start(world: World, tmp_path: Path) -> None:
    this = log_in(tmp_path)
    await announce(world.db, this)
    first = await tick(world.db, this)
    assert first.epoch == 1
    await announce(world.db, this)
    assert (await tick(world.db, this)).epoch is None, "the same program says nothing new"
    this.public["software"] = "another"
    await announce(world.db, this)
    assert (await tick(world.db, this)).epoch == 2
    async with world.db.narrow("sequencer") as door:
        record = (await store.LAST_EPOCH.one(door, published=2**62))["record"]
    assert b'"software":"another"' in record
