"""Hostile input through the doors: JSON, bodies, names, uploads, media links. Never a 500, never a half-done write."""

import zlib
from dataclasses import replace
from typing import Any

import httpx
import pytest

from evenhand.app.http import server, tasks
from evenhand.app.http.server import PREFIX
from evenhand.features.assets import actions as assets
from evenhand.features.assets import links
from evenhand.infra.ids import new_id
from tests.conftest import KEYS, Customer, World
from tests.laws.estate import ONTOLOGY, answer, picture

pytestmark = pytest.mark.anyio
MEDIA = {"host": "127.0.0.1:8080"}


@pytest.fixture
async def acme(world: World) -> Customer:
    return await world.customer("Acme")


async def project(api: httpx.AsyncClient, medium: str = "text", **more: Any) -> str:
    body = {"name": f"P {new_id()}", "medium": medium, "ontology": ONTOLOGY, **more}
    reply = await api.post(f"{PREFIX}/projects", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()["id"]


DEEP = 200_000
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "not JSON": b"{",
    "a word": b"hello",
    "a list": b"[]",
    "null": b"null",
    "NaN": b'{"name":NaN,"medium":"text"}',
    "infinity": b'{"name":"x","medium":"text","overlap":Infinity}',
    "a huge number": b'{"name":"x","medium":"text","overlap":1e400}',
    "a long number": b'{"name":"x","medium":"text","overlap":' + b"9" * 100_000 + b"}",
    "just out of range": b'{"name":"x","medium":"text","overlap":9223372036854775808}',
    "negative": b'{"name":"x","medium":"text","overlap":-1}',
    "a huge lease": b'{"name":"x","medium":"text","lease_s":2147483648}',
    "deep lists": b'{"name":"x","medium":"text","ontology":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep objects": b'{"name":"x","medium":"text","ontology":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
    "unclosed depth": b"[" * DEEP,
    "a lone surrogate": b'{"name":"\\ud800","medium":"text"}',
    "bad UTF-8": b'{"name":"\xff\xfe","medium":"text"}',
    "overlong UTF-8": b'{"name":"\xc0\x80","medium":"text"}',
    "UTF-16": '{"name":"x","medium":"text"}'.encode("utf-16"),
    "a zero character": b'{"name":"a\\u0000b","medium":"text"}',
    "a wrong type": b'{"name":{"$ne":null},"medium":"text"}',
    "an unknown key": b'{"name":"x","medium":"text","__proto__":{}}',
    "a long name": b'{"name":"' + b"x" * 1_000_000 + b'","medium":"text"}',
    "two values": b'{"name":"x","medium":"text"}{"name":"y","medium":"text"}',
    "a comment": b'{"name":"x",/* */"medium":"text"}',
    "a trailing comma": b'{"name":"x","medium":"text",}',
    "a BOM": b'\xef\xbb\xbf{"name":"x","medium":"text"}',
}


async def test_hostile_json(world: World, acme: Customer) -> None:
    api = world.keyed(acme.live_key)
    for what, body in BODIES.items():
        reply = await api.post(f"{PREFIX}/projects", content=body)
        assert reply.status_code == 400, f"{what}: {reply.status_code} {reply.text[:200]}"
        assert reply.headers["content-type"] == "application/problem+json"
        assert len(reply.content) < 2000, f"{what} is echoed"
    assert (await api.get(f"{PREFIX}/projects")).json()["items"] == [], "nothing was made"
    twice = await api.post(f"{PREFIX}/projects", content=b'{"name":"first","name":"second","medium":"text"}')
    assert twice.json()["name"] == "second", "of two equal keys the last one counts, here as in every check"


async def test_hostile_free_form_parts(world: World, acme: Customer) -> None:
    """Metadata, prelabels, ontologies, answers: what the structs do not describe is still bounded."""
    api = world.keyed(acme.live_key)
    home = await project(api)
    url = f"{PREFIX}/projects/{home}/tasks"
    bad: list[dict[str, Any]] = [
        {"data": {"text": "x"}, "metadata": {"a": "x" * 20_000}},
        {"data": {"text": "x"}, "tags": ["x"] * 100},
        {"data": {"text": "x"}, "tags": [""]},
        {"data": {"text": "x"}, "priority": 10**9},
        {"data": {"text": "x"}, "name": "x" * 501},
        {"data": {"text": "x"}, "unique_id": "a\0b"},
        {"data": {"text": "x" * 2_000_001}},
        {"data": {"text": "x", "prelabels": [{"id": "a", "kind": "box"}]}},
        {"data": {"text": "x", "prelabels": [{"kind": "nothing"}]}},
        {"data": {"text": "x", "prelabels": [answer()["annotations"][0]] * 20_001}},
        {"data": {"text": "x"}, "ontology": {"classes": "all"}},
        {"data": {"text": "x"}, "ontology": {"classes": [{"name": "x" * 300, "kinds": ["box"]}]}},
        {"data": {"text": "x"}, "batch": "../../etc"},
    ]
    for body in bad:
        reply = await api.post(url, json=body)
        assert reply.status_code in (400, 404), f"{str(body)[:100]}: {reply.status_code} {reply.text[:200]}"
    nested: Any = "x"
    for _ in range(900):
        nested = {"a": nested}
    reply = await api.post(url, json={"data": {"text": "x"}, "metadata": nested})
    assert reply.status_code in (200, 400), reply.text[:200]
    if reply.status_code == 200:
        again = await api.get(f"{PREFIX}/tasks/{reply.json()['id']}")
        assert again.status_code == 200, "what was taken in can be read again"
    markup = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    kept = await api.post(url, json={"data": {"text": markup}, "name": markup})
    assert kept.json()["data"]["text"] == markup, "text is kept as it is, and is never served as a page"
    assert kept.headers["content-type"] == "application/json"


async def test_hostile_queries_and_paths(world: World, acme: Customer) -> None:
    api = world.keyed(acme.live_key)
    await project(api)
    values = (
        "",
        "x",
        "%00",
        "%ff",
        "%F0%9F%92%A9",
        "'",
        "' or 1=1 --",
        "9" * 40,
        "-1",
        "1e9",
        "null",
        "a" * 5000,
        "[]",
    )
    for value in values:
        for name in (
            "cursor",
            "project",
            "batch",
            "state",
            "person",
            "class",
            "tag",
            "q",
            "from",
            "to",
            "order",
            "limit",
        ):
            reply = await api.get(f"{PREFIX}/tasks?{name}={value}")
            assert reply.status_code in (200, 400), f"{name}={value[:20]}: {reply.status_code} {reply.text[:200]}"
        for path in ("projects", "batches", "tasks", "assets"):
            reply = await api.get(f"{PREFIX}/{path}/{value or '%20'}")
            assert reply.status_code in (400, 404), f"{path}/{value[:20]}: {reply.status_code} {reply.text[:200]}"
    for query in ("limit=0", "limit=201", "limit=" + "9" * 30, "unknown=1", "from=yesterday", "to=9999999-01-01"):
        assert (await api.get(f"{PREFIX}/tasks?{query}")).status_code == 400, query
    first = f"{PREFIX}/projects/{new_id()}/tasks/bulk?first_line="
    for number in ("0", "-1", "99999999999999999999", "x"):
        assert (await api.post(first + number, content=b"{}")).status_code in (400, 404), number


async def test_bodies_that_never_end(world: World, acme: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds with a length, without one, and with a wrong one; reading stops there."""
    api = world.keyed(acme.live_key)
    home = await project(api)
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 40_000_000:
            sent += 65_536
            yield b" " * 65_536

    reply = await api.post(f"{PREFIX}/projects", content=endless())
    assert reply.status_code == 413, reply.text
    for length in ("5000001", "9" * 30):
        told = await api.post(f"{PREFIX}/projects", content=b"{}", headers={"content-length": length})
        assert told.status_code == 413
    for length in ("-1", "²", "x", "1e9"):  # no number: counted instead
        odd = {"content-length": length.encode("latin-1")}
        told = await api.post(f"{PREFIX}/projects", content=b"{}", headers=odd)  # type: ignore[arg-type]
        assert told.status_code == 400
    line = await api.post(f"{PREFIX}/projects/{home}/tasks/bulk", content=b"x" * (tasks.LINE_MOST + 100_000))
    assert line.status_code == 413, line.text
    monkeypatch.setattr(tasks, "IMPORT_MOST", 1_000_000)
    many = await api.post(f"{PREFIX}/projects/{home}/tasks/bulk", content=b'{"data":{"text":"x"}}\n' * 60_000)
    assert many.status_code == 413
    array = await api.post(f"{PREFIX}/projects/{home}/tasks/bulk", content=b"[" + b" " * 1_100_000 + b"]")
    assert array.status_code == 413


async def test_imports_report_every_bad_line_and_take_the_rest(world: World, acme: Customer) -> None:
    api = world.keyed(acme.live_key)
    home = await project(api)
    good = b'{"data":{"text":"good"}}'
    lines = [good, b"{", b"", b"null", b'{"data":{"text":"\\ud800"}}', b"\xff", b"[" * 100_000, good,
             b'{"data":{"text":"x"},"priority":99999}', b'{"data":{"text":"x"},"priority":1e400}', b'{"data":{}}',
             b'{"data":{"text":"a\\u0000b"},"name":"kept"}', b'{"data":{"text":"x"},"name":"a\\u0000b"}', good]  # fmt: skip
    reply = await api.post(f"{PREFIX}/projects/{home}/tasks/bulk", content=b"\n".join(lines))
    report = reply.json()
    assert report["created"] == 4 and report["failed"] == 9, report
    assert [e["line"] for e in report["errors"]] == [2, 4, 5, 6, 7, 9, 10, 11, 13], "an empty line is no fault"
    for broken in (b"[", b"[1,2", b'[{"data":{"text":"x"}}', b"[" * 100_000, b"[null]", b"[]", b"\xff\xfe", b"{"):
        reply = await api.post(f"{PREFIX}/projects/{home}/tasks/bulk", content=broken)
        assert reply.status_code in (200, 400), f"{broken[:20]!r}: {reply.status_code}"
        assert reply.status_code == 400 or reply.json()["created"] == 0


# --- files


async def upload(api: httpx.AsyncClient, data: bytes, name: str = "x.jpg", kind: str = "image/jpeg") -> httpx.Response:
    return await api.post(f"{PREFIX}/assets", files={"file": (name, data, kind)})


ACTIVE: dict[str, bytes] = {
    "page.html": b"<!doctype html><script>alert(document.cookie)</script>",
    "page.jpg": b"<html><body onload=alert(1)>",
    "draw.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>',
    "draw.png": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
    "code.js": b"alert(1)//",
    "style.css": b"body{background:url(javascript:1)}",
    "data.xml": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "words.json": b'{"a": "<script>"}',
    "gif.html": b"GIF89a=1;//<script>alert(1)</script>",
    "bytes.exe": b"MZ\x00\x01\x02",
}


async def test_no_upload_is_ever_a_page(world: World, acme: Customer) -> None:
    api = world.keyed(acme.live_key)
    for name, data in ACTIVE.items():
        for claimed in ("text/html", "image/svg+xml", "image/jpeg"):
            made = await upload(api, data, name, claimed)
            if made.status_code == 400:
                continue
            assert made.status_code == 200, f"{name}: {made.text}"
            path = made.json()["url"].removeprefix("http://127.0.0.1:8080")
            on_pages = await world.client().get(path, headers={"host": "localhost:8080"})
            assert on_pages.status_code == 404 and data not in on_pages.content, "the pages' host serves no files"
            reply = await world.client().get(made.json()["url"], headers=MEDIA)
            kind = reply.headers["content-type"].split(";")[0]
            assert kind in ("text/plain", "application/octet-stream", "image/gif"), f"{name}: {kind}"
            assert reply.headers["x-content-type-options"] == "nosniff"
            policy = reply.headers["content-security-policy"]
            assert "sandbox" in policy and "default-src 'none'" in policy and "script-src" not in policy
            if kind == "application/octet-stream":
                assert reply.headers["content-disposition"] == "attachment"
            assert "set-cookie" not in reply.headers and reply.content == data


async def test_names_of_files_are_only_words(world: World, acme: Customer) -> None:
    api = world.keyed(acme.live_key)
    for name in ("../../etc/passwd", "..\\..\\boot.ini", "/etc/passwd", "a\r\nset-cookie: x=1", '"><script>', "x" * 3000,
                 "..", "\u202egpj.exe", "con", ".htaccess"):  # fmt: skip
        made = await upload(api, picture(), name)
        assert made.status_code == 200, f"{name[:30]!r}: {made.text}"
        found = made.json()
        assert "/" not in found["name"] and "\\" not in found["name"] and len(found["name"]) <= 500
        reply = await world.client().get(found["url"], headers=MEDIA)
        assert reply.status_code == 200 and "set-cookie" not in reply.headers
        assert name not in reply.headers["content-disposition"], "no name of a customer's in a header"
    home = world.services.settings.home.path
    spaces = {p.parent.parent.name for p in home.rglob("*") if p.is_file() and "objects" in str(p)}
    assert spaces <= {acme.live}, spaces


async def test_forms_are_bounded_and_checked(world: World, acme: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    api = world.keyed(acme.live_key)
    url = f"{PREFIX}/assets"
    part = b'--b\r\ncontent-disposition: form-data; name="file"; filename="x"\r\n\r\nwords\r\n--b--\r\n'
    form = {"content-type": "multipart/form-data; boundary=b"}
    assert (await api.post(url, content=part, headers=form)).status_code == 200
    broken: list[tuple[bytes, dict[str, str]]] = [
        (part, {"content-type": "multipart/form-data"}),
        (part, {"content-type": "multipart/form-data; boundary="}),
        (part, {"content-type": "multipart/form-data; boundary=" + "x" * 5000}),
        (part, {"content-type": "multipart/form-data; boundary=other"}),
        (part, {"content-type": "application/json"}),
        (b"file=words", {"content-type": "application/x-www-form-urlencoded"}),
        (part, {}),
        (part[:40], form),
        (b"", form),
        (b"--b--\r\n", form),
        (b"\r\n" * 1000, form),
        (part.replace(b'name="file"; ', b""), form),
        (part.replace(b'filename="x"', b""), form),
        (part.replace(b"content-disposition", b"content-disposition" * 10_000), form),
        (part.replace(b"words", b""), form),
        ((part.removesuffix(b"--\r\n") + b"\r\n") * 3 + b"--b--\r\n", form),
        (part.replace(b'name="file"; filename="x"', b'name="name"') + b"x", form),
        (b'--b\r\ncontent-disposition: form-data; name="n"\r\n\r\n' + b"x" * 200_000 + b"\r\n--b--\r\n", form),
    ]
    for content, headers in broken:
        reply = await api.post(url, content=content, headers=headers)
        assert reply.status_code == 400, f"{content[:60]!r} {headers}: {reply.status_code} {reply.text}"
    monkeypatch.setattr(assets, "MOST_BYTES", 50_000)
    monkeypatch.setattr(tasks, "FORM_MOST", 10_000)
    assert (await upload(api, b"x" * 55_000, kind="text/plain")).status_code == 400
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        yield part.partition(b"words")[0]
        while sent < 20_000_000:
            sent += 65_536
            yield b"x" * 65_536

    assert (await api.post(url, content=endless(), headers=form)).status_code == 413


async def test_a_picture_that_breaks_later_is_no_bug(world: World, acme: Customer) -> None:
    """The head is well, the rest is not: it is kept and can be downloaded, but it does not count as a picture."""
    api = world.keyed(acme.live_key)
    whole = picture(900, 700)
    made = (await upload(api, whole[: len(whole) // 3])).json()
    assert (made["state"], made["width"], made["thumb_url"]) == ("ready", None, "")
    assert (await world.client().get(made["url"], headers=MEDIA)).status_code == 200


async def test_a_bomb_of_pixels_is_refused(world: World, acme: Customer) -> None:
    from tests.security.test_reaching import _png

    giant = bytearray(_png(16, 16))
    giant[16:24] = (60_000).to_bytes(4, "big") * 2
    giant[29:33] = zlib.crc32(bytes(giant[12:29])).to_bytes(4, "big")
    reply = await upload(world.keyed(acme.live_key), bytes(giant), "giant.png", "image/png")
    assert reply.status_code == 400 and "pixels" in reply.text


# --- media links


async def test_media_links(world: World, acme: Customer) -> None:
    birch = await world.customer("Birch")
    made = (await upload(world.keyed(acme.live_key), picture())).json()
    token = made["url"].rsplit("/", 1)[-1]

    async def status(path: str, **headers: str) -> int:
        return (await world.client().get(path, headers={**MEDIA, **headers})).status_code

    assert await status(made["url"]) == 200 and await status(made["thumb_url"]) == 200
    grant = links.read(KEYS, token).grant
    old = links.sign(KEYS, acme.live, made["id"], grant, now_s=0)
    soon = links.sign(KEYS, acme.live, made["id"], grant, now_s=links.time.time() - links.LIFE_S - 3700)
    elsewhere = links.sign(KEYS, birch.live, made["id"], grant)
    unknown = links.sign(KEYS, acme.live, new_id(), grant)
    others = links.sign(KEYS, acme.live, made["id"], replace(grant, who=bytes.fromhex(new_id()).ljust(16, b"\0")))
    unwritten = links.sign(KEYS, acme.live, made["id"], replace(grant, id=new_id()))
    no_lease = links.sign(KEYS, acme.live, made["id"], links.Grant("lease", new_id(), bytes(16)))
    thumb = made["thumb_url"].rsplit("/", 1)[-1]
    mixed = thumb[:-24] + token[-24:]  # the thumbnail's words under the picture's signature
    forged = [old, soon, elsewhere, unknown, others, unwritten, no_lease, f"/media/{mixed}", f"/media/{token[:-1]}",
              f"/media/{token}A",
              f"/media/{token[::-1]}", "/media/", "/media/x", "/media/%00", "/media/..%2f..%2fetc", "/media/" + "A" * 64,
              f"/media/{token[:-1]}é", f"/media/{token}==", "/media/" + "A" * 5000]  # fmt: skip
    replies = [(await world.client().get(path, headers=MEDIA)) for path in forged]
    assert {path: r.status_code for path, r in zip(forged, replies, strict=True) if r.status_code != 404} == {}
    for asked, expected in (("bytes=0-9", 206), ("bytes=-5", 206), ("bytes=999999-", 416), ("bytes=5-2", 416),
                            ("bytes=x-y", 200), ("bytes=0-1,3-4", 200), ("items=0-1", 200), ("bytes=--1", 416),
                            ("bytes=0-" + "9" * 50, 206), ("bytes=-0", 416), ("bytes=-" + "9" * 5000, 200)):  # fmt: skip
        found = await world.client().get(made["url"], headers={**MEDIA, "range": asked})
        assert found.status_code == expected, f"{asked[:30]}: {found.status_code}"
        assert len(found.content) == int(found.headers["content-length"])


async def test_a_file_that_was_lost_is_missing(world: World, acme: Customer) -> None:
    made = (await upload(world.keyed(acme.live_key), picture())).json()
    for path in world.services.settings.home.path.rglob("*"):
        if path.is_file() and "objects" in str(path):
            path.unlink()
    thumb = await world.client().get(made["thumb_url"], headers=MEDIA)
    assert thumb.status_code == 404, thumb.text


# --- static files


async def test_path_tricks(world: World, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html>")
    (static / "assets" / "a.js").write_text("1")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "static-not").mkdir()
    (tmp_path / "static-not" / "x").write_text("secret")
    (static / "link").symlink_to(tmp_path / "secret")
    monkeypatch.setattr(server, "STATIC", static)
    client = world.client()
    assert (await client.get("/studio/assets/a.js")).status_code == 200
    for path in ("../secret", "..%2fsecret", "%2e%2e/secret", "assets/../../secret", "..%5csecret", "%2fetc%2fpasswd",
                 "/etc/passwd", "//etc/passwd", "....//secret", "link", "assets", "", ".", "%00", "assets/a.js%00.html",
                 "../static-not/x", "..%2fstatic-not%2fx", "x" * 5000, "%ff", "~root"):  # fmt: skip
        for method in ("GET", "HEAD"):
            reply = await client.request(method, f"/studio/{path}")
            assert reply.status_code == 404, f"{method} {path[:40]}: {reply.status_code}"
            assert b"secret" not in reply.content and b"root:" not in reply.content
    for path in ("/../secret", "/%2e%2e/secret", "/.env", "/console/../../secret", "/.git/config"):
        reply = await client.get(path)
        assert b"secret" not in reply.content


async def test_methods_nobody_offers(world: World, acme: Customer) -> None:
    api = world.keyed(acme.live_key)
    for method in ("DELETE", "PUT", "PATCH", "TRACE", "OPTIONS", "PROPFIND", "CONNECT"):
        for path in (f"{PREFIX}/projects", f"{PREFIX}/session", "/healthz", "/", "/media/x"):
            if (method, path) == ("DELETE", f"{PREFIX}/session"):
                continue
            reply = await api.request(method, path)
            expected = (204,) if method == "OPTIONS" and reply.headers.get("allow") else (404, 405)
            assert reply.status_code in expected, f"{method} {path}: {reply.status_code}"
            assert "x" not in reply.headers.get("access-control-allow-origin", "")


async def test_a_stream_that_breaks_off_changes_nothing(world: World, acme: Customer) -> None:
    api = world.keyed(acme.live_key)
    home = await project(api)

    pieces = [
        {"type": "http.request", "body": b'{"data":{"text":"one"}}\n', "more_body": True},
        {"type": "http.disconnect"},
    ]
    statuses: list[int] = []

    async def receive() -> Any:
        return pieces.pop(0)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    headers = [(b"host", b"localhost:8080"), (b"authorization", f"Bearer {acme.live_key}".encode())]
    path = f"{PREFIX}/projects/{home}/tasks/bulk"
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
             "headers": headers, "server": ("localhost", 8080), "scheme": "http", "http_version": "1.1"}  # fmt: skip
    await world.app(scope, receive, send)
    assert statuses == [400]
    assert (await api.get(f"{PREFIX}/tasks")).json()["total"] == 0
