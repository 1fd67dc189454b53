"""Organisations, people and keys: the same whether a server runs or not."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from evenhand.app.cli.people import moment_in
from evenhand.pure.trouble import Invalid
from tests.app.cli.conftest import Place
from tests.features.access.people import app_code


def test_without_a_server(still: Place) -> None:
    assert still.good("status")["running"] is False
    assert not (still.home / "pg").exists()  # asking changes nothing
    org = still.good("org", "create", "Birch")
    assert set(org) == {"id", "name"}
    key = still.good("key", "create", "--org", "Birch", "--mode", "test", "--name", "trainer", "--scopes", "read")
    assert set(key) == {"id", "key", "mode"} and key["mode"] == "test" and key["key"].startswith("test_")
    (listed,) = still.good("key", "list", "--org", org["id"])
    assert (listed["id"], listed["mode"], listed["scopes"]) == (key["id"], "test", ["read"])
    still.good("org", "create", "Cedar")
    said = still.run("project", "list")
    assert said.code == 1 and "Add --org with one of: Birch, Cedar" in said.err
    assert still.good("project", "list", "--org", "Cedar") == []


def test_a_key_opens_the_api_until_it_is_revoked(served: Place) -> None:
    key = served.good("key", "create", "--org", "Alder", "--mode", "live", "--expires", "90d")

    def status() -> int:
        return httpx.get(f"{served.url}/api/v1/projects", headers={"authorization": f"Bearer {key['key']}"}).status_code

    assert status() == 200
    listed = next(k for k in served.good("key", "list", "--org", "Alder") if k["id"] == key["id"])
    assert key["key"].startswith(listed["prefix"])
    assert timedelta(days=89) < datetime.fromisoformat(listed["expires_at"]) - datetime.now(UTC) < timedelta(days=91)
    served.good("key", "revoke", key["key"], "--org", "Alder")
    assert status() == 401
    assert served.run("key", "revoke", key["id"], "--org", "Alder").code == 1


def test_people_join_by_link(served: Place) -> None:
    made = served.good("person", "invite", "kim@example.org", "--role", "annotator", "--org", "Alder")
    assert made["link"].startswith(f"{served.url}/link/") and made["mailed"] is False
    with httpx.Client(base_url=f"{served.url}/api/v1") as client:
        token = made["link"].rsplit("/", 1)[1]
        said = client.post(f"/links/{token}", json={"name": "Kim", "password": "four plain old words"})
        assert said.status_code == 200, said.text
        assert said.json()["enrol"] is True and said.json()["orgs"] == []
        headers = {"x-evenhand-csrf": said.json()["csrf"]}
        begun = client.post("/me/app", headers=headers).json()
        code = {"token": begun["token"], "code": app_code(begun["secret"])}
        joined = client.post("/me/app/confirm", headers=headers, json=code).json()["session"]["orgs"]
        assert {(org["name"], org["mode"]) for org in joined} == {("Alder", "live"), ("Alder", "test")}
        assert client.post(f"/links/{token}", json={"name": "Kim", "password": "again and again"}).status_code == 404
        (there,) = served.good("person", "sessions", "kim@example.org")
        assert there["method"] == "code" and there["address"] == "127.0.0.1" and there["expires_at"] < there["ends_at"]
        assert served.good("person", "sign-out", "kim@example.org") == {"email": "kim@example.org", "ended": 1}
        assert client.get("/session").status_code == 401
    assert [p["name"] for p in served.good("person", "list") if p["email"] == "kim@example.org"] == ["Kim"]
    assert "signed in nowhere" in served.run("person", "sessions", "kim@example.org").out
    assert served.run("person", "sign-out", "nobody@example.org").code == 1
    assert "/link/" in served.good("person", "reset", "kim@example.org")["link"]
    assert served.run("person", "reset", "nobody@example.org").code == 1


def test_a_role_needs_its_organisation(served: Place) -> None:
    assert "--org" in served.run("person", "invite", "a@example.org", "--role", "owner").err
    assert served.run("person", "invite", "a@example.org", "--role", "operator", "--org", "Alder").code == 1


def test_status_and_doctor_say_that_it_runs(served: Place) -> None:
    found = served.good("status")
    assert found["unused_files_dropped"] == 0
    assert found["running"] is True and found["health"] == "ok"
    assert [org["name"] for org in found["organisations"]] == ["Alder"]
    assert "this Evenhand is running" in served.run("doctor").out


@pytest.mark.parametrize("text", ["2001-01-01", "soon"])
def test_an_expiry_lies_ahead(text: str) -> None:
    with pytest.raises(Invalid):
        moment_in(text)
