"""v1: files."""

from typing import Any

from evenhand.app.http.call import announced, read_form
from evenhand.app.http.errors import TooLarge
from evenhand.app.scale.asking import Ask, entry
from evenhand.app.scale.linking import data_url
from evenhand.features.assets import actions as assets
from evenhand.features.assets import store
from evenhand.features.assets.types import AssetBody
from evenhand.features.people.rules import Verb, require
from evenhand.infra.db import Tx
from evenhand.infra.fetch import check_url, request
from evenhand.infra.ids import is_id
from evenhand.pure.scale import requests
from evenhand.pure.scale.checks import Obj, bad
from evenhand.pure.scale.query import decode_token, encode_token, first, next_place, parse_whole
from evenhand.pure.scale.requests import UploadFile
from evenhand.pure.scale.times import format_time
from evenhand.pure.trouble import Invalid, Upstream

SCAN = 200
SCANS_MOST = 50
TEXT_PARTS_BYTES = 1_000_000  # what may stand beside the file in a multipart body


def file_v1(tx: Tx, row: Any) -> Obj:
    body = assets.body_of(tx, row)
    out: Obj = {
        "id": row["asset_id"],
        "attachment_url": data_url(tx.org_id, row["asset_id"]),
        "mime_type": row["media_type"],
        "size": row["size"],
        "display_name": body.name,
        "project_names": body.projects,
        "metadata": body.metadata,
        "created_at": format_time(row["created_at"]),
        "updated_at": format_time(row["updated_at"]),
    }
    if body.reference_id:
        out["reference_id"] = body.reference_id
    return out


async def _keep(ask: Ask, data: bytes, name: str, given: UploadFile, source: str = "") -> Obj:
    body = AssetBody(
        name=(given.display_name or name).replace("\\", "/").rsplit("/", 1)[-1],
        source=source,
        reference_id=given.reference_id or "",
        metadata=given.metadata,
        projects=[given.project_name] if given.project_name else [],
    )
    kept = await assets.keep_file(ask.db, ask.objects, ask.org_id, ask.actor, data, body)
    async with ask.db.tx(ask.org_id, ask.actor) as tx:
        return file_v1(tx, await assets.get_row(tx, kept.id))


@entry("v1", "POST", "files/upload", tx=False, streams=True)
async def upload(ask: Ask) -> Any:
    """One file and its text parts, in any order."""
    most = assets.MOST_BYTES + TEXT_PARTS_BYTES
    async with ask.services.uploads.of(ask.org_id, announced(ask.request, most)):
        return await _uploaded(ask, most)


async def _uploaded(ask: Ask, most: int) -> Obj:
    form = await read_form(ask.request, most, fields=50)
    try:
        found = form.get("file")
        if found is None or isinstance(found, str):
            raise Invalid("Missing parameter: file is required")
        if found.size is not None and found.size > assets.MOST_BYTES:
            raise TooLarge(f"file must be at most {assets.MOST_BYTES // 1_000_000} MB")
        given = requests.parse_upload({k: v for k, v in form.multi_items() if isinstance(v, str)})
        data, name = await found.read(), found.filename or "file"
    finally:
        await form.close()
    return await _keep(ask, data, name, given)


@entry("v1", "POST", "files/import", tx=False)
async def import_file(ask: Ask) -> Any:
    """Fetches the address at once; a private one is refused unless the operator allows it."""
    given = requests.parse_import(ask.body())
    url = given.file_url or ""
    if url.lower().startswith("scaledata:"):
        raise bad("file_url", "must be an http or https URL")
    async with ask.db.tx(ask.org_id, ask.actor) as tx:
        require(tx, Verb.WRITE)
    check_url(url)
    got = await request("GET", url, most_bytes=assets.MOST_BYTES)
    if got.status != 200:
        raise Upstream(f"file_url answered {got.status}")
    return await _keep(ask, got.body, url.rsplit("/", 1)[-1].split("?", 1)[0] or "file", given, url)


@entry("v1", "GET", "files")
async def list_files(ask: Ask, tx: Tx) -> Any:
    """Newest first. Project and metadata are sealed, so they are looked at row by row, a bounded number at a time."""
    require(tx, Verb.READ)
    project = first(ask.pairs, "project")
    filters = requests.parse_upload({"metadata": first(ask.pairs, "metadata") or ""}).metadata
    limit = parse_whole("limit", first(ask.pairs, "limit") or "100", 1, 100)
    token = first(ask.pairs, "next_token") or first(ask.pairs, "cursor")
    key, scope = ask.db.keys.key("page"), f"{tx.org_id} files {project} {filters}"
    after = decode_token(token, key=key, scope=scope).id if token else None
    found: list[Any] = []
    more = True
    for _ in range(SCANS_MOST):
        rows = await store.ASSET_LIST.all(tx, org=tx.org_id, after=after, limit=SCAN)
        for row in rows:
            body = assets.body_of(tx, row)
            fits = project is None or project in body.projects
            if fits and all(body.metadata.get(k) == v for k, v in filters.items()) and row["state"] == "ready":
                found.append(row)
            after = row["asset_id"]
            if len(found) == limit:
                break
        more = len(found) == limit or len(rows) == SCAN
        if len(found) == limit or not more:
            break
    page: Obj = {"docs": [file_v1(tx, row) for row in found], "limit": limit, "has_more": more}
    if more and after is not None:
        last = await assets.get_row(tx, after)
        page["next_token"] = encode_token(next_place(after, last["created_at"]), key=key, scope=scope)
    return page


@entry("v1", "GET", "files/{file}")
async def get_file(ask: Ask, tx: Tx) -> Any:
    require(tx, Verb.READ)
    asset = ask.names["file"]
    return file_v1(tx, await assets.get_row(tx, asset if is_id(asset) else ""))
