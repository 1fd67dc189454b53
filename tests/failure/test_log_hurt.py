"""The log, its witness, the scheduler and the gateway are hurt while they work: nothing is lost or there twice, the log never goes
back, and all goes on by itself."""

import asyncio
import contextlib
import io
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from evenhand.app.opening import database, services
from evenhand.app.transparency import log_files
from evenhand.features.people import actions as people
from evenhand.features.tasks.turns import open_class
from evenhand.features.trust import witnesses
from evenhand.infra.db import Database
from evenhand.pure.log.bundle import Bundle
from evenhand.pure.log.checkpoints import Checkpoint
from evenhand.pure.log.checks import Question, verify
from evenhand.pure.log.merkle import consistency_proof
from evenhand.pure.log.notes import VerifierKey
from evenhand.pure.log.policy import Policy
from evenhand.pure.log.proofs import verify_consistency
from evenhand.pure.log.report import OK, Report
from evenhand.pure.log.tiles import TileNodes
from tests.failure.running import PASSWORD, PREFIX, Cast, Running, free_port, patiently, seed

KILLS = 3
FILE = bytes(range(256)) * 65_536
CLASS = "label native text"
ONTOLOGY = {"fields": [{"key": "n", "type": "number"}]}
ANSWER = {"annotations": [{"id": "a", "kind": "rating", "field": "n", "value": 1}]}
_RUN = "import sys; from evenhand.app.cli import main; sys.exit(main(sys.argv[1:]))"


def api_of(running: Running, cast: Cast) -> httpx.Client:
    """Each request on a connection of its own: the process behind the old one may be dead."""
    limits, key = httpx.Limits(max_keepalive_connections=0), {"authorization": f"Bearer {cast.key}"}
    return httpx.Client(base_url=running.url + PREFIX, headers=key, timeout=40, limits=limits)


def project(api: httpx.Client, name: str, tasks: int) -> str:
    made = api.post("/projects", json={"name": name, "medium": "text", "ontology": ONTOLOGY}).json()["id"]
    lines = "\n".join(f'{{"data":{{"text":"{n}"}}}}' for n in range(tasks))
    assert api.post(f"/projects/{made}/tasks/bulk", content=lines).json()["created"] == tasks
    return str(made)


def checked(running: Running, cast: Cast, words: str = witnesses.NOBODY) -> Report:
    """The report on the evidence that the log gives out now."""
    with api_of(running, cast) as api:
        raw = patiently(lambda: (r := api.get("/trust/bundle")).status_code == 200 and r.content, 60, "evidence")
    key = VerifierKey.parse(httpx.get(f"{running.url}/log/key").text.strip())
    return verify(Bundle(io.BytesIO(raw)), Question(key, Policy.parse(f"log {key}\n{words}".encode())))


def in_services(running: Running, act: Any) -> Any:
    async def run() -> Any:
        async with services(running.settings, *opened, connections=2) as s:
            return await act(s.db)

    with database(running.settings) as opened:
        return asyncio.run(run())


# --- the sequencer


class Watch:
    """Somebody who looks at the log's checkpoint all the time, and keeps each."""

    def __init__(self, running: Running) -> None:
        self.seen: list[Checkpoint] = []
        self._running, self._stop = running, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._stop.wait(0.05):
            with contextlib.suppress(httpx.HTTPError):
                reply = httpx.get(f"{self._running.url}/log/checkpoint", timeout=5)
                if reply.status_code == 200:
                    point = Checkpoint.parse(reply.content)
                    if not self.seen or (point.size, point.root) != (self.seen[-1].size, self.seen[-1].root):
                        self.seen.append(point)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)


def test_a_killed_sequencer_loses_nothing_and_never_goes_back(running: Running, cast: Cast) -> None:
    """Each time in the middle of a batch: its transaction is open, or its files are being written."""
    sequencing = (
        "select 1 from pg_stat_activity where application_name = 'evenhand sequencer' and state <> 'idle'"
        " and xact_start is not null"
    )
    with Watch(running) as watch, api_of(running, cast) as api, running.database() as look:
        made = project(api, "Killed", 3)
        for n in range(KILLS):
            before = len(watch.seen)
            patiently(lambda before=before: len(watch.seen) > before, 30, "a batch")
            sent = api.post(f"/projects/{made}/tasks", json={"data": {"text": f"{n}"}})
            assert sent.status_code == 200, sent.text
            until = time.monotonic() + 30
            while (
                look.execute(sequencing).fetchone() is None
            ):  # as often as it can be asked: it is open for milliseconds
                assert time.monotonic() < until
            for process in running.members()["worker"]:
                process.kill()
        before = len(watch.seen)
        patiently(lambda: len(watch.seen) > before + 1, 40, "the next worker goes on")
    unplaced = (
        "select count(*) from evenhand.fact f where xid < pg_snapshot_xmin(pg_current_snapshot()) and not exists"
        " (select from evenhand.log_place p where p.org_id = f.org_id and p.fact_id = f.fact_id)"
    )
    patiently(lambda: running.rows(unplaced) == [(0,)], 30, "everything has its place")
    twice = running.rows("select index, count(*) from evenhand.log_place group by index having count(*) > 1")
    gaps = running.rows(
        "select org_id from evenhand.log_place group by org_id"
        " having count(*) <> max(counter) - 1 or count(distinct counter) <> count(*)"
    )
    assert twice == gaps == []
    sizes = [point.size for point in watch.seen]
    assert sizes == sorted(set(sizes)), "each checkpoint is of a larger tree than the one before"
    newest, tile = watch.seen[-1], log_files(running.settings).tile
    for point in watch.seen:
        proof = consistency_proof(TileNodes(tile, newest.size), point.size, newest.size)
        verify_consistency(point.size, newest.size, proof, point.root, newest.root)
    report = checked(running, cast)
    assert report.exit == 0, report.as_text()


# --- the witness


class Bystander:
    """`evenhand witness` as a process."""

    def __init__(self, folder: Path, log: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        words = ["--folder", str(folder), "--log", log, "--listen", self.url.partition("//")[2], "--every", "600"]
        self._command = [sys.executable, "-c", _RUN, "witness", "--name", "witness.example", *words]
        self.start()
        self.key = VerifierKey.parse(httpx.get(f"{self.url}/key").text.strip())

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def answers() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(f"{self.url}/key").status_code == 200
            return False

        patiently(answers, 20, "the witness")

    def hurt(self, sign: int) -> None:
        self.process.send_signal(sign)
        if sign == signal.SIGKILL:
            self.process.wait(10)

    def mend(self, sign: int) -> None:
        if sign == signal.SIGKILL:
            self.start()
        else:
            self.process.send_signal(signal.SIGCONT)


@pytest.fixture
def bystander(running: Running, cast: Cast, tmp_path: Path) -> Iterator[Bystander]:
    patiently(lambda: httpx.get(f"{running.url}/log/checkpoint").status_code == 200, 20, "the log")
    made = Bystander(tmp_path / "witness", f"{running.url}/log")
    yield made
    made.process.kill()
    made.process.wait(10)


def test_a_witness_that_hangs_or_dies_holds_nothing_up(running: Running, cast: Cast, bystander: Bystander) -> None:
    """Meanwhile its cosignature is missed in the evidence; when it is back it catches up."""
    words = witnesses.with_witness(witnesses.NOBODY, "w", str(bystander.key), bystander.url)
    in_services(running, lambda db: witnesses.set_policy(db, words))
    files = log_files(running.settings)

    def cosigned() -> bool:
        (newest,) = running.rows("select checkpoint from evenhand.log_epoch order by epoch desc limit 1")[0]
        return files.epoch() == bytes(newest) and Checkpoint.parse(bytes(newest)).cosigned_at(bystander.key) is not None

    patiently(cosigned, 30, "the first cosignature")
    with api_of(running, cast) as api:
        made = project(api, "Witnessed", 1)
        state = "select size, batch_at from evenhand.log_state"
        for sign in (signal.SIGSTOP, signal.SIGKILL):
            bystander.hurt(sign)
            assert api.post(f"/projects/{made}/tasks", json={"data": {"text": "x"}}).status_code == 200
            size, batch_at = running.rows(state)[0]
            report = checked(running, cast, words)
            assert {fault.name for fault in report.checks["witnesses"].faults} == {"forked"}, report.as_text()
            patiently(lambda size=size: running.rows(state)[0][0] > size, 20, "the log goes on")
            late = (running.rows(state)[0][1] - batch_at) / 1e6
            assert late < 25, "no batch waited for the witness"
            assert not cosigned()
            bystander.mend(sign)
            patiently(cosigned, 40, "it catches up")
    report = checked(running, cast, words)
    assert report.checks["witnesses"].status == OK and report.exit == 0, report.as_text()


# --- the gateway, and a decision about whose turn it is


def test_a_stream_that_was_cut_off_is_taken_up_where_it_was(running: Running, cast: Cast) -> None:
    with api_of(running, cast) as api:
        link = api.post("/assets", files={"file": ("big.bin", FILE, "application/octet-stream")}).json()["url"]
    got = bytearray()
    with pytest.raises(httpx.HTTPError), httpx.stream("GET", link, timeout=20) as media:
        for piece in media.iter_raw(65_536):
            got += piece
            if len(got) == len(piece):
                for process in running.members()["http"]:
                    process.kill()
    assert 0 < len(got) < len(FILE)
    patiently(lambda: running.health() == 200, 20, "health")
    rest = httpx.get(link, headers={"range": f"bytes={len(got)}-"}, timeout=20)
    assert rest.status_code == 206 and bytes(got) + rest.content == FILE
    issued = "select count(*) from evenhand.fact where org_id = %s and kind = 'MediaIssued'"
    assert running.rows(issued, cast.org) == [(1,)], "that it may be seen is one event, however often it is taken up"


def test_a_process_killed_between_a_decision_and_its_lease(running: Running) -> None:
    """Somebody was given the turn and nothing came of it: the next one gets the work, and nobody is charged for what was not."""
    casts = [seed(running, 0, name=name, team=name.lower()) for name in ("Alder", "Birch")]

    async def share(db: Database) -> None:
        person = await people.add_person(db, "shared@people.example", "Shared", PASSWORD)
        for one in casts:
            await people.add_member(db, one.org, person, "annotator", shared=True)

    in_services(running, share)
    for one in casts:
        with api_of(running, one) as api:
            project(api, "Shared", 4)
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=running.url + PREFIX, timeout=40, limits=limits) as ann, ThreadPoolExecutor(1) as aside:
        signed = ann.post("/session", json={"email": "shared@people.example", "password": PASSWORD})
        ann.headers["x-evenhand-csrf"] = signed.json()["csrf"]
        done = [work(ann)]
        decided = "select count(*) from evenhand.sched_step where assignment <> ''"
        (before,) = running.rows(decided)[0]
        with running.database() as held, held.transaction():
            held.execute("lock table evenhand.assignment in access exclusive mode")
            asked = aside.submit(ann.post, "/work/next", json={"want": 1})
            patiently(lambda: running.rows(decided)[0][0] > before, 20, "it was decided")
            for process in running.members()["http"]:
                process.kill()
            # what they had asked for ends with them, as where the machine was lost
            held.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'evenhand desk'"
            )
        with pytest.raises(httpx.HTTPError):
            asked.result(30)
        lost = "select count(*) from evenhand.sched_step s where assignment <> '' and not exists"
        lost += " (select from evenhand.assignment a where a.assignment_id = s.assignment)"
        assert running.rows(lost)[0][0] >= 1
        patiently(lambda: running.health() == 200, 20, "health")
        while len(done) < 8:
            done.append(work(ann))
        assert len(set(done)) == 8, "every task was handed out once"
    # two minutes later
    running.rows("update evenhand.sched_step set at = at - interval '3 minutes' where assignment <> '' returning 1")
    for process in running.members()["worker"]:
        process.kill()
    left = lambda: in_services(running, lambda db: open_class(db, CLASS)).ledger.owner  # noqa: E731
    patiently(lambda: left() == {}, 30, "every decision is charged, the one that came to nothing as nothing")
    for one in casts:
        assert checked(running, one).exit == 0


def work(ann: httpx.Client) -> str:
    """One task, from the next that is handed out to its answer."""

    def lease() -> Any:
        with contextlib.suppress(httpx.HTTPError):
            reply = ann.post("/work/next", json={"want": 1})
            return reply.json()["assignments"] if reply.status_code == 200 else None
        return None

    (one,) = patiently(lease, 30, "work is handed out")
    said = ann.post(f"/work/{one['handle']}/submit", json={"key": one["handle"], "seconds": 1, "answer": ANSWER})
    assert said.status_code == 200, said.text
    return str(one["task"])
