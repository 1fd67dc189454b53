"""The native door on the wire: methods, types, paging, repeated keys, and bulk lines of every bad kind."""

from typing import Any

import httpx
import pytest

from tests.conftest import World

pytestmark = pytest.mark.anyio
API = "/api/v1"


@pytest.fixture
async def api(world: World) -> httpx.AsyncClient:
    return world.keyed((await world.customer("Acme")).live_key)


async def make(api: httpx.AsyncClient, name: str = "Texts", **more: Any) -> str:
    reply = await api.post(f"{API}/projects", json={"name": name, "medium": "text", **more})
    assert reply.status_code == 200, reply.text
    return str(reply.json()["id"])


async def bulk(api: httpx.AsyncClient, project: str, lines: bytes, **query: Any) -> httpx.Response:
    return await api.post(f"{API}/projects/{project}/tasks/bulk", content=lines, params=query)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", f"{API}/projects", "GET, HEAD, OPTIONS, POST"),
        ("DELETE", f"{API}/projects/0197f0c5a1b2c3d4e5f60718", "GET, HEAD, OPTIONS, PATCH"),
        ("TRACE", f"{API}/tasks", "GET, HEAD, OPTIONS"),
        ("PROPFIND", f"{API}/tasks", "GET, HEAD, OPTIONS"),
        ("POST", "/healthz", "GET, HEAD, OPTIONS"),
        ("POST", "/console/x", "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_wrong_method_is_405_and_says_what_is_allowed(world: World, method: str, path: str, allow: str) -> None:
    client = world.client()
    reply = await client.request(method, path)
    assert (reply.status_code, reply.headers["allow"]) == (405, allow)
    assert reply.headers["content-type"] == "application/problem+json"
    asked = await client.options(path)
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, allow, b"")


async def test_an_address_that_is_none_is_404_with_any_method(world: World) -> None:
    for method in ("GET", "POST", "PUT", "OPTIONS", "TRACE"):
        reply = await world.client().request(method, f"{API}/nothing")
        assert (reply.status_code, reply.json()["code"]) == (404, "missing"), method


async def test_head_is_get_without_the_body(api: httpx.AsyncClient) -> None:
    await make(api)
    got, asked = await api.get(f"{API}/projects"), await api.head(f"{API}/projects")
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize(
    ("declared", "body", "status"),
    [
        ("application/json", b'{"name":"a","medium":"text"}', 200),
        ('application/json; charset="UTF-8"', b'{"name":"a","medium":"text"}', 200),
        ("application/merge-patch+json", b'{"name":"a","medium":"text"}', 200),
        ("application/x-www-form-urlencoded", b'{"name":"a","medium":"text"}', 200),  # what curl says of everything
        ("application/x-www-form-urlencoded", b"name=a&medium=text", 415),
        ("application/xml", b"<project/>", 415),
        ("application/json; charset=latin-1", '{"name":"Zürich","medium":"text"}'.encode("latin-1"), 415),
        ("application/json", b"<project/>", 400),
        ("", b"<project/>", 400),
    ],
)
async def test_what_is_no_json_and_does_not_claim_to_be_is_415(
    api: httpx.AsyncClient, declared: str, body: bytes, status: int
) -> None:
    reply = await api.post(f"{API}/projects", content=body, headers={"content-type": declared} if declared else {})
    assert reply.status_code == status, reply.text


async def test_pages_stay_whole_while_tasks_come(api: httpx.AsyncClient) -> None:
    """What was there at the first page is read exactly once, whatever is added meanwhile."""
    project = await make(api)
    there = b"\n".join(b'{"data":{"text":"x"},"name":"old %d"}' % n for n in range(25))
    assert (await bulk(api, project, there)).json()["created"] == 25
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"project": project, "limit": 4, **({"cursor": cursor} if cursor else {})}
        page = (await api.get(f"{API}/tasks", params=query)).json()
        seen += [task["name"] for task in page["items"]]
        await bulk(api, project, b'{"data":{"text":"y"},"name":"new"}')
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(name for name in seen if name != "new") == sorted(f"old {n}" for n in range(25))


async def test_the_same_key_for_another_body_is_409(api: httpx.AsyncClient) -> None:
    project = await make(api)
    key = {"idempotency-key": "one"}
    url = f"{API}/projects/{project}/tasks"
    first = await api.post(url, json={"data": {"text": "a"}}, headers=key)
    again = await api.post(url, json={"data": {"text": "a"}}, headers=key)
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert (await api.post(url, json={"data": {"text": "b"}}, headers=key)).status_code == 409
    assert (await api.get(f"{API}/tasks")).json()["total"] == 1


async def test_an_import_key_stands_for_its_lines(api: httpx.AsyncClient) -> None:
    """Other lines, or another batch, under a used key are refused: answering from memory would lose them."""
    project = await make(api)
    batch = (await api.post(f"{API}/projects/{project}/batches", json={"name": "B"})).json()["id"]
    lines = b'{"data":{"text":"a"}}\n{"data":{"text":"b"}}'
    assert (await bulk(api, project, lines, **{"import": "k"})).json()["created"] == 2
    assert (await bulk(api, project, lines, **{"import": "k"})).json()["repeated"] == 2
    longer = await bulk(api, project, lines + b'\n{"data":{"text":"c"}}', **{"import": "k"})
    assert (longer.status_code, longer.json()["code"]) == (409, "conflict")
    assert "fresh import key" in longer.json()["hint"]
    assert (await bulk(api, project, lines, **{"import": "k", "batch": batch})).status_code == 409
    assert (await api.get(f"{API}/tasks")).json()["total"] == 2


BAD_LINES: list[tuple[bytes, str]] = [
    (b"not json", "not JSON"),
    (b"[1]", "Expected `object`"),
    (b'{"data":{"text":"caf\xe9"}}', "UTF-8"),
    (b'{"data":{"text":"x"},"metadata":' + b'{"a":' * 200_000 + b"1" + b"}" * 200_000 + b"}", "deep"),
    (b'{"data":{"text":"\\ud800"}}', "not JSON"),
    (b'{"data":{"text":"x"},"metadat":{}}', "unknown field `metadat`"),
    (b'{"data":{"text":"x","txt":"y"}}', "unknown field `txt`"),
    (b'{"data":{"text":"x"},"batch":"October"}', "another batch"),
    (b'{"data":{"text":"x"},"priority":99999999999999999999}', "priority"),
    (b'{"data":{"text":"x"},"priority":NaN}', "not JSON"),
    (b'{"data":{"text":"x"},"name":"a\\u0000b"}', "zero character"),
    (b'{"data":{}}', "needs"),
    (b'{"data":{"text":"x","image_url":"https://example.org/a.png"}}', "no place for `data.image_url`"),
    (b'{"data":{"text":"x","context":"' + b"c" * 100_001 + b'"}}', "`context` is longer"),
]


async def test_every_bad_line_is_named_and_the_rest_goes_in(api: httpx.AsyncClient) -> None:
    project = await make(api)
    good = b'{"data":{"text":"good"}}'
    lines = b"\xef\xbb\xbf" + good + b"\r\n\n  \n" + b"\n".join(line for line, _ in BAD_LINES) + b"\n" + good
    reply = await bulk(api, project, lines)
    assert reply.status_code == 200, reply.text
    report = reply.json()
    assert (report["created"], report["failed"]) == (2, len(BAD_LINES))
    assert [e["line"] for e in report["errors"]] == list(range(4, 4 + len(BAD_LINES)))
    for error, (line, words) in zip(report["errors"], BAD_LINES, strict=True):
        assert words in error["detail"], (line[:60], error)
    assert (await api.get(f"{API}/tasks")).json()["total"] == 2


async def test_a_refused_line_does_not_take_its_unique_id(api: httpx.AsyncClient) -> None:
    project = await make(api)
    deep = b'{"a":' * 990 + b"1" + b"}" * 990
    lines = b'{"data":{"text":"x"},"unique_id":"u","metadata":' + deep + b'}\n{"data":{"text":"y"},"unique_id":"u"}'
    report = (await bulk(api, project, lines)).json()
    assert (report["created"], report["failed"]) == (1, 1), report


async def test_a_task_with_an_unknown_field_is_refused(api: httpx.AsyncClient) -> None:
    """It would be dropped in silence otherwise."""
    project = await make(api)
    reply = await api.post(f"{API}/projects/{project}/tasks", json={"data": {"text": "x"}, "metdata": {"a": 1}})
    assert reply.status_code == 400
    assert "metdata" in reply.json()["detail"]
