"""`evenhand witness`: a witness in a folder of its own. It needs no home, no database and no server of Evenhand."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from evenhand.app.witness import Looked, Witness, find_key, look, watch, witness_app
from evenhand.infra.witnessfiles import WitnessFiles
from evenhand.pure.log.notes import VerifierKey
from evenhand.pure.log.wrong import Unreadable
from evenhand.pure.trouble import Invalid

_KEEP_ALIVE_S = 30


def witness(given: argparse.Namespace) -> int:
    if given.every < 1:
        raise Invalid("--every takes at least one second.")
    files = WitnessFiles(Path(given.folder), given.name)
    try:
        return asyncio.run(_run(given, files))
    finally:
        files.close()


def _listening(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise Invalid("--listen takes HOST:PORT, or :PORT for this machine only.")
    return host or "127.0.0.1", int(port)


async def _run(given: argparse.Namespace, files: WitnessFiles) -> int:
    address = (given.log or "").rstrip("/")
    if given.key or address:
        files.add_log(await _key(given.key, address), address)
    this = Witness(files)
    sys.stdout.write(f"{this.key}\n")
    for origin, (_, where) in this.logs().items():
        sys.stdout.write(f"watches {origin}{f' at {where}' if where else ''}\n")
    sys.stdout.flush()
    if not this.logs():
        raise Invalid(
            "This witness watches no log yet.", hint="Add --log URL, such as --log https://label.example.org/log"
        )
    if given.once:
        seen = [await look(this, origin, where) for origin, (_, where) in this.logs().items() if where]
        for one in seen:
            _tell(one)
        return 1 if any(one.fault for one in seen) else 0
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        group.create_task(watch(this, stop, given.every, _tell))
        if given.listen:
            group.create_task(serve(this, *_listening(given.listen), stop))
        else:
            group.create_task(stop.wait())
    return 0


async def _key(given: str | None, address: str) -> VerifierKey:
    if given is None:
        return await find_key(address)
    path = Path(given)
    try:
        return VerifierKey.parse(given if given.count("+") >= 2 else path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError, Unreadable) as err:
        raise Invalid(f"--key is no key of a log (name+id+base64), and no file that holds one: {err}.") from err


class Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Ours say when to stop."""
        yield


async def serve(this: Witness, host: str, port: int, stop: asyncio.Event) -> None:
    """Answers logs until told to stop."""
    config = uvicorn.Config(
        witness_app(this), host=host, port=port, log_level="warning", timeout_keep_alive=_KEEP_ALIVE_S, lifespan="off"
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    await asyncio.wait({serving, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
    stop.set()


def _tell(one: Looked) -> None:
    """What is wrong goes to standard error."""
    if one.fault:
        sys.stderr.write(f"evenhand: {one.origin}: {one.fault}\n")
        sys.stderr.flush()
    else:
        what = "cosigned" if one.taken else "cosigned; the log did not take the cosignature"
        sys.stdout.write(f"{one.origin} {one.size} {what}\n")
        sys.stdout.flush()
