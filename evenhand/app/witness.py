"""A witness: it cosigns what a log shows, and never two histories (c2sp.org/tlog-witness, c2sp.org/tlog-cosignature).

Logs ask it over HTTP, or it looks at them itself and brings them what it signed. Either way a checkpoint goes through `add`:
checked, kept on the disk, and only then signed.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from evenhand.infra.fetch import request
from evenhand.infra.witnessfiles import WitnessFiles
from evenhand.pure.log.checkpoints import Checkpoint
from evenhand.pure.log.merkle import consistency_proof
from evenhand.pure.log.notes import VerifierKey
from evenhand.pure.log.signing import cosignature
from evenhand.pure.log.tiles import Damaged, Tile, TileNodes
from evenhand.pure.log.witness import AddCheckpoint, Answer, consider
from evenhand.pure.log.wrong import Unreadable, Wrong
from evenhand.pure.trouble import Trouble, Upstream

log = logging.getLogger("evenhand.witness")
MOST_BODY = 64 * 1024
_MOST_TILE = 16 * 1024
_TIMEOUT_S = 20.0


class Witness:
    """The key of one folder and what it has cosigned. Checking and keeping is one step: whoever comes second waits."""

    def __init__(self, files: WitnessFiles, clock: Callable[[], float] = time.time) -> None:
        self._files, self._clock = files, clock
        self._one = threading.Lock()

    @property
    def key(self) -> VerifierKey:
        return self._files.signer.key

    def add(self, body: bytes) -> Answer:
        """The answer to a request. What it cosigns is on the disk before."""
        with self._one:
            logs = self._files.logs()
            latest = {origin: at for origin in logs if (at := self._files.latest(origin)) is not None}
            said = consider(body, {origin: [key] for origin, (key, _) in logs.items()}, latest)
            if said.accepted is None:
                return said
            note = AddCheckpoint.parse(body).note
            self._files.keep(said.accepted, note)
            line = cosignature(self._files.signer, said.accepted, int(self._clock()))
            return Answer(said.status, line, said.content_type, said.accepted)

    def latest(self, origin: str) -> tuple[int, bytes]:
        return self._files.latest(origin) or (0, b"")

    def logs(self) -> dict[str, tuple[VerifierKey, str]]:
        return self._files.logs()


def witness_app(witness: Witness) -> Starlette:
    """The submission side of the protocol, and the witness's key for people to read."""

    async def add(asked: Request) -> Response:
        body = bytearray()
        try:
            async for piece in asked.stream():
                body += piece
                if len(body) > MOST_BODY:
                    return PlainTextResponse("the request is too long\n", 413)
        except ClientDisconnect:
            return Response(status_code=400)
        said = await asyncio.to_thread(witness.add, bytes(body))
        if said.status != 200:
            log.warning("refused a checkpoint (%d): %s", said.status, said.body.strip()[:200])
        return Response(said.body, said.status, media_type=said.content_type)

    async def key(_: Request) -> Response:
        return PlainTextResponse(f"{witness.key}\n")

    return Starlette(routes=[Route("/add-checkpoint", add, methods=["POST"]), Route("/key", key, methods=["GET"])])


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking at a log. fault: what is wrong with it, "" for nothing; taken: the log has our cosignature."""

    origin: str
    size: int = 0
    fault: str = ""
    taken: bool = False


async def _got(url: str, most: int = MOST_BODY) -> bytes | None:
    got = await request("GET", url, most_bytes=most, timeout_s=_TIMEOUT_S, private=True)
    if got.status == 404:
        return None
    if got.status != 200:
        raise Upstream(f"{url} answered {got.status}.")
    return got.body


async def find_key(address: str) -> VerifierKey:
    """The key that a log says is its own. Raises Upstream."""
    raw = await _got(f"{address}/key")
    try:
        return VerifierKey.parse((raw or b"").decode("utf-8", "replace").strip())
    except Unreadable as err:
        raise Upstream(f"{address}/key gives no key of a log.", hint="Give it with --key.") from err


async def look(witness: Witness, origin: str, address: str) -> Looked:
    """Fetches the newest checkpoint of a log and what proves it, cosigns it, and brings the log the cosignature.

    A log of Evenhand is asked for the end of its newest epoch, which is what evidence goes by; another for its checkpoint.
    Raises Upstream where the log can't be reached."""
    note = await _got(f"{address}/epoch") or await _got(f"{address}/checkpoint")
    if note is None:
        raise Upstream(f"{address} has no checkpoint yet.")
    try:
        new = Checkpoint.parse(note)
    except Unreadable as err:
        return Looked(origin, fault=f"its checkpoint can't be read: {err}")
    if new.origin != origin:
        return Looked(origin, fault=f"its checkpoint is of another log, {new.origin!r}")
    size, root = await asyncio.to_thread(witness.latest, origin)
    if new.size < size:
        return Looked(origin, new.size, fault=f"it is shorter than it was: {new.size} leaves after {size}")
    if new.size == size and new.root == root and new.note.by(witness.key):
        return Looked(origin, size, taken=True)
    proof: list[bytes] = []
    if 0 < size < new.size:
        try:
            proof = await _proof(address, size, new.size)
        except Damaged as err:
            return Looked(origin, new.size, fault=f"it gives no proof from {size} leaves: {err}")
    said = await asyncio.to_thread(witness.add, AddCheckpoint(size, tuple(proof), note).body())
    if said.status != 200:
        return Looked(origin, new.size, fault=f"it was refused ({said.status}): {said.body.strip()}")
    text = new.note.text.encode() + b"\n" + said.body.encode()
    told = await request("POST", f"{address}/cosign", content=text, most_bytes=MOST_BODY, private=True)
    return Looked(origin, new.size, taken=told.status == 200)


async def _proof(address: str, old: int, new: int) -> list[bytes]:
    """From the log's tiles; it is checked before it is believed. Raises Damaged and Upstream."""
    loop = asyncio.get_running_loop()

    def read(tile: Tile) -> bytes:
        raw = asyncio.run_coroutine_threadsafe(_got(f"{address}/{tile.path}", _MOST_TILE), loop).result()
        if raw is None:
            raise Damaged(f"{tile.path} is not there")
        return raw

    return await asyncio.to_thread(consistency_proof, TileNodes(read, new), old, new)


async def watch(witness: Witness, stop: asyncio.Event, every_s: float, tell: Callable[[Looked], None]) -> None:
    """Looks at each log that has an address, again and again. A log that is away or wrong keeps nobody from the others."""

    async def follow(origin: str, address: str) -> None:
        told: Looked | None = None
        while not stop.is_set():
            try:
                seen = await look(witness, origin, address)
            except (Trouble, Wrong, OSError) as err:
                seen = Looked(origin, fault=f"can't be reached: {err}")
            if seen != told:
                tell(seen)
            told = seen
            try:
                await asyncio.wait_for(stop.wait(), every_s)
            except TimeoutError:
                continue

    async with asyncio.TaskGroup() as group:
        for origin, (_, address) in witness.logs().items():
            if address:
                group.create_task(follow(origin, address))
