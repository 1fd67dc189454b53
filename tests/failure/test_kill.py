"""kill -9 of any process while people label, customers import and export, and callbacks go out. Nothing acknowledged is
lost, nothing happens twice, nobody has to mend anything."""

import json
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.failure.running import PASSWORD, PREFIX, Cast, Receiver, Running, patiently, receiving

ONTOLOGY = {"fields": [{"key": "n", "type": "number", "min": 0, "max": 1_000_000}]}
FIRST = 30
IMPORTED = 400
BEFORE, AFTER = 8, 12  # answers that are acknowledged before the blow, and after it


@dataclass
class Storm:
    """Everything at once, from threads, each sending again what was not acknowledged."""

    running: Running
    cast: Cast
    project: str
    stop: threading.Event = field(default_factory=threading.Event)
    submitted: dict[str, str] = field(default_factory=dict[str, str])  # handle -> task, acknowledged
    reviewed: set[str] = field(default_factory=set[str])
    imported: dict[str, Any] = field(default_factory=dict[str, Any])
    exports: int = 0
    faults: list[str] = field(default_factory=list[str])

    def client(self, **headers: str) -> httpx.Client:
        # a fresh connection for every request: the process behind the old one may be dead
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.Client(base_url=self.running.url, headers=headers, timeout=20, limits=limits)

    def insist(self, send: Any) -> httpx.Response | None:
        """Sends until there is an answer that is not 'try again'."""
        until = time.monotonic() + 40
        while time.monotonic() < until:
            try:
                reply: httpx.Response = send()
                if reply.status_code not in (502, 503):
                    return reply
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        self.faults.append("no answer within 40 s")
        return None

    def sign_in(self, email: str) -> httpx.Client:
        client = self.client()
        reply = self.insist(lambda: client.post(f"{PREFIX}/session", json={"email": email, "password": PASSWORD}))
        assert reply is not None and reply.status_code == 200, reply and reply.text
        client.headers["x-evenhand-csrf"] = reply.json()["csrf"]
        return client

    def label(self, email: str) -> None:
        client = self.sign_in(email)
        while not self.stop.is_set():
            reply = self.insist(lambda: client.post(f"{PREFIX}/work/next", json={"want": 2}))
            for lease in reply.json().get("assignments", []) if reply is not None else []:
                body = {"key": lease["handle"], "seconds": 1,
                        "answer": {"annotations": [{"id": "a", "kind": "rating", "field": "n", "value": 1}]}}  # fmt: skip
                url = f"{PREFIX}/work/{lease['handle']}/submit"
                done = self.insist(lambda url=url, body=body: client.post(url, json=body))
                if done is not None and done.status_code == 200:
                    self.submitted[lease["handle"]] = lease["task"]
                elif done is not None:
                    self.faults.append(f"submit: {done.status_code} {done.text}")

    def review(self) -> None:
        client = self.sign_in(self.cast.reviewer)
        while not self.stop.is_set():
            ask = {"want": 1, "role": "review"}
            reply = self.insist(lambda ask=ask: client.post(f"{PREFIX}/work/next", json=ask))
            leases = reply.json().get("assignments", []) if reply is not None else []
            for lease in leases:
                body = {"key": lease["handle"], "seconds": 1, "verdict": {"decision": "accept"}}
                url = f"{PREFIX}/work/{lease['handle']}/submit"
                done = self.insist(lambda url=url, body=body: client.post(url, json=body))
                if done is not None and done.status_code == 200:
                    self.reviewed.add(lease["task"])
                elif done is not None:
                    self.faults.append(f"review: {done.status_code} {done.text}")
            if not leases:
                time.sleep(0.1)

    def load(self) -> None:
        """One import under one key, sent whole again until it is acknowledged."""
        lines = "\n".join(f'{{"data":{{"text":"{n}"}},"unique_id":"{self.project}-{n}"}}' for n in range(IMPORTED))
        client = self.client(authorization=f"Bearer {self.cast.key}")
        url = f"{PREFIX}/projects/{self.project}/tasks/bulk?import=storm"

        def slowly() -> Any:
            for at in range(0, len(lines), 700):
                time.sleep(0.1)
                yield lines[at : at + 700].encode()

        reply = self.insist(lambda: client.post(url, content=slowly()))
        self.imported = reply.json() if reply is not None else {}

    def export(self) -> None:
        client = self.client(authorization=f"Bearer {self.cast.key}")
        while not self.stop.is_set():
            query = {"project": self.project, "format": "jsonl"}
            try:
                reply = client.get(f"{PREFIX}/exports", params=query)
                if reply.status_code == 200:
                    lines = [json.loads(line) for line in reply.text.splitlines()]  # whole lines, to the last one
                    assert lines
                    self.exports += 1
            except httpx.HTTPError:
                pass  # broken off: the length tells, and the customer asks again
            time.sleep(0.2)

    def blow(self, hurt: Any) -> None:
        jobs = [(self.label, (email,)) for email in self.cast.emails]
        jobs += [(self.review, ()), (self.load, ()), (self.export, ())]  # type: ignore[list-item]
        threads = [threading.Thread(target=self.guard, args=(job, args)) for job, args in jobs]
        for thread in threads:
            thread.start()
        try:
            self.goes_on(BEFORE)
            hurt()
            self.goes_on(AFTER)
        finally:
            self.stop.set()
            for thread in threads:
                thread.join(60)
                assert not thread.is_alive()

    def goes_on(self, answers: int) -> None:
        """So many further answers are acknowledged and a further export comes back whole, however slow the machine."""
        wanted, exports = len(self.submitted) + answers, self.exports
        patiently(lambda: len(self.submitted) >= wanted and self.exports > exports, 60, f"the storm: {self.faults}")

    def guard(self, job: Any, args: Any) -> None:
        try:
            job(*args)
        except Exception as err:
            self.faults.append(f"{job.__name__}: {type(err).__name__} {err}")


def prepare(running: Running, cast: Cast, name: str, receiver: Receiver) -> Storm:
    with httpx.Client(base_url=running.url, headers={"authorization": f"Bearer {cast.key}"}, timeout=20) as api:
        body = {"name": name, "medium": "text", "ontology": ONTOLOGY, "review": "all", "callback_url": receiver.url}
        made = api.post(f"{PREFIX}/projects", json=body)
        assert made.status_code == 200, made.text
        project = made.json()["id"]
        lines = "\n".join(f'{{"data":{{"text":"first {n}"}}}}' for n in range(FIRST))
        assert api.post(f"{PREFIX}/projects/{project}/tasks/bulk", content=lines).json()["created"] == FIRST
    return Storm(running, cast, project)


def check(storm: Storm, receiver: Receiver) -> None:
    running, project = storm.running, storm.project
    bugs = [line for line in running.log.splitlines() if "a bug" in line or "Traceback" in line]
    assert storm.faults == [] and bugs == [], running.log[-5000:]
    # every acknowledged answer is there, once
    answers = dict(
        running.rows("select assignment_id, count(*) from evenhand.answer where origin = 'label' group by 1")
    )
    mine = {handle[24:] for handle in storm.submitted}
    assert mine <= set(answers), f"lost: {mine - set(answers)}"
    assert set(answers.values()) == {1}, "an answer is there twice"
    # the import is exact
    assert storm.imported.get("created", 0) + storm.imported.get("repeated", 0) == IMPORTED, storm.imported
    total = running.rows("select count(*), count(unique_mac) from evenhand.task where project_id = %s", project)
    assert total == [(FIRST + IMPORTED, IMPORTED)]
    # no place is taken by nobody
    crooked = running.rows(
        "select q.task_id, q.taken, q.answered from evenhand.queue q where q.project_id = %s and q.taken <>"
        " (select count(*) from evenhand.assignment a where a.org_id = q.org_id and a.task_id = q.task_id"
        "   and a.state = 'leased' and a.role = 'label')"
        " + (select count(*) from evenhand.answer a where a.org_id = q.org_id and a.task_id = q.task_id"
        "   and a.state = 'current' and a.origin = 'label')",
        project,
    )
    assert crooked == []
    reviews = running.rows("select task_id, count(*) from evenhand.review group by 1")
    assert storm.reviewed <= {task for task, _ in reviews} and {n for _, n in reviews} <= {1}

    # every finished task was told, whatever died on the way
    def told() -> bool:
        done = {t for (t,) in running.rows("select task_id from evenhand.task where project_id = %s and state = 'done'",
                                           project)}  # fmt: skip
        text = "\n".join(list(receiver.got))
        return all(task in text for task in done)

    patiently(told, 20, "the callbacks")
    dead = running.rows("select kind from evenhand.job where state = 'dead'")
    assert dead == []


@pytest.mark.parametrize("victim", ["http", "worker", "backend", "postmaster"])
def test_kill_and_go_on(running: Running, cast: Cast, victim: str) -> None:
    """The parent mends it: nobody starts anything again."""
    with receiving() as receiver:
        storm = prepare(running, cast, f"Storm over {victim}", receiver)
        storm.blow(lambda: running.kill(victim))
        patiently(lambda: running.health() == 200, 20, "health")
        check(storm, receiver)


def test_kill_the_parent_and_start_again(running: Running, cast: Cast) -> None:
    """The children go with their parent; one plain start and everything goes on."""
    with receiving() as receiver:
        storm = prepare(running, cast, "Storm over the parent", receiver)

        def hurt() -> None:
            running.members()
            old = set(running.seen)
            running.kill("parent")
            assert running.process is not None
            running.process.wait(10)
            patiently(lambda: not old & set(running.left()), 15, "no orphans")
            running.start()

        storm.blow(hurt)
        check(storm, receiver)


def test_ctrl_c_in_the_middle_of_work(running: Running, cast: Cast) -> None:
    """Stopping in order: what was acknowledged is there after the next start, and nothing runs meanwhile."""
    with receiving() as receiver:
        storm = prepare(running, cast, "Storm over everything", receiver)

        def hurt() -> None:
            assert running.stop(signal.SIGINT) == 0
            assert running.left() == [] and running.health() == 0
            assert "Traceback" not in running.log, running.log[-3000:]
            running.start()

        storm.blow(hurt)
        check(storm, receiver)
    assert running.stop(signal.SIGTERM) == 0
    running.start()
