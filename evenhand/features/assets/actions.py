"""What is done with files: kept when uploaded, fetched by a job when given as an address."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from evenhand.features.assets import store
from evenhand.features.assets.rules import Sniffed, check_picture, sniff, thumbnail
from evenhand.features.assets.storage_limit import OverStorageLimit, count_file
from evenhand.features.assets.types import Asset, AssetBody, AssetFailed, AssetStored
from evenhand.features.assets.viewings import issue
from evenhand.features.people.rules import Verb, require
from evenhand.infra.db import SYSTEM, Actor, Database, Tx
from evenhand.infra.facts import record
from evenhand.infra.fetch import check_url, request
from evenhand.infra.files import OpenFile, file_key, keep, new_file_key, open_file, read_whole
from evenhand.infra.ids import is_id, new_id
from evenhand.infra.objects import FileLost, Objects, StorageFull
from evenhand.infra.seal import At, Seal
from evenhand.pure.trouble import Conflict, Invalid, Missing, Upstream

MOST_BYTES = 80_000_000
THUMB_PX = 320
_THUMB = f"t{THUMB_PX}"
#: pictures are decoded one at a time: a bomb may cost time, never memory for two
_decoder = ThreadPoolExecutor(1, thread_name_prefix="pictures")


class NoSuchAsset(Missing):
    hint = "Upload the file first, or give its address."


class ReferenceTaken(Conflict):
    hint = "Each reference_id names one file."


async def _decoded(call: Any, *args: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_decoder, call, *args)


def _at(asset: str) -> At:
    return At("asset", asset)


async def asset_of(tx: Tx, row: Any, db: Database) -> Asset:
    body = body_of(tx, row)
    ready = row["state"] == "ready"
    link = await issue(tx, db, [row["asset_id"]] if ready else [])
    return Asset(
        row["asset_id"],
        body.name,
        row["state"],
        row["media_type"],
        row["size"],
        row["width"],
        row["height"],
        row["created_at"],
        link(row["asset_id"], "full") if ready else "",
        link(row["asset_id"], "thumb") if ready and row["width"] else "",
    )


async def keep_file(db: Database, objects: Objects, org_id: str, actor: Actor, data: bytes, body: AssetBody) -> Asset:
    """Keeps an uploaded file. The object is written first: a crash leaves an unused object, never a row without one."""
    if len(data) > MOST_BYTES:
        raise Invalid(f"The file is larger than {MOST_BYTES // 1_000_000} MB.")
    if not data:
        raise Invalid("The file is empty.")
    async with db.tx(org_id, actor) as tx:
        require(tx, Verb.WRITE)
        await count_file(tx, objects, len(data))
    found: Sniffed = await _decoded(sniff, data)
    if found.width:
        try:
            found = await _decoded(check_picture, data)
        except Invalid as err:
            # kept as it was sent, but nobody is asked to label half a picture
            found, body.error = Sniffed(found.type), err.message
    body.object = objects.fresh_name()
    body.sha256 = sha256(data).hexdigest()
    body.name = body.name[:500]
    key = new_file_key(await db.seal(org_id), body.object)
    await keep(objects, org_id, body.object, key.key, data)
    asset = new_id()
    async with db.tx(org_id, actor) as tx:
        added = await store.ASSET_ADD.maybe(
            tx,
            org=org_id,
            asset=asset,
            state="ready",
            type=found.type,
            size=len(data),
            width=found.width,
            height=found.height,
            ref_mac=tx.seal.mac("reference", body.reference_id) if body.reference_id else None,
            object=body.object,
            object_key=key.stored,
            body=tx.seal.shut(body, _at(asset)),
        )
        if added is None:
            await objects.delete(org_id, body.object)
            raise ReferenceTaken(f"The reference_id '{body.reference_id[:100]}' is used for another file.")
        await record(tx, AssetStored(asset, len(data), found.type))
        return await asset_of(tx, await store.ASSET_GET.one(tx, org=org_id, asset=asset), db)


async def keep_file_once(
    db: Database, objects: Objects, org_id: str, actor: Actor, data: bytes, body: AssetBody
) -> Asset:
    """Like keep_file, but the same file under the same reference_id again gives the one that is here already."""
    try:
        return await keep_file(db, objects, org_id, actor, data, body)
    except ReferenceTaken:
        async with db.tx(org_id, actor) as tx:
            require(tx, Verb.WRITE)
            row = await store.ASSET_BY_REF.one(tx, org=org_id, ref_mac=tx.seal.mac("reference", body.reference_id))
            if body_of(tx, row).sha256 != sha256(data).hexdigest():
                raise
            return await asset_of(tx, row, db)


async def keep_made(tx: Tx, objects: Objects, data: bytes, name: str) -> str:
    """Keeps a small file of our own making (a response that is a file) with the transaction. Returns the asset's id."""
    await count_file(tx, objects, len(data))
    found: Sniffed = await _decoded(sniff, data)
    body = AssetBody(name=name[:500], object=objects.fresh_name(), sha256=sha256(data).hexdigest())
    key = new_file_key(tx.seal, body.object)
    await keep(objects, tx.org_id, body.object, key.key, data)
    asset = new_id()
    await store.ASSET_ADD.run(
        tx, org=tx.org_id, asset=asset, state="ready", type=found.type, size=len(data), width=found.width,
        height=found.height, ref_mac=None, object=body.object, object_key=key.stored, body=tx.seal.shut(body, _at(asset)),
    )  # fmt: skip
    await record(tx, AssetStored(asset, len(data), found.type))
    return asset


async def expect_file(tx: Tx, url: str) -> str:
    """An asset that a job will fetch. Returns its id."""
    check_url(url)
    asset = new_id()
    await store.ASSET_ADD.run(
        tx, org=tx.org_id, asset=asset, state="fetching", type=None, size=0, width=None, height=None, ref_mac=None,
        object=None, object_key=None,
        body=tx.seal.shut(AssetBody(name=url.rsplit("/", 1)[-1].split("?", 1)[0][:200], source=url), _at(asset)),
    )  # fmt: skip
    return asset


async def get_row(tx: Tx, asset: str) -> Any:
    row = await store.ASSET_GET.maybe(tx, org=tx.org_id, asset=asset) if is_id(asset) else None
    if row is None:
        raise NoSuchAsset("There is no such file.")
    return row


def body_of(tx: Tx, row: Any) -> AssetBody:
    return tx.seal.open_as(row["body"], AssetBody, _at(row["asset_id"]))


@dataclass(frozen=True, slots=True)
class Arrived:
    """How a fetch ended. `status` is the HTTP status, 0 when nothing answered."""

    ok: bool
    status: int
    error: str
    type: str = ""
    width: int | None = None
    height: int | None = None
    text: str | None = None


async def fetch_file(
    db: Database, objects: Objects, org_id: str, asset: str, *, picture: bool, want_text: bool = False
) -> Arrived:
    """Fetches an expected asset and keeps it. Raises Upstream when another try may help."""
    async with db.tx(org_id, SYSTEM) as tx:
        row = await get_row(tx, asset)
        body = body_of(tx, row)
    if row["state"] == "ready":
        return Arrived(True, 200, "", row["media_type"], row["width"], row["height"])
    try:
        got = await request("GET", body.source, most_bytes=MOST_BYTES)
    except Invalid as err:
        return await _failed(db, org_id, asset, body, 0, str(err))
    if got.status in (408, 425, 429) or got.status >= 500:
        raise Upstream(f"The address answered {got.status}.")
    if got.status != 200:
        return await _failed(db, org_id, asset, body, got.status, f"The address answered {got.status}.")
    try:
        found: Sniffed = await _decoded(check_picture if picture else sniff, got.body)
    except Invalid as err:
        return await _failed(db, org_id, asset, body, got.status, str(err))
    text: str | None = None
    if want_text:
        try:
            text = got.body.decode("utf-8")
        except UnicodeDecodeError:
            return await _failed(db, org_id, asset, body, got.status, "The text is not UTF-8.")
    try:
        async with db.tx(org_id, SYSTEM) as tx:
            await count_file(tx, objects, len(got.body))
    except OverStorageLimit as err:
        return await _failed(db, org_id, asset, body, got.status, str(err))
    body.object = objects.fresh_name()
    body.sha256 = sha256(got.body).hexdigest()
    key = new_file_key(await db.seal(org_id), body.object)
    await keep(objects, org_id, body.object, key.key, got.body)
    async with db.tx(org_id, SYSTEM) as tx:
        await store.ASSET_READY.run(
            tx, org=org_id, asset=asset, state="ready", type=found.type, size=len(got.body), width=found.width,
            height=found.height, object=body.object, object_key=key.stored, body=tx.seal.shut(body, _at(asset)),
        )  # fmt: skip
        await record(tx, AssetStored(asset, len(got.body), found.type))
    return Arrived(True, got.status, "", found.type, found.width, found.height, text)


async def give_up(db: Database, org_id: str, asset: str, error: str) -> Arrived:
    """No further try: the asset is in error."""
    async with db.tx(org_id, SYSTEM) as tx:
        body = body_of(tx, await get_row(tx, asset))
    return await _failed(db, org_id, asset, body, 0, error)


async def _failed(db: Database, org_id: str, asset: str, body: AssetBody, status: int, error: str) -> Arrived:
    body.error, body.status = error, status
    async with db.tx(org_id, SYSTEM) as tx:
        await store.ASSET_READY.run(
            tx, org=org_id, asset=asset, state="error", type=None, size=0, width=None, height=None,
            object=None, object_key=None, body=tx.seal.shut(body, _at(asset)),
        )  # fmt: skip
        await record(tx, AssetFailed(asset, status))
    return Arrived(False, status, error)


async def drop_object(objects: Objects, org_id: str, name: str) -> None:
    """Deletes a kept file and what was made from it. What is gone already is gone."""
    for one in (name, f"{name}.t{THUMB_PX}"):
        if await objects.exists(org_id, one):
            await objects.delete(org_id, one)


@dataclass(frozen=True, slots=True)
class Stored:
    """What is needed of an asset to open its file again and again."""

    org_id: str
    object: str
    object_key: bytes | None
    type: str


async def stored(tx: Tx, asset: str) -> Stored:
    """Raises NoSuchAsset, also where it is not here yet."""
    row = await store.ASSET_FILE.maybe(tx, org=tx.org_id, asset=asset)
    if row is None:
        raise NoSuchAsset("This file is not here.")
    return Stored(tx.org_id, row["object"], row["object_key"], row["media_type"])


async def read_file(tx: Tx, objects: Objects, asset: str) -> bytes:
    """A whole file, for what works with it here."""
    found = await stored(tx, asset)
    return await read_whole(objects, tx.org_id, found.object, file_key(tx.seal, found.object, found.object_key))


@dataclass(frozen=True, slots=True)
class Variant:
    file: OpenFile
    type: str
    stands_in: bool = False  # the whole file, for a thumbnail that could not be kept this time


async def open_variant(seal: Seal, objects: Objects, file: Stored, variant: str) -> Variant:
    """A file for looking at. The first look at a thumbnail makes it."""
    if variant == "full":
        return Variant(await open_file(objects, seal, file.object, file.object_key), file.type)
    try:
        return Variant(await open_file(objects, seal, file.object, file.object_key, _THUMB), "image/jpeg")
    except FileLost:
        key = file_key(seal, file.object, file.object_key)
    small: bytes = await _decoded(thumbnail, await read_whole(objects, file.org_id, file.object, key), THUMB_PX)
    try:
        await keep(objects, file.org_id, file.object, key, small, _THUMB)
    except StorageFull:  # looking goes on while the disk is full
        return Variant(await open_file(objects, seal, file.object, file.object_key), file.type, stands_in=True)
    return Variant(await open_file(objects, seal, file.object, file.object_key, _THUMB), "image/jpeg")
