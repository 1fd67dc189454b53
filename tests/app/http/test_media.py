"""The media gateway: ranges, who may look and until when, what is written down of it, and how files lie on the disk."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from PIL import Image

from evenhand.app import gateway as gateways
from evenhand.app.gateway import Gateway
from evenhand.features.assets import links, viewings
from evenhand.infra.db import SYSTEM
from evenhand.infra.files import PIECE_BYTES
from evenhand.infra.postgres import roles
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.infra.seal import At
from tests.conftest import KEYS, Browser, Customer, World
from tests.laws.test_canary import sightings
from tests.pg import TestServer

pytestmark = pytest.mark.anyio
HOST = {"host": "127.0.0.1:8080"}
API = "/api/v1"
CANARY = "NIGHTJARFEATHER"


@pytest.fixture
async def acme(world: World) -> Customer:
    return await world.customer("Acme")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that remembers nothing."""
    monkeypatch.setattr(gateways, "REMEMBER_S", 0.0)


def picture(width: int = 640) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((width, 480), 90).convert("RGB").save(out, "PNG")
    return out.getvalue()


async def upload(world: World, acme: Customer, data: bytes, name: str = "a.bin") -> Any:
    made = await world.keyed(acme.live_key).post(f"{API}/assets", files={"file": (name, data)})
    assert made.status_code == 200, made.text
    return made.json()


async def look(world: World, link: str, method: str = "GET", **headers: str) -> httpx.Response:
    return await world.client().request(method, link, headers={**HOST, **headers})


async def with_task(world: World, acme: Customer, who: str = "ann") -> tuple[Browser, Any]:
    """An annotator with a lease on a picture."""
    asset = await upload(world, acme, picture(), "a.png")
    api = world.keyed(acme.live_key)
    ontology = {"classes": [{"name": "thing", "kinds": ["box"]}]}
    project = (await api.post(f"{API}/projects", json={"name": who, "medium": "image", "ontology": ontology})).json()
    task = {"data": {"asset": asset["id"]}}
    made = await api.post(f"{API}/projects/{project['id']}/tasks", json=task)
    assert made.status_code == 200, made.text
    await world.worker(f"{who}@people.example", acme.live)
    await world.drain()
    ann = await world.browser(f"{who}@people.example")
    (lease,) = (await ann.post("/work/next", {"want": 1})).json()["assignments"]
    return ann, lease


async def events(world: World, org: str, kind: str) -> list[dict[str, Any]]:
    async with world.db.tx(org, SYSTEM) as tx:
        rows = await tx.conn.fetch(
            "select fact_id, about_id, actor_id, body from evenhand.fact where kind = $1 order by fact_id", kind
        )
        return [
            {"about": r["about_id"], "by": r["actor_id"], **tx.seal.open(r["body"], At("fact", r["fact_id"]))}
            for r in rows
        ]


# --- ranges


async def test_ranges_are_the_bytes_of_the_file(world: World, acme: Customer) -> None:
    data = bytes(n * 7 % 251 for n in range(3 * PIECE_BYTES + 12_345))
    link = (await upload(world, acme, data))["url"]
    whole = await look(world, link)
    assert (whole.status_code, whole.content) == (200, data) and whole.headers["accept-ranges"] == "bytes"
    tag = whole.headers["etag"]
    for asked, start, end in (
        ("bytes=0-0", 0, 1), ("bytes=16351-16353", 16351, 16354), ("bytes=100000-", 100_000, len(data)),
        ("bytes=-17", len(data) - 17, len(data)), (f"bytes=5-{2 * PIECE_BYTES}", 5, 2 * PIECE_BYTES + 1),
        (f"bytes={len(data) - 1}-99999999", len(data) - 1, len(data)),
    ):  # fmt: skip
        for conditional in ({}, {"if-range": tag}):
            part = await look(world, link, range=asked, **conditional)
            assert (part.status_code, part.content) == (206, data[start:end]), asked
            assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{len(data)}"
    changed = await look(world, link, range="bytes=0-9", **{"if-range": '"another"'})
    assert (changed.status_code, changed.content) == (200, data), "somebody has the beginning of another file"
    beyond = await look(world, link, range=f"bytes={len(data)}-")
    assert (beyond.status_code, beyond.headers["content-range"], beyond.content) == (416, f"bytes */{len(data)}", b"")
    head = await look(world, link, "HEAD", range="bytes=1-4")
    assert (head.status_code, head.headers["content-length"], head.content) == (206, "4", b"")


async def test_only_the_pages_may_read_it_and_nobody_keeps_it(world: World, acme: Customer) -> None:
    owner = await world.browser(acme.owner_email, acme.live)
    made = await upload(world, acme, picture(), "a.png")
    for reply in (await look(world, made["url"]), await look(world, made["thumb_url"]), await look(world, "/media/x")):
        assert reply.headers["access-control-allow-origin"] == "http://localhost:8080"
        assert "no-store" in reply.headers["cache-control"] and "set-cookie" not in reply.headers
        assert reply.headers["x-content-type-options"] == "nosniff"
    asked = await look(world, made["url"], "OPTIONS", origin="http://localhost:8080")
    assert asked.status_code == 204 and "range" in asked.headers["access-control-allow-headers"]
    page = await owner.client.get(made["url"].removeprefix("http://127.0.0.1:8080"))
    assert page.status_code == 404 and page.json()["hint"] == "They come from http://127.0.0.1:8080."


# --- until when


async def test_a_link_ends_with_the_session_that_it_was_given_to(world: World, acme: Customer, at_once: None) -> None:
    made = await upload(world, acme, picture(), "a.png")
    owner, other = await world.browser(acme.owner_email, acme.live), await world.browser(acme.owner_email, acme.live)
    mine, theirs = [(await one.get(f"/assets/{made['id']}")).json()["url"] for one in (owner, other)]
    assert mine != theirs and [(await look(world, one)).status_code for one in (mine, theirs)] == [200, 200]
    assert (await owner.ask("DELETE", "/session")).status_code == 200
    gone = await look(world, mine)
    assert gone.status_code == 404 and "ended" in gone.json()["detail"]
    assert (await look(world, theirs)).status_code == 200, "the other session lives"


async def test_a_link_ends_with_the_key_that_it_was_given_to(world: World, acme: Customer, at_once: None) -> None:
    made = await upload(world, acme, picture(), "a.png")
    assert (await look(world, made["thumb_url"])).status_code == 200
    owner = await world.browser(acme.owner_email, acme.live)
    (key,) = (await owner.get("/keys")).json()["items"]
    assert (await owner.ask("DELETE", f"/keys/{key['id']}")).status_code == 200
    assert [(await look(world, made[name])).status_code for name in ("url", "thumb_url")] == [404, 404]


async def test_a_link_ends_with_the_lease(world: World, acme: Customer, at_once: None) -> None:
    for how in ("submits", "releases", "signs.out", "is.signed.out", "is.removed"):
        ann, lease = await with_task(world, acme, how)
        link = lease["data"]["image"]["url"]
        assert (await look(world, link)).status_code == 200, how
        if how == "submits":
            answer = {"key": "k", "answer": {"annotations": []}, "seconds": 1}
            assert (await ann.post(f"/work/{lease['handle']}/submit", answer)).status_code == 200
        elif how == "releases":
            assert (await ann.post("/work/release", {"handles": [lease["handle"]]})).json() == {"released": 1}
        elif how == "signs.out":
            assert (await ann.ask("DELETE", "/session")).status_code == 200
        elif how == "is.removed":
            owner = await world.browser(acme.owner_email, acme.live)
            (them,) = [
                m for m in (await owner.get("/members")).json()["items"] if m["email"] == f"{how}@people.example"
            ]
            assert (await owner.ask("DELETE", f"/members/{them['person']}")).status_code == 200
            await world.drain()
        else:  # the lease is still there, the session is not
            async with world.db.narrow("gate") as door:
                await door.conn.execute("delete from evenhand.session where person_id = $1", ann.person)
        ended = await look(world, link)
        assert ended.status_code == 404 and "ended" in ended.json()["detail"], f"{how}: {ended.text}"


async def test_a_process_remembers_for_two_seconds(world: World, acme: Customer) -> None:
    made = await upload(world, acme, b"hello " * 9, "a.txt")
    token = made["url"].rsplit("/", 1)[-1]
    now = [100.0]
    gate = Gateway(world.services, clock=lambda: now[0])
    assert (await gate.open(token)).size == 54
    async with world.db.tx(acme.live, SYSTEM) as tx:
        await tx.conn.execute("update evenhand.api_key set revoked_at = now()")
    now[0] += gateways.REMEMBER_S - 0.1
    assert (await gate.open(token)).size == 54
    now[0] += 0.2
    with pytest.raises(links.LinkExpired):
        await gate.open(token)
    await gate.close()


async def test_a_long_answer_ends_with_what_it_was_given_with(world: World, acme: Customer) -> None:
    """A reader that is slow holds one answer open for hours."""
    data = bytes(5 * PIECE_BYTES)
    token = (await upload(world, acme, data))["url"].rsplit("/", 1)[-1]
    now = [100.0]
    gate = Gateway(world.services, clock=lambda: now[0])
    whole = b"".join([piece async for piece in (await gate.open(token)).pieces(0, len(data))])
    assert whole == data
    pieces = (await gate.open(token)).pieces(0, len(data))
    await anext(pieces)
    async with world.db.tx(acme.live, SYSTEM) as tx:
        await tx.conn.execute("update evenhand.api_key set revoked_at = now()")
    await anext(pieces)
    now[0] += gateways.REMEMBER_S + 0.1
    with pytest.raises(links.LinkExpired):
        await anext(pieces)
    await gate.close()


# --- what is written down


async def test_one_event_when_a_page_is_given_and_one_with_what_was_read(
    world: World, acme: Customer, urls: DatabaseUrls
) -> None:
    made = await upload(world, acme, b"0123456789", "a.txt")
    (issued,) = await events(world, acme.live, "MediaIssued")
    assert issued["grant"] == "key" and issued["count"] == 1
    async with world.db.tx(acme.live, SYSTEM) as tx:
        row = await tx.conn.fetchrow("select body from evenhand.viewing where viewing_id = $1", issued["about"])
        listed = tx.seal.open_as(row["body"], viewings.Listed, At("viewing", issued["about"]))
    again = viewings.Commitment(bytes.fromhex(listed.salt))
    for asset in listed.files:
        again.add(asset)
    assert listed.files == [made["id"]] and again.hexdigest() == issued["files"]
    gate = Gateway(world.services)
    for start in range(3):
        sight = await gate.open(made["url"].rsplit("/", 1)[-1])
        assert bytes(await sight.read(start, 10)) == b"0123456789"[start:]
    await gate.close()
    assert await viewings.close_ended(world.db) == 0, "its links still live"
    assert await viewings.close_ended(world.db, late_s=-2 * links.LIFE_S) == 1
    (closed,) = await events(world, acme.live, "MediaClosed")
    assert (closed["about"], closed["ranges"], closed["bytes"]) == (issued["about"], 3, 27)
    assert (await look(world, made["url"])).status_code == 404
    assert len(await events(world, acme.live, "MediaIssued")) == 1


async def test_a_lease_is_one_event_at_its_first_look_and_one_after_its_end(world: World, acme: Customer) -> None:
    ann, lease = await with_task(world, acme)
    before = len(await events(world, acme.live, "MediaIssued"))
    image = lease["data"]["image"]
    for link in (image["url"], image["thumb_url"], image["url"]):
        assert (await look(world, link)).status_code == 200
    one = (await events(world, acme.live, "MediaIssued"))[before:]
    assert [(e["grant"], e["by"], e["count"], e["assignment"]) for e in one] == [
        ("lease", ann.person, 1, lease["handle"][24:])
    ]
    await ann.post("/work/release", {"handles": [lease["handle"]]})
    await viewings.close_ended(world.db, late_s=0)
    assert [e["about"] for e in await events(world, acme.live, "MediaClosed")] == [one[0]["about"]]


async def test_what_cannot_be_written_down_is_not_shown(
    world: World, acme: Customer, pg_server: TestServer, urls: DatabaseUrls
) -> None:
    _, lease = await with_task(world, acme)
    link = lease["data"]["image"]["url"]
    with looking(pg_server, urls) as conn:
        conn.execute("alter table evenhand.fact add constraint none_more check (kind <> 'MediaIssued') not valid")
        refused = await look(world, link)
        assert (refused.status_code, refused.json()["code"]) == (503, "not_logged"), refused.text
        assert "could not be written to the log" in refused.json()["detail"]
        conn.execute("alter table evenhand.fact drop constraint none_more")
    assert (await look(world, link)).status_code == 200


async def test_the_links_of_an_export_open_when_the_export_is_written_down(world: World, acme: Customer) -> None:
    await with_task(world, acme)
    api = world.keyed(acme.live_key)
    project = (await api.get(f"{API}/projects")).json()["items"][0]["id"]
    reply = await api.get(f"{API}/exports", params={"project": project, "format": "jsonl"})
    (link,) = [json.loads(line)["data"]["image"]["url"] for line in reply.text.splitlines() if '"image"' in line]
    assert (await look(world, link.removeprefix("http://127.0.0.1:8080"))).status_code == 200


# --- on the disk


async def test_nothing_of_a_file_lies_readable_on_the_disk(
    world: World,
    acme: Customer,
    pg_server: TestServer,
    urls: DatabaseUrls,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    text = f"{CANARY} ".encode() * 200_000
    made = await upload(world, acme, text, "a.txt")
    shown = await upload(world, acme, picture() + CANARY.encode(), "a.png")
    assert (await look(world, made["url"])).content == text and (
        await look(world, shown["thumb_url"])
    ).status_code == 200
    home = world.services.settings.home.path
    kept = [path for path in home.rglob("*") if path.is_file() and "objects" in path.parts]
    assert len(kept) == 3, "two files and a thumbnail"
    with looking(pg_server, urls) as conn:
        conn.execute("checkpoint")
    for folder in (home, temporary, pg_server.home.pg):
        for path in folder.rglob("*"):
            if path.is_file():
                found = sightings(path.read_bytes(), CANARY)
                assert not found, f"{path}: {found[0][:80]}"
    jpeg = (await look(world, shown["thumb_url"])).content
    assert all(jpeg[:64] not in path.read_bytes() for path in kept)


def looking(pg_server: TestServer, urls: DatabaseUrls) -> Any:
    return psycopg.connect(pg_server.admin_url_of(roles.connection_info(urls.owner)["dbname"]), autocommit=True)


async def test_a_file_opens_in_its_own_place_only(world: World, acme: Customer, at_once: None) -> None:
    one, two = [await upload(world, acme, data) for data in (b"one" * 9000, b"two" * 9000)]
    objects = world.services.settings.home.objects
    names = sorted((path for path in objects.rglob("*") if path.is_file()), key=lambda path: path.stat().st_mtime_ns)
    assert len(names) == 2
    shutil.copyfile(names[0], names[1])
    swapped = await look(world, two["url"])
    assert (swapped.status_code, swapped.json()["code"]) == (409, "altered"), swapped.text
    whole = names[0].read_bytes()
    names[0].write_bytes(whole[:20_000] + bytes([whole[20_000] ^ 1]) + whole[20_001:])
    again = await look(world, one["url"], range="bytes=20000-20010")
    assert (again.status_code, again.json()["code"]) == (409, "altered"), again.text
    assert links.read(KEYS, one["url"].rsplit("/", 1)[-1]).org_id == acme.live
