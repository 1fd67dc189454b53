"""A file that a dead process left behind goes after a day; what anything names never does."""

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from evenhand.features.assets.unused import drop_unused, swept
from evenhand.infra.files import PARAMETERS
from evenhand.infra.objects import Objects
from evenhand.infra.postgres.roles import DatabaseUrls
from tests.conftest import World

pytestmark = pytest.mark.anyio
PICTURE = Path(__file__).resolve().parents[2] / "fixtures" / "demo" / "01-chickens.jpg"
#: dies between the file and its row
DYING = """
import asyncio, os, pickle, signal, sys
from pathlib import Path
from evenhand.app.opening import key_service
from evenhand.features.assets.actions import keep_file
from evenhand.features.assets.types import AssetBody
from evenhand.infra.db import SYSTEM, Database
from evenhand.infra.facts import record
from evenhand.infra.home import Home
from evenhand.infra.objects import Objects
from tests.conftest import KEYS

class Dying(Objects):
    async def put(self, *args):
        await super().put(*args)
        os.kill(os.getpid(), signal.SIGKILL)

async def main(urls, home, folder, org, picture):
    async with Database(urls, KEYS, key_service(Home(Path(home)), KEYS), record) as db:
        await keep_file(db, Dying(Path(folder)), org, SYSTEM, Path(picture).read_bytes(), AssetBody())

asyncio.run(main(pickle.loads(bytes.fromhex(sys.argv[1])), *sys.argv[2:]))
"""


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _age(path: Path, hours: float) -> None:
    os.utime(path, (time.time() - hours * 3600,) * 2)


async def test_what_a_kill_left_behind(world: World, urls: DatabaseUrls) -> None:
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    folder = world.services.settings.home.objects
    for customer in (acme, birch):
        sent = {"file": ("a.jpg", PICTURE.read_bytes())}
        kept = await world.keyed(customer.live_key).post("/api/v1/assets", files=sent)
        assert kept.status_code == 200
        url = kept.json()["thumb_url"]
        seen = await world.client(headers={"host": "127.0.0.1:8080"}).get(url)  # which makes the thumbnail
        assert seen.status_code == 200, seen.text
    needed = _files(folder)
    assert len(needed) == 4
    arguments = [pickle.dumps(urls).hex(), str(world.services.settings.home.path), str(folder), acme.live, str(PICTURE)]
    died = await asyncio.create_subprocess_exec(sys.executable, "-c", DYING, *arguments, stderr=subprocess.PIPE)
    _, said = await asyncio.wait_for(died.communicate(), 60)
    assert died.returncode == -signal.SIGKILL, said.decode()
    (left,) = set(_files(folder)) - set(needed)
    strange = folder / ("ab" * 12) / "cd" / ("cd" * 16)  # of a space that this database does not know
    strange.parent.mkdir(parents=True)
    strange.write_bytes(b"?")
    for path in (*needed, left, strange):
        _age(path, 23)
    objects = Objects(folder)
    assert (await drop_unused(world.db, objects)).files == 0, "it may be on its way still"
    for path in (*needed, left, strange):
        _age(path, 25)
    gone = await drop_unused(world.db, objects)
    assert (gone.files, gone.bytes) == (1, PARAMETERS.sealed_size(PICTURE.stat().st_size))
    assert _files(folder) == sorted([*needed, strange])
    assert (await drop_unused(world.db, objects)).files == 0
    async with world.db.tx(acme.live, acme.actor) as tx:
        assert (await swept(tx)).files == 1
    async with world.db.tx(birch.live, birch.actor) as tx:
        assert (await swept(tx)).files == 0 and (await swept(tx)).looked_at is not None


async def test_the_same_name_in_another_space_protects_nothing(world: World) -> None:
    """A name counts in its own space only, so that nobody's row can keep or doom somebody else's file."""
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    folder = world.services.settings.home.objects
    sent = {"file": ("a.jpg", PICTURE.read_bytes())}
    assert (await world.keyed(acme.live_key).post("/api/v1/assets", files=sent)).status_code == 200
    (kept,) = _files(folder)
    twin = folder / birch.live / kept.parent.name / kept.name
    twin.parent.mkdir(parents=True)
    twin.write_bytes(b"twin")
    gone = await drop_unused(world.db, Objects(folder), older=timedelta(seconds=-5))
    assert gone.files == 1 and _files(folder) == [kept]
