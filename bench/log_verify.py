"""Claim: anybody verifies 1,000,000 events in under 60 s and 500 MB, and an event costs the log at most 25 µs of CPU.

The log: two customers take turns, batches of 16,384 leaves end an epoch each, three witnesses. What an event costs is body,
digest, number, place, padding, tree, tiles and bundles of entries, without the database. The bundle of one customer is then
checked by the stand-alone program, in a process of its own, as a customer would.
"""

import argparse
import hashlib
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.support.serving import conclude, say
from evenhand.app.standalone import program
from evenhand.pure.log.checkpoints import Checkpoint
from evenhand.pure.log.events import Closing, epoch_body, epoch_map, event_body, make_batch
from evenhand.pure.log.leaves import event_digest
from evenhand.pure.log.merkle import Frontier, Tree, consistency_proof, inclusion_proof
from evenhand.pure.log.notes import LOG_KEY, WITNESS_KEY
from evenhand.pure.log.proofs import leaf_hash
from evenhand.pure.log.signing import Signer, cosignature, sign_checkpoint
from evenhand.pure.log.tiles import Tile, grown, grown_entries
from evenhand.pure.log.writing import EpochOpening, EventOpening, Whose, write_bundle

TARGET_S, TARGET_MB, TARGET_US = 60.0, 500.0, 25.0
EVENTS = 1_000_000
BATCH = 16_384
SLOTS = 1024
SECRET = hashlib.sha256(b"bench").digest()
OURS, THEIRS = hashlib.sha256(b"ours").digest(), hashlib.sha256(b"theirs").digest()
START_US = 1_790_000_000_000_000
#: runs the program, and tells its own peak of memory: what the system says of a child may be its parent's from before exec
WATCHED = """
import runpy, sys
sys.argv = ["verify.py", *sys.argv[1:]]
try:
    runpy.run_path("verify.py", run_name="__main__")
finally:
    with open("/proc/self/status") as status:
        sys.stderr.write(next(line for line in status if line.startswith("VmHWM")).split()[1])
"""


def signer(name: str, kind: int) -> Signer:
    return Signer.of(
        f"bench.example/{name}", kind, Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
    )


LOG = signer("log", LOG_KEY)
WITNESSES = [signer(f"w{n}", WITNESS_KEY) for n in range(3)]


class Log:
    """A log that keeps its tree in memory and its tiles where `tiles` says."""

    def __init__(self) -> None:
        self.tree, self.frontier, self.counts = Tree(), Frontier(), dict[bytes, int]()
        self.edge: dict[str, bytes] = {}  #: the partial tiles, which the next batch reads
        self.events: list[EventOpening] = []
        self.records: list[tuple[int, bytes, bytes, int, list[bytes], bytes]] = []
        self.cpu_s = 0.0
        self.made = 0

    def batch(self) -> None:
        """One batch of 16,383 events and the record of an epoch."""
        begun = time.process_time()
        number, size, count = len(self.records) + 1, self.tree.size, BATCH - 1
        time_us = START_US + number * 5_000_000
        salts = os.urandom(32 * count)
        tags, digests = [THEIRS if at % 2 else OURS for at in range(count)], list[bytes]()
        bodies: list[bytes] = []
        for at in range(count):
            first = size == 0 and at == 0
            data = {"slot": 5} if first else {"objects": f"{at:064}", "actor": "w-7f3a", "viewer": "studio"}
            body = event_body("log.opened" if first else "access.media", time_us - 1_000_000, data)
            bodies.append(body)
            digests.append(event_digest(salts[32 * at : 32 * at + 32], body))
        after = {tag: self.counts.get(tag, 0) + tags.count(tag) for tag in (OURS, THEIRS)}
        held = [(5, OURS, after[OURS]), (9, THEIRS, after[THEIRS])]
        made = epoch_map(SLOTS, number, held, SECRET)
        body = epoch_body(number, time_us, size=size + BATCH, previous=size, tree=made)
        closing = Closing(number, os.urandom(32), body)
        seed = os.urandom(32)
        batch = make_batch(
            tags, digests, self.counts, start=size, time_us=time_us, secret=SECRET, seed=seed, closing=closing
        )
        rows = self.frontier.extend(map(leaf_hash, batch.entries))
        self._write(size, rows, batch.entries)
        self.tree.extend(rows[0])
        note = self._sign(time_us // 1_000_000)
        self.cpu_s += time.process_time() - begun
        self.made += count
        self.records.append(
            (size + BATCH, closing.salt, body, after[OURS], inclusion_proof(made.nodes, 5, SLOTS), note)
        )
        own = [
            EventOpening(
                counter, index, time_us, salts[32 * at : 32 * at + 32], batch.entries[index - size], bodies[at]
            )
            for at, (counter, index) in enumerate(zip(batch.counters, batch.indices, strict=True))
            if at % 2 == 0
        ]
        self.events += sorted(own, key=lambda one: one.index)

    def _write(self, size: int, rows: list[list[bytes]], entries: list[bytes]) -> None:
        def read(tile: Tile) -> bytes:
            return self.edge[tile.path]

        edge: dict[str, bytes] = {}
        for made in (grown(size, rows, read), grown_entries(size, entries, read)):
            edge |= {tile.path: raw for tile, raw in made if tile.width < 256}
        self.edge |= edge

    def _sign(self, time_s: int) -> bytes:
        note = sign_checkpoint(LOG, self.tree.size, self.tree.root())
        point = Checkpoint.parse(note)
        return note + "".join(cosignature(one, point, time_s) for one in WITNESSES).encode()

    def bundle(self, out: io.BufferedWriter) -> None:
        size, nodes = self.tree.size, self.tree.nodes
        epochs = (
            EpochOpening(at, salt, body, count, proof, note, consistency_proof(nodes, at, size))
            for at, salt, body, count, proof, note in self.records
        )
        write_bundle(
            out,
            Whose(OURS, 5),
            checkpoint=self.records[-1][-1],
            size=size,
            nodes=nodes,
            epochs=epochs,
            events=self.events,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    wanted = EVENTS // 10 if parser.parse_args().quick else EVENTS
    log = Log()
    while len(log.events) < wanted:
        log.batch()
    cost_us = log.cpu_s / log.made * 1e6
    say(step="log", events=log.made, leaves=log.tree.size, cpu_us_an_event=round(cost_us, 2), target_us=TARGET_US)
    with tempfile.TemporaryDirectory(prefix="ev-bench-") as name:
        folder = Path(name)
        begun = time.process_time()
        with (folder / "bundle.zip").open("wb") as file:
            log.bundle(file)
        events, megabytes = len(log.events), (folder / "bundle.zip").stat().st_size / 1e6
        say(step="bundle", events=events, mb=round(megabytes, 1), cpu_s=round(time.process_time() - begun, 2))
        lines = [
            f"log {LOG.key}",
            *(f"witness w{n} {one.key}" for n, one in enumerate(WITNESSES)),
            "group all-of-them 2 w0 w1 w2",
        ]
        (folder / "policy").write_text("\n".join([*lines, "quorum all-of-them", ""]))
        (folder / "verify.py").write_text(program())
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-I", "-c", WATCHED, "bundle.zip", "--policy", "policy", "--key", str(LOG.key)],
            cwd=folder, capture_output=True, text=True,
        )  # fmt: skip
        wall_s = time.perf_counter() - begun
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0 or f"{events} events and" not in done.stdout:
        raise SystemExit(f"the bundle was not verified:\n{done.stdout}{done.stderr}")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak_mb = int(done.stderr) / 1000
    million_s = cpu_s * EVENTS / events
    say(
        step="verify", events=events, wall_s=round(wall_s, 2), cpu_s=round(cpu_s, 2), peak_mb=round(peak_mb, 1),
        cpu_us_an_event=round(cpu_s / events * 1e6, 1), million_events_cpu_s=round(million_s, 1),
        ratio_s=round(TARGET_S / million_s, 2), ratio_mb=round(TARGET_MB / peak_mb, 2), ratio_us=round(TARGET_US / cost_us, 2),
    )  # fmt: skip
    worst = min(TARGET_S / million_s, TARGET_MB / peak_mb, TARGET_US / cost_us)
    conclude(
        f"{events:,} events verified, told as a million (worst of time, memory and CPU an event)",
        million_s, "s of CPU for 1,000,000 events", TARGET_S, worst,
    )  # fmt: skip


if __name__ == "__main__":
    main()
