"""What a request may set, how much it may ask for, and what makes a password."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.app.http.routes import ROUTES
from evenhand.app.http.server import PREFIX
from evenhand.features.people.passwords import check_strength
from evenhand.pure.trouble import Invalid
from tests.conftest import World
from tests.laws.estate import fill

pytestmark = pytest.mark.anyio

#: what the server alone decides, and each body that takes such a name all the same, with why it may
_OURS = {"org", "org_id", "space", "person_id", "operator", "source", "state", "created_at", "submitted_at", "paid_s",
         "late", "extra", "done_at", "fence", "attempts", "purpose", "sibling_id", "secret", "key_hash"}  # fmt: skip
_MAY = {
    ("PATCH /projects/{project}", "state"): "a customer pauses its own project; the action takes known states only",
    ("POST /projects/{project}/quality/tasks", "purpose"): "what a customer's own task is for: gold or training",
} | {
    (
        "POST /projects/{project}/tasks/exported",
        name,
    ): "work done elsewhere comes into one's own project as it was; nobody is paid"
    for name in ("created_at", "state", "source", "late", "submitted_at")
}


def names_of(kind: Any, seen: set[Any] | None = None) -> set[str]:
    """The names that a body takes, those of its parts as well."""
    seen = set() if seen is None else seen
    out: set[str] = set()
    for part in getattr(kind, "__args__", ()):
        out |= names_of(part, seen)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in seen:
        seen.add(kind)
        for one in msgspec.structs.fields(kind):
            out |= {one.encode_name} | names_of(one.type, seen)
    return out


def test_no_body_takes_what_the_server_decides() -> None:
    """A field that a body does not name is refused or dropped by the decoder, so names are what counts."""
    taken = {
        (f"{route.method} {route.path}", name)
        for route in ROUTES
        if route.body is not None and route.who != "operator"
        for name in names_of(route.body) & _OURS
    }
    assert taken == set(_MAY)
    assert sum(bool(names_of(route.body)) for route in ROUTES if route.body is not None) > 20, "bodies were looked into"


async def test_what_nobody_may_set_is_refused(world: World) -> None:
    """The same by asking: nothing of the row changes, whatever is sent beside what may be set."""
    a, b = await fill(world, "Acme", "ALPHA"), await world.customer("Birch")
    mine, rival = world.keyed(a.customer.live_key), world.keyed(b.live_key)
    more: dict[str, Any] = {"org_id": b.live, "org": b.live, "state": "done", "created_at": "2001-01-01T00:00:00Z",
                            "operator": True, "id": "0" * 24, "paid_s": 9_999, "purpose": "gold"}  # fmt: skip
    project, task = f"/projects/{a.ids['project']}", f"/tasks/{a.ids['task_4']}"
    before = [(await mine.get(f"{PREFIX}{path}")).json() for path in (project, task)]
    asks: list[tuple[str, str, dict[str, Any]]] = [
        ("PATCH", project, {"instructions": before[0]["instructions"]}),
        ("POST", "/projects", {"name": "Set", "medium": "text"}),
        ("POST", f"{project}/tasks", {"data": {"text": "x"}}),
        ("POST", f"{project}/batches", {"name": "Set"}),
        ("POST", "/keys", {"name": "Set"}),
        ("POST", "/members/invite", {"email": "set@people.example", "role": "viewer"}),
    ]
    for method, path, body in asks:
        reply = await mine.request(method, f"{PREFIX}{path}", json={**body, **more})
        assert reply.status_code in (200, 400), f"{method} {path}: {reply.status_code} {reply.text}"
        if reply.status_code == 200:
            said = reply.json()
            assert (
                said.get("id") != "0" * 24 and said.get("state") != "done" and "2001" not in said.get("created_at", "")
            )
    assert [(await mine.get(f"{PREFIX}{path}")).json() for path in (project, task)] == before
    assert (await rival.get(f"{PREFIX}/projects")).json()["items"] == [], "nothing got over the wall"
    people = (await mine.get(f"{PREFIX}/members")).json()["items"]
    assert all(one["role"] != "operator" for one in people)


async def test_pages_have_a_limit(world: World) -> None:
    acme = await world.customer("Acme")
    api = world.keyed(acme.live_key)
    asked = 0
    for route in ROUTES:
        names = {f.encode_name for f in msgspec.structs.fields(route.query)} if route.query is not None else set[str]()
        if route.method != "GET" or "limit" not in names or "{" in route.path:
            continue
        asked += 1
        for limit in ("1000000", "-1", "0"):
            reply = await api.get(f"{PREFIX}{route.path}", params={"limit": limit})
            assert reply.status_code == 400, f"{route.path} limit={limit}: {reply.status_code} {reply.text[:200]}"
    assert asked >= 5


@given(st.text(max_size=54))
def test_any_characters_make_a_password(word: str) -> None:
    check_strength(f"nine hens {word}")


async def test_a_password_is_taken_as_it_was_typed(world: World) -> None:
    """Its case, its blanks, and all of its 64 characters and more count."""
    acme = await world.customer("Acme")
    link = await world.keyed(acme.live_key).post(
        f"{PREFIX}/members/invite", json={"email": "long@people.example", "role": "viewer"}
    )
    word = " Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich, 2 mal! "
    taken = await world.client().post(
        f"{PREFIX}/links/{link.json()['link'].rsplit('/', 1)[-1]}", json={"name": "Long", "password": word}
    )
    assert len(word) > 64 and taken.status_code == 200, taken.text
    for other in (word.strip(), word.lower(), word[:72], word[:64]):
        reply = await world.client().post(f"{PREFIX}/session", json={"email": "long@people.example", "password": other})
        assert reply.status_code == 401 or other == word, other
    reply = await world.client().post(f"{PREFIX}/session", json={"email": "long@people.example", "password": word})
    assert reply.status_code == 200, reply.text


def test_short_ones_are_refused() -> None:
    with pytest.raises(Invalid):
        check_strength("123456789")
