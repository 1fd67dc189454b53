"""`evenhand witness` as a process: it keeps what it cosigned through kill -9, and never cosigns two histories."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evenhand.infra.witnessfiles import WitnessBusy, WitnessFiles
from evenhand.pure.log.checkpoints import Checkpoint
from evenhand.pure.log.merkle import Tree, consistency_proof
from evenhand.pure.log.notes import LOG_KEY, VerifierKey
from evenhand.pure.log.proofs import leaf_hash
from evenhand.pure.log.signing import Signer, sign_checkpoint
from evenhand.pure.log.witness import AddCheckpoint
from evenhand.pure.trouble import Conflict, Invalid
from tests.serving import free_port

SIGNER = Signer.of("log.example/one", LOG_KEY, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
TREE = Tree(leaf_hash(n.to_bytes(4, "big")) for n in range(4000))
_RUN = "import sys; from evenhand.app.cli import main; sys.exit(main(sys.argv[1:]))"
OTHER = Tree(leaf_hash(b"another history %d" % n) for n in range(4000))


def request(old: int, new: int, tree: Tree = TREE) -> bytes:
    root = Tree(tree.levels[0][:new]).root()
    proof = tuple(consistency_proof(tree.nodes, old, new)) if old else ()
    return AddCheckpoint(old, proof, sign_checkpoint(SIGNER, new, root)).body()


@contextmanager
def process(folder: Path, port: int) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    words = ["witness", "--folder", str(folder), "--key", str(SIGNER.key), "--listen", f"127.0.0.1:{port}"]
    with (
        subprocess.Popen([sys.executable, "-c", _RUN, *words], stdout=subprocess.PIPE, text=True) as running,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        try:
            for _ in range(400):
                try:
                    client.get("/key")
                    break
                except httpx.TransportError:
                    assert running.poll() is None
                    time.sleep(0.05)
            yield running, client
        finally:
            running.kill()


def test_what_was_cosigned_outlives_kill_9_and_a_fork_is_refused(tmp_path: Path) -> None:
    folder, port = tmp_path / "witness", free_port()
    answered = 0
    for _ in range(3):
        with process(folder, port) as (running, client):
            held = client.post("/add-checkpoint", content=request(0, 5))
            at = 0 if held.status_code == 200 else int(held.text)
            assert at >= answered, "a cosignature left before it was on the disk"
            if at == 0:
                at = 5
            killer = threading.Timer(random.uniform(0.05, 0.3), running.send_signal, [signal.SIGKILL])
            killer.start()
            try:
                while at < 3900:
                    said = client.post("/add-checkpoint", content=request(at, at + 1))
                    assert said.status_code == 200, said.text
                    at = answered = at + 1
            except httpx.TransportError:
                pass
            killer.join()
    assert answered > 5
    with process(folder, port) as (running, client):
        old = int(client.post("/add-checkpoint", content=request(0, 5)).text)
        fork = client.post("/add-checkpoint", content=request(old, old + 10, OTHER))
        same = client.post("/add-checkpoint", content=request(old, old, OTHER).replace(b"old 0", b"old %d" % old))
        shorter = client.post("/add-checkpoint", content=request(5, old - 1))
        assert (fork.status_code, same.status_code, shorter.status_code) == (422, 409, 409)
        good = client.post("/add-checkpoint", content=request(old, old + 10))
        key = VerifierKey.parse(client.get("/key").text.strip())
        note = sign_checkpoint(SIGNER, old + 10, Tree(TREE.levels[0][: old + 10]).root()) + good.content
        assert abs((Checkpoint.parse(note).cosigned_at(key) or 0) - time.time()) < 60
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 0


def test_one_folder_is_one_witness(tmp_path: Path) -> None:
    first = WitnessFiles(tmp_path / "w", "hospital.example")
    with pytest.raises(WitnessBusy):
        WitnessFiles(tmp_path / "w")
    first.add_log(SIGNER.key, "https://one.example/log")
    with pytest.raises(Conflict, match="another key"):
        first.add_log(VerifierKey(SIGNER.key.name, LOG_KEY, bytes(32)), "")
    first.close()
    again = WitnessFiles(tmp_path / "w")
    assert again.signer.key == first.signer.key and again.signer.key.name == "hospital.example"
    assert again.logs() == {SIGNER.key.name: (SIGNER.key, "https://one.example/log")}
    again.close()
    with pytest.raises(Invalid, match="is called"):
        WitnessFiles(tmp_path / "w", "other.example")


def test_a_witness_that_lost_its_memory_cosigns_nothing(tmp_path: Path) -> None:
    """What it cosigned can't be read: going on as if it had seen nothing would be the end of its word."""
    files = WitnessFiles(tmp_path / "w")
    files.add_log(SIGNER.key, "")
    note = sign_checkpoint(SIGNER, 5, Tree(TREE.levels[0][:5]).root())
    files.keep(Checkpoint.parse(note), note)
    assert files.latest(SIGNER.key.name) == (5, Tree(TREE.levels[0][:5]).root())
    (held,) = (tmp_path / "w" / "latest").iterdir()
    held.write_bytes(note[:-30])
    with pytest.raises(Invalid, match="nothing of"):
        files.latest(SIGNER.key.name)
    files.close()
