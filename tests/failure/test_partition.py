"""The network between Evenhand and what it stands on fails. Nothing acknowledged is lost, everybody is told in plain words and
in time, and all goes on by itself when the way is open again."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.failure.parted import Parted, parted
from tests.failure.running import PASSWORD, PREFIX, Cast, free_port, patiently, receiving, seed
from tests.failure.test_full_disk import mounted
from tests.failure.test_kill import ONTOLOGY, Storm, check, prepare
from tests.laws.estate import picture
from tests.pg import running_server
from tests.places import short_folder
from tests.serving import elsewhere

LIMIT_S = 25.0  # two looks at a database that does not answer, of ten seconds each, and some


@pytest.fixture(scope="module")
def far() -> Iterator[Parted]:
    folder = short_folder("ev-part-")
    with running_server() as server, parted(folder, free_port(), server) as made:
        yield made
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def people(far: Parted) -> Cast:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENHAND_DATABASE_URL", far.environment["EVENHAND_DATABASE_URL"])
        return seed(far)


def ask_everything(storm: Storm, annotator: httpx.Client) -> list[tuple[str, float, int, str]]:
    """What people and programs ask, all at once: (what, seconds, status, text)."""
    url, key = storm.running.url, {"authorization": f"Bearer {storm.cast.key}"}
    line = b'{"data":{"text":"more"}}'
    handle = next(iter(storm.submitted))
    asks: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/healthz", {}),
        ("POST", f"{PREFIX}/session", {"json": {"email": storm.cast.emails[0], "password": PASSWORD}}),
        ("GET", f"{PREFIX}/projects", {"headers": key}),
        ("GET", f"{PREFIX}/exports?project={storm.project}", {"headers": key}),
        ("POST", f"{PREFIX}/projects/{storm.project}/tasks", {"headers": key, "content": line}),
        ("POST", f"{PREFIX}/projects/{storm.project}/tasks/bulk", {"headers": key, "content": line}),
        ("POST", f"{PREFIX}/work/next", {"json": {"want": 1}, "cookies": annotator.cookies, "headers": annotator.headers}),
        ("POST", f"{PREFIX}/work/{handle}/submit", {"json": {"key": "k", "answer": {"annotations": []}},
                                                     "cookies": annotator.cookies, "headers": annotator.headers}),
        ("GET", "/v1/projects", {"auth": (storm.cast.key, "")}),
    ]  # fmt: skip

    def one(ask: tuple[str, str, dict[str, Any]]) -> tuple[str, float, int, str]:
        method, path, options = ask
        begun = time.monotonic()
        cookies = options.pop("cookies", None)
        with httpx.Client(timeout=60, cookies=cookies) as client:
            reply = client.request(method, url + path, **options)
        return f"{method} {path}", time.monotonic() - begun, reply.status_code, reply.text

    with ThreadPoolExecutor(len(asks)) as pool:
        return list(pool.map(one, asks))


@pytest.mark.parametrize("fault", ["cut", "silence"])
def test_the_database_cannot_be_reached(far: Parted, people: Cast, fault: str) -> None:
    with receiving() as receiver:
        storm = prepare(far, people, f"Storm over {fault}", receiver)
        annotator = storm.sign_in(people.emails[0])
        told: list[tuple[str, float, int, str]] = []

        def hurt() -> None:
            {"cut": far.way.cut, "silence": far.way.silence}[fault]()
            try:
                told.extend(ask_everything(storm, annotator))
            finally:
                far.way.heal()

        storm.blow(hurt)
        for what, seconds, status, text in told:
            assert status == 503, f"{what}: {status} {text}"
            assert seconds < LIMIT_S, f"{what} took {seconds:.1f} s"
            assert "away" in text or "in use" in text, f"{what}: {text}"
        patiently(lambda: far.health() == 200, 20, "health")
        check(storm, receiver)


# --- a receiver of callbacks that takes the call and never answers


@pytest.fixture
def hole() -> Iterator[str]:
    """The address of a machine that takes every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/callback"


def test_a_receiver_that_never_answers_keeps_nobody_waiting(far: Parted, hole: str) -> None:
    """Another customer's callbacks go out meanwhile, work goes on, and the one that waits is tried again later."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENHAND_DATABASE_URL", far.environment["EVENHAND_DATABASE_URL"])
        silent, other = seed(far, 1, name="Alder", team="alder"), seed(far, 1, name="Birch", team="birch")
    finish(far, silent, hole, count=12)
    waiting = "select count(*) from evenhand.job where kind = 'deliveries.send' and state = 'running'"
    patiently(lambda: far.rows(waiting)[0][0] > 0, 10, "a call is out")
    begun = time.monotonic()
    with receiving() as receiver:
        finish(far, other, receiver.url, count=3)
        patiently(lambda: len(receiver.got) == 3, 15, "the other customer's callbacks")
    assert time.monotonic() - begun < 20
    tried = "select count(*) from evenhand.callback_try where org_id = %s and status is null"
    patiently(lambda: far.rows(tried, silent.org)[0][0] >= 3, 45, "the calls were given up")
    rows = far.rows(
        "select c.state, c.next_at > now() from evenhand.callback c join evenhand.callback_try t"
        " using (org_id, callback_id) where c.org_id = %s and t.status is null",
        silent.org,
    )
    assert rows and set(rows) == {("waiting", True)}


def finish(far: Parted, cast: Cast, callback_url: str, count: int) -> None:
    """Tasks that are labelled, each of which is told to `callback_url`."""
    key = {"authorization": f"Bearer {cast.key}"}
    with httpx.Client(base_url=f"{far.url}{PREFIX}", timeout=20) as client:
        body = {"name": f"Told {callback_url}", "medium": "text", "ontology": ONTOLOGY, "review": "none",
                "callback_url": callback_url}  # fmt: skip
        project = client.post("/projects", json=body, headers=key).json()["id"]
        lines = "\n".join(f'{{"data":{{"text":"{n}"}}}}' for n in range(count))
        assert client.post(f"/projects/{project}/tasks/bulk", content=lines, headers=key).json()["created"] == count
        session = client.post("/session", json={"email": cast.emails[0], "password": PASSWORD}).json()
        client.headers["x-evenhand-csrf"] = session["csrf"]
        done = 0
        while done < count:
            for lease in client.post("/work/next", json={"want": 3}).json()["assignments"]:
                sent = {"key": lease["handle"], "seconds": 1,
                        "answer": {"annotations": [{"id": "a", "kind": "rating", "field": "n", "value": 1}]}}  # fmt: skip
                reply = client.post(f"/work/{lease['handle']}/submit", json=sent)
                assert reply.status_code == 200, reply.text
                done += lease["project"]["id"] == project


# --- the files lie where nothing can be written, or nothing can be reached


@pytest.fixture
def shelf(far: Parted) -> Iterator[Path]:
    """The folder of the files, on a file system of its own."""
    place = far.settings.home.objects
    mounted(place, "8m")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def upload(api: httpx.Client) -> httpx.Response:
    return api.post(f"{PREFIX}/assets", files={"file": ("words.txt", b"words", "text/plain")})


def test_files_that_cannot_be_written(far: Parted, people: Cast, shelf: Path) -> None:
    """What is there is read on, what comes is refused in plain words, and all is well when they can be written again."""
    with httpx.Client(base_url=far.url, headers={"authorization": f"Bearer {people.key}"}, timeout=20) as api:
        before = upload(api)
        assert before.status_code == 200, before.text
        link = before.json()["url"]
        subprocess.run(["mount", "-o", "remount,ro", shelf], check=True)
        refused = upload(api)
        assert refused.status_code == 503, refused.text
        assert "cannot be written" in refused.json()["detail"] and refused.json()["hint"]
        assert int(refused.headers["retry-after"]) >= 1
        assert httpx.get(link).content == b"words"
        with elsewhere() as site:
            address = site.put("p.png", "image/png", picture())
            made = api.post(f"{PREFIX}/projects", json={"name": "Fetched", "medium": "image"}).json()["id"]
            task = api.post(f"{PREFIX}/projects/{made}/tasks", json={"data": {"image_url": address}}).json()["id"]
            waits = "select state, attempts, run_at > now() from evenhand.job where kind = 'tasks.fetch'"
            patiently(lambda: far.rows(waits) == [("ready", 0, True)], 20, "the job waits, and no try is used up")
            subprocess.run(["mount", "-o", "remount,rw", shelf], check=True)
            far.rows("update evenhand.job set run_at = now() where kind = 'tasks.fetch' returning 1")  # a minute later
            state = "select state from evenhand.queue where task_id = %s"
            patiently(lambda: far.rows(state, task) == [("open",)], 20, "the picture was fetched")
        assert upload(api).status_code == 200
    assert [line for line in far.log.splitlines() if "a bug" in line or "Traceback" in line] == []
