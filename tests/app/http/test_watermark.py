"""Names in pictures as they leave through the gateway: whose, on which, in every range, and never on the disk."""

import asyncio
import io
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from evenhand.app import gateway as gateways
from evenhand.app import marks as marking
from evenhand.app.marks import MarkedFile, Marks, MarksBusy
from evenhand.features.assets import watermark
from tests.app.http.test_media import API, at_once, look, upload
from tests.conftest import Browser, Customer, World

__all__ = ["at_once"]
pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("at_once")]
SIZE = (640, 480)


@pytest.fixture
async def acme(world: World) -> Customer:
    return await world.customer("Acme")


def plain(kind: str = "PNG") -> bytes:
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    three = np.stack([x * 255 // SIZE[0], y * 255 // SIZE[1], np.full_like(x, 120)], -1).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(three).save(out, kind, quality=88)
    return out.getvalue()


def seen(data: bytes) -> NDArray[np.int16]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"), dtype=np.int16)


async def switch(world: World, acme: Customer, watermark: str) -> None:
    set_ = await world.keyed(acme.live_key).put(f"{API}/settings/media", json={"watermark": watermark})
    assert set_.status_code == 200 and set_.json() == {"watermark": watermark}, set_.text


async def leased(world: World, acme: Customer, data: bytes, *names: str) -> list[tuple[Browser, Any]]:
    """People of the pool, each with a lease on the same picture."""
    asset = await upload(world, acme, data, "a.img")
    api = world.keyed(acme.live_key)
    ontology = {"classes": [{"name": "thing", "kinds": ["box"]}]}
    body = {"name": names[0], "medium": "image", "ontology": ontology, "overlap": len(names)}
    project = (await api.post(f"{API}/projects", json=body)).json()
    made = await api.post(f"{API}/projects/{project['id']}/tasks", json={"data": {"asset": asset["id"]}})
    assert made.status_code == 200, made.text
    for name in names:
        await world.worker(f"{name}@people.example", acme.live, shared=True)
    await world.drain()
    out: list[tuple[Browser, Any]] = []
    for name in names:
        browser = await world.browser(f"{name}@people.example")
        (lease,) = (await browser.post("/work/next", {"want": 1})).json()["assignments"]
        out.append((browser, lease))
    return out


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
async def test_each_viewer_has_their_own_name_in_the_same_picture(world: World, acme: Customer, kind: str) -> None:
    data = plain(kind)
    (_, one), (_, two) = await leased(world, acme, data, "ann", "bea")
    links = [lease["data"]["image"]["url"] for lease in (one, two)]
    assert [(await look(world, link)).content for link in links] == [data, data], "off until it is switched on"
    await switch(world, acme, "people")
    replies = [await look(world, link) for link in links]
    assert {r.headers["content-type"] for r in replies} == {f"image/{kind.lower()}"}
    assert len({r.headers["etag"] for r in replies}) == 2 and replies[0].content != replies[1].content
    image = one["data"]["image"]
    assert (image["width"], image["height"]) == SIZE, "what is drawn is drawn on the picture that is shown"
    pictures = [seen(r.content) for r in replies]
    for picture in pictures:
        assert picture.shape == (SIZE[1], SIZE[0], 3)
        off = np.abs(picture - seen(data)).max(-1)
        assert (off > 20).mean() > 0.01 and (off <= 4).mean() > 0.6
    assert np.abs(pictures[0] - pictures[1]).max() > 20, "the names differ"
    small = seen((await look(world, image["thumb_url"])).content)
    clean = await thumb(world, acme, data)
    assert small.shape == clean.shape and (np.abs(small - clean) > 20).any(), "thumbnails as well"
    await switch(world, acme, "off")
    assert (await look(world, links[0])).content == data


async def thumb(world: World, acme: Customer, data: bytes) -> NDArray[np.int16]:
    """The thumbnail as a key reads it, which no name is in."""
    return seen((await look(world, (await upload(world, acme, data, "b.img"))["thumb_url"])).content)


async def test_the_name_is_the_one_that_this_customer_knows(
    world: World, acme: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[str, ...]] = []
    real = watermark.mark
    monkeypatch.setattr(watermark, "mark", lambda data, lines: drawn.append(lines) or real(data, lines))  # type: ignore[func-returns-value]
    ((ann, lease),) = await leased(world, acme, plain(), "ann")
    await switch(world, acme, "people")
    assert (await look(world, lease["data"]["image"]["url"])).status_code == 200
    owner = await world.browser(acme.owner_email, acme.live)
    (member,) = [m for m in (await owner.get("/members")).json()["items"] if m["role"] == "annotator"]
    issued = [e for e in (await owner.get("/audit")).json()["items"] if e["what"] == "MediaIssued"]
    name, when, viewing = drawn.pop()
    assert name == member["name"] and name.startswith("Worker ") and ann.person not in name
    assert viewing == issued[0]["about"] and when.endswith(" UTC"), "the mark leads to its event"
    asset = await upload(world, acme, plain("JPEG"), "c.img")
    assert (await look(world, asset["url"])).content == plain("JPEG") and not drawn, "a key reads what was sent"
    mine = (await owner.get(f"/assets/{asset['id']}")).json()["url"]
    assert (await look(world, mine)).status_code == 200 and drawn.pop()[0] == "Owner of Acme"
    await switch(world, acme, "all")
    assert (await look(world, asset["url"])).status_code == 200 and drawn.pop()[0] == f"API key {acme.live_key[:13]}"


async def test_every_range_is_of_the_one_marked_picture(world: World, acme: Customer) -> None:
    ((_, lease),) = await leased(world, acme, plain(), "ann")
    await switch(world, acme, "people")
    link = lease["data"]["image"]["url"]
    whole = await look(world, link)
    size, tag = len(whole.content), whole.headers["etag"]
    assert size > 30_000 and whole.headers["content-length"] == str(size)
    cuts = [0, 1, 16_384, 20_000, size - 7, size]
    parts = [await look(world, link, range=f"bytes={a}-{b - 1}", **{"if-range": tag}) for a, b in pairwise(cuts)]
    assert {p.status_code for p in parts} == {206} and b"".join(p.content for p in parts) == whole.content
    head = await look(world, link, "HEAD")
    assert (head.headers["content-length"], head.headers["etag"]) == (str(size), tag)
    elsewhere = gateways.Gateway(world.services)  # another process
    sight = await elsewhere.open(link.rsplit("/", 1)[-1])
    assert (sight.size, sight.tag) == (size, tag) and bytes(await sight.read(100, 900)) == whole.content[100:900]
    await elsewhere.close()
    home = world.services.settings.home.objects
    assert all(whole.content[:64] not in path.read_bytes() for path in home.rglob("*") if path.is_file())


async def test_what_is_no_picture_and_what_is_broken(world: World, acme: Customer) -> None:
    text, broken = b"only words " * 90, plain("JPEG")
    asset = await upload(world, acme, text, "a.txt")
    half = await upload(world, acme, broken[: len(broken) // 2], "b.jpg")
    await switch(world, acme, "all")
    assert (await look(world, asset["url"])).content == text
    refused = await look(world, half["url"])
    assert (refused.status_code, refused.json()["code"]) == (409, "not_marked"), refused.text


async def test_pages_are_told_the_name_that_they_lay_over_text(world: World, acme: Customer) -> None:
    api = world.keyed(acme.live_key)
    project = (await api.post(f"{API}/projects", json={"name": "Letters", "medium": "text"})).json()["id"]
    task = (await api.post(f"{API}/projects/{project}/tasks", json={"data": {"text": "a letter"}})).json()["id"]
    await world.worker("ann@people.example", acme.live, shared=True)
    await world.drain()
    ann, owner = await world.browser("ann@people.example"), await world.browser(acme.owner_email, acme.live)

    async def told() -> list[str]:
        read = (await ann.get(f"/work/projects/{project}/instructions")).json()["viewer"]
        return [read, (await owner.get(f"/tasks/{task}")).json()["viewer"]]

    assert await told() == ["", ""]
    await switch(world, acme, "people")
    worker, member = await told()
    (known,) = [m for m in (await owner.get("/members")).json()["items"] if m["role"] == "annotator"]
    assert (
        worker.startswith(f"{known['name']} · ") and member.startswith("Owner of Acme · ") and worker.endswith(" UTC")
    )
    assert (await api.get(f"{API}/tasks/{task}")).json()["viewer"] == "", "a program has no screen"


async def test_only_owners_switch_it_and_it_is_an_event(world: World, acme: Customer) -> None:
    owner = await world.browser(acme.owner_email, acme.live)
    assert (await owner.get("/settings/media")).json() == {"watermark": "off"}
    assert (await owner.ask("PUT", "/settings/media", json={"watermark": "loud"})).status_code == 400
    assert (await owner.ask("PUT", "/settings/media", json={"watermark": "people"})).status_code == 200
    (event,) = [e for e in (await owner.get("/audit")).json()["items"] if e["what"] == "WatermarkChanged"]
    assert event["detail"] == {"watermark": "people"} and event["who"] == "Owner of Acme"
    rival = await world.customer("Rival")
    assert (await world.keyed(rival.live_key).get(f"{API}/settings/media")).json() == {"watermark": "off"}


# --- what is kept of them


class Bytes:
    """A file that lies in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self.size = len(data)
        self.reads = 0

    async def read(self, start: int, end: int) -> memoryview:
        self.reads += 1
        return self._data[start:end]


async def test_what_is_kept_is_bounded_and_forgotten() -> None:
    now = [0.0]
    data = plain()
    size = len(watermark.mark(data, ("a",)).data)
    marks = Marks(keep_bytes=3 * size + size // 2, clock=lambda: now[0])
    files = [Bytes(data) for _ in range(6)]
    for n, file in enumerate(files):
        await marks.of(file, str(n), ("a",))
        assert marks.kept_bytes <= 3.5 * size
    await marks.of(files[5], "5", ("a",))
    await marks.of(files[0], "0", ("a",))
    assert [f.reads for f in files] == [2, 1, 1, 1, 1, 1], "the newest is kept, the oldest is made again"
    now[0] += marking.KEEP_S
    await marks.of(Bytes(data), "new", ("a",))
    assert marks.kept_bytes <= 1.1 * size, "nothing is kept for long"
    small = Marks(keep_bytes=10)
    assert (await small.of(files[0], "0", ("a",))).size == size and small.kept_bytes == 0
    marks.close()
    assert marks.kept_bytes == 0


async def test_many_at_once_are_made_once_and_too_many_are_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    file, marks = Bytes(plain()), Marks()
    made = await asyncio.gather(*(marks.of(file, "one", ("a",)) for _ in range(20)))
    assert file.reads == 1 and len({id(m) for m in made}) == 1 and isinstance(made[0], MarkedFile)
    monkeypatch.setattr(marking, "_MOST_WAITING", 2)
    asked = await asyncio.gather(*(marks.of(file, str(n), ("a",)) for n in range(5)), return_exceptions=True)
    assert [isinstance(one, MarksBusy) for one in asked] == [False, False, True, True, True]
    monkeypatch.setattr(marking, "_MOST_ALIVE", 1)
    with pytest.raises(MarksBusy):
        await marks.of(file, "further", ("a",))
    marks.close()
