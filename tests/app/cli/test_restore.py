"""A home with work in it is backed up while people work, and they go on in the restored one as if nothing had been."""

import contextlib
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import httpx

from tests.app.cli.conftest import Place
from tests.serving import PASSWORD, free_port, serving

PICTURE = Path(__file__).resolve().parents[3] / "fixtures" / "demo" / "01-chickens.jpg"
ONTOLOGY = {"fields": [{"key": "n", "type": "number", "min": 0, "max": 10}]}


def _answer(n: int) -> dict[str, Any]:
    return {"annotations": [{"id": "a", "kind": "rating", "field": "n", "value": n}]}


def _ok(reply: httpx.Response) -> Any:
    assert reply.status_code == 200, reply.text
    return reply.json()


def _sign_in(client: httpx.Client, email: str) -> None:
    client.headers["x-evenhand-csrf"] = _ok(client.post("/session", json={"email": email, "password": PASSWORD}))[
        "csrf"
    ]


def test_people_go_on_in_the_restored_home(tmp_path: Path) -> None:
    with serving() as made, contextlib.ExitStack() as open_:
        acme = made.customer("Acme")
        made.member("ann@people.example", "annotator", acme.live)
        keyed = {"authorization": f"Bearer {acme.live_key}"}
        api = open_.enter_context(httpx.Client(base_url=f"{made.url}/api/v1", headers=keyed, timeout=20))
        project = _ok(api.post("/projects", json={"name": "P", "medium": "text", "ontology": ONTOLOGY}))["id"]
        lines = "\n".join(f'{{"data":{{"text":"Text {n}"}},"name":"t{n}"}}' for n in range(6))
        assert _ok(api.post(f"/projects/{project}/tasks/bulk", content=lines))["created"] == 6
        asset = _ok(api.post("/assets", files={"file": ("a.jpg", PICTURE.read_bytes())}))["id"]
        with made.signed_in("ann@people.example") as ann:
            done, held = _until_two(ann)
            _ok(ann.post(f"/work/{done['handle']}/submit", json={"key": "one", "answer": _answer(1), "seconds": 2}))
            _ok(ann.put(f"/work/{held['handle']}/draft", json={"version": 3, "body": {"edits": ["half done"]}}))
        place = Place(made.settings.home.path, made.settings.port)
        backup = tmp_path / "monday.evenhand"
        assert place.run("backup", backup).code == 0
        reset = place.good("person", "reset", "ann@people.example")["link"].rsplit("/", 1)[1]  # after the backup

    restored = Place(made.settings.home.path.with_name("restored"), free_port())
    try:
        said = restored.run("restore", backup, "--verify")
        assert said.code == 0, said
        process = restored.start("up", "--no-browser")
        open_ = contextlib.ExitStack()
        try:
            base = f"{restored.url}/api/v1"
            _await(base)
            ann = open_.enter_context(httpx.Client(base_url=base, timeout=20))
            _sign_in(ann, "ann@people.example")
            assert _ok(ann.get(f"/work/{held['handle']}"))["draft"] == {"version": 3, "body": {"edits": ["half done"]}}
            reply = _ok(
                ann.post(f"/work/{held['handle']}/submit", json={"key": "two", "answer": _answer(2), "seconds": 2})
            )
            assert reply["state"] == "submitted" and not reply["extra"]
            repeat = ann.post(f"/work/{done['handle']}/submit", json={"key": "one", "answer": _answer(1), "seconds": 2})
            assert _ok(repeat)["state"] == "submitted", "the same key again is no second answer"
            assert ann.get(f"/links/{reset}").status_code == 404, "made after the backup"
            api = open_.enter_context(httpx.Client(base_url=base, headers=keyed, timeout=20))
            assert _ok(api.get(f"/projects/{project}"))["counts"]["done"] == 2
            url = _ok(api.get(f"/assets/{asset}"))["url"]
            picture = httpx.get(url)
            assert picture.content == PICTURE.read_bytes()
        finally:
            open_.close()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
        assert process.returncode == 0
    finally:
        shutil.rmtree(restored.home, ignore_errors=True)


def _until_two(ann: httpx.Client) -> tuple[Any, Any]:
    """Two leases, as soon as the seat is there: a job gives it."""
    until = time.monotonic() + 20
    while True:
        got = _ok(ann.post("/work/next", json={"want": 2}))["assignments"]
        if len(got) == 2:
            return got[0], got[1]
        assert time.monotonic() < until, got
        time.sleep(0.1)


def _await(base: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            if httpx.get(base.removesuffix("/api/v1") + "/healthz").status_code == 200:
                return
        except httpx.HTTPError:
            pass
        assert time.monotonic() < until, "it did not start"
        time.sleep(0.1)
