"""Claim: next + submit costs 50 times less CPU than in Label Studio, and an exported task 10 times less.

Both systems run in this run, on this machine, on the same work: text tasks with one choice field, imported in bulk, labelled
through HTTP by one annotator and then by four, exported as JSON. One client drives both. What is counted is the CPU of all
processes of a system (of Evenhand: HTTP, worker and PostgreSQL), with a moment afterwards for what it does late; the client's
is not. The wall time stands beside it. Label Studio is installed once into `$EVENHAND_BENCH_CACHE` or
`~/.cache/evenhand-bench`, and runs with its defaults: one process, SQLite, telemetry off.

Given to the peer: a token that need not be renewed, a client that keeps its cookies (cheaper there), finished tasks made by
import, and the cheaper of its two ways to export. Evenhand's finished tasks are really submitted, one by one. What a pair
costs in the minute after an import, before PostgreSQL has gathered statistics, is a line of its own and in no ratio.
"""

import argparse
import http.client
import json
import signal
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
import psycopg

from bench.dispatch import admin, seats
from bench.support import seed
from bench.support.label_studio import PEOPLE, Peer, installed, label_studio
from bench.support.serving import Running, conclude, evenhand, say
from evenhand.app.services import Services
from evenhand.features.people import actions as people
from evenhand.features.projects import actions as projects
from evenhand.features.projects.actions import NewProject
from evenhand.infra.db import SYSTEM

T = TypeVar("T")
NEXT_TARGET = 50.0
EXPORT_TARGET = 10.0
SETTLE_S = 0.4  # for what a system does after it has answered
_CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="mood" toName="text" choice="single" required="true">'
    '<Choice value="good"/><Choice value="bad"/></Choices></View>'
)
_RESULT = [{"id": "a1", "from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": ["good"]}}]


@dataclass(frozen=True)
class Sizes:
    tasks: int  # imported in a round; the last import is what is labelled
    finished: int
    rounds: int
    seconds: float  # of labelling, in a round
    pairs: int  # at most, in a round


QUICK = Sizes(tasks=3_600, finished=1_000, rounds=3, seconds=3, pairs=400)
FULL = Sizes(tasks=10_000, finished=10_000, rounds=5, seconds=8, pairs=900)


class Client:
    """One keep-alive connection that keeps its cookies, and sends a request in one piece, as a browser does."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._port = port
        self._head = "".join(f"{k}: {v}\r\n" for k, v in {"host": f"localhost:{port}", **headers}.items())
        self._cookies: dict[str, str] = {}
        self._socket: socket.socket | None = None

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\n{self._head}"
        if self._cookies:
            head += "cookie: " + "; ".join(f"{k}={v}" for k, v in self._cookies.items()) + "\r\n"
        if sent:
            head += f"content-type: application/json\r\ncontent-length: {len(sent)}\r\n"
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=600)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(head.encode() + b"\r\n" + sent)
        reply = http.client.HTTPResponse(self._socket, method=method)
        reply.begin()
        for cookie in reply.headers.get_all("set-cookie") or []:
            name, _, value = cookie.split(";", 1)[0].partition("=")
            self._cookies[name] = value
        got = reply.read()
        if reply.will_close:
            self.close()
        return reply.status, got

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


@dataclass
class Handed:
    """What annotators were given, and what failed."""

    got: list[tuple[str, int]] = field(default_factory=list)  # task, person
    pairs: int = 0
    failed: list[str] = field(default_factory=list)

    def twice(self) -> int:
        """Tasks that more than one person was given."""
        people: dict[str, set[int]] = {}
        for task, person in self.got:
            people.setdefault(task, set()).add(person)
        return sum(len(who) > 1 for who in people.values())


class Side(Protocol):
    """One of the two systems, as the measurements see it."""

    name: str
    pid: int

    def new_project(self) -> None: ...
    def bulk(self, count: int) -> None: ...
    def client(self, person: int) -> Client: ...
    def pair(self, line: Client, person: int, out: Handed) -> bool: ...
    def rest(self) -> None: ...
    def finish(self, count: int) -> None: ...
    def exports(self) -> dict[str, Callable[[], int]]: ...


class Evenhand:
    name = "evenhand"

    def __init__(self, running: Running) -> None:
        self.pid, self._running = running.process.pid, running
        self.org, self._people, sessions = seed.people_with_sessions(running, PEOPLE)
        self._sessions = [{"cookie": cookie, "x-evenhand-csrf": csrf} for cookie, csrf in sessions]
        self._projects: list[str] = []
        self._key = running.do(self._new_key)

    async def _new_key(self, opened: Services) -> str:
        return (await people.create_key(opened.db, self.org, "live")).key

    def new_project(self) -> None:
        """Only the newest project hands out work."""
        new = NewProject(f"Bench {len(self._projects) + 1}", "text", seed.ONTOLOGY, lease_s=3600)

        async def work(opened: Services) -> str:
            async with opened.db.tx(self.org, SYSTEM) as tx:
                return (await projects.create_project(tx, new)).id

        if self._projects:
            seed.pause(self._running, self.org, self._projects[-1])
        self._projects.append(self._running.do(work))
        seats(self._running, self.org, self._projects[-1], self._people)

    def _owner(self) -> Client:
        return Client(self._running.settings.port, {"authorization": f"Bearer {self._key}"})

    def bulk(self, count: int) -> None:
        body = b"\n".join(seed.line(n) for n in range(count))
        path = f"/api/v1/projects/{self._projects[-1]}/tasks/bulk?import=bench"
        line = self._owner()
        status, reply = line.ask("POST", path, body)
        line.close()
        if status != 200 or json.loads(reply)["created"] != count:
            raise SystemExit(f"the import into Evenhand failed: {status} {reply[:300]!r}")

    def client(self, person: int) -> Client:
        return Client(self._running.settings.port, self._sessions[person])

    def pair(self, line: Client, person: int, out: Handed) -> bool:
        status, body = line.ask("POST", "/api/v1/work/next", b'{"want":1}')
        leased = json.loads(body)["assignments"] if status == 200 else []
        if not leased:
            out.failed.append(f"next {status} {body[:200]!r}")
            return False
        handle = leased[0]["handle"]
        out.got.append((leased[0]["task"], person))
        body = {"key": handle[-24:], "answer": seed.ANSWER, "seconds": 1}
        status, reply = line.ask("POST", f"/api/v1/work/{handle}/submit", body)
        if status != 200:
            out.failed.append(f"submit {status} {reply[:200]!r}")
            return False
        return True

    def rest(self) -> None:
        """What the database does by itself within a minute of an import; the benchmark does not wait for it."""
        with psycopg.connect(admin(self._running), autocommit=True) as conn:
            conn.execute("analyze")

    def finish(self, count: int) -> None:
        self.new_project()
        self.bulk(count)
        self.rest()
        done = label(self, PEOPLE, 3600, count)
        if done.pairs != count:
            raise SystemExit(f"only {done.pairs} of {count} tasks were submitted to Evenhand: {done.failed[:1]}")

    def exports(self) -> dict[str, Callable[[], int]]:
        def jsonl() -> int:
            line = self._owner()
            status, body = line.ask("GET", f"/api/v1/exports?project={self._projects[-1]}&format=jsonl&state=done")
            line.close()
            return body.count(b"\n") if status == 200 else -status

        return {"jsonl": jsonl}


class LabelStudio:
    name = "label_studio"

    def __init__(self, peer: Peer) -> None:
        self.pid, self._peer = peer.pid, peer
        self._project = 0

    def client(self, person: int) -> Client:
        return Client(self._peer.port, {"authorization": f"Token {self._peer.tokens[person]}"})

    def new_project(self) -> None:
        line = self.client(0)
        made = line.ask("POST", "/api/projects/", {"title": "Bench", "label_config": _CONFIG})
        self._project = _ok(made, "a project", 201)["id"]
        line.close()

    def _import(self, tasks: list[dict[str, Any]]) -> tuple[int, bytes]:
        line = self.client(0)
        reply = line.ask("POST", f"/api/projects/{self._project}/import", tasks)
        line.close()
        return reply

    def bulk(self, count: int) -> None:
        reply = self._import([{"data": _data(n)} for n in range(count)])
        if _ok(reply, "an import", 201)["task_count"] != count:
            raise SystemExit(f"the import into Label Studio failed: {reply[1][:300]!r}")

    def pair(self, line: Client, person: int, out: Handed) -> bool:
        status, body = line.ask("GET", f"/api/projects/{self._project}/next/")
        if status != 200:
            out.failed.append(f"next {status} {body[:200]!r}")
            return False
        task = json.loads(body)["id"]
        out.got.append((f"{self._project}/{task}", person))
        answer = {"result": _RESULT, "lead_time": 1.0}
        status, body = line.ask("POST", f"/api/tasks/{task}/annotations/?project={self._project}", answer)
        if status != 201:
            out.failed.append(f"submit {status} {body[:200]!r}")
            return False
        return True

    def rest(self) -> None:
        """SQLite gathers no statistics by itself."""

    def finish(self, count: int) -> None:
        done = [{"lead_time": 1.0, "result": _RESULT}]
        self.new_project()
        reply = self._import([{"data": _data(n), "annotations": done} for n in range(count)])
        if _ok(reply, "an import", 201)["annotation_count"] != count:
            raise SystemExit(f"the import of finished tasks into Label Studio failed: {reply[1][:300]!r}")

    def exports(self) -> dict[str, Callable[[], int]]:
        base = f"/api/projects/{self._project}"

        def direct() -> int:
            line = self.client(0)
            found = _ok(line.ask("GET", f"{base}/export?exportType=JSON"), "an export")
            line.close()
            return sum(1 for task in found if task["annotations"])

        def snapshot() -> int:
            line = self.client(0)
            made = _ok(line.ask("POST", f"{base}/exports/", {"title": "Bench"}), "a snapshot", 201)
            while made["status"] not in ("completed", "failed"):
                time.sleep(0.2)
                made = _ok(line.ask("GET", f"{base}/exports/{made['id']}"), "a snapshot")
            found = _ok(line.ask("GET", f"{base}/exports/{made['id']}/download?exportType=JSON"), "a snapshot")
            line.close()
            return sum(1 for task in found if task["annotations"])

        return {"direct": direct, "snapshot": snapshot}


def _data(n: int) -> dict[str, str]:
    return json.loads(seed.line(n))["data"]


def _ok(reply: tuple[int, bytes], what: str, status: int = 200) -> Any:
    if reply[0] != status:
        raise SystemExit(f"{what} of Label Studio answered {reply[0]}: {reply[1][:300]!r}")
    return json.loads(reply[1])


def tree_cpu(pid: int) -> float:
    """Seconds of CPU of a process and all below it, those that have ended included."""
    root, total = psutil.Process(pid), 0.0
    for p in [root, *root.children(recursive=True)]:
        try:
            t = p.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += t.user + t.system + t.children_user + t.children_system
    return total


@dataclass(frozen=True)
class Cost:
    cpu_ms: float
    wall_ms: float
    count: int


def cost(side: Side, work: Callable[[], T], count: Callable[[T], int]) -> Cost:
    """CPU and wall milliseconds of one operation."""
    before, begun = tree_cpu(side.pid), time.perf_counter()
    done = work()
    wall = time.perf_counter() - begun
    time.sleep(SETTLE_S)
    spent, many = tree_cpu(side.pid) - before, max(1, count(done))
    return Cost(spent * 1000 / many, wall * 1000 / many, many)


def label(side: Side, annotators: int, seconds: float, most: int) -> Handed:
    """`annotators` ask for the next task and submit it, again and again, until the time or the pairs are used up."""
    out = Handed()
    lock = threading.Lock()
    taken = 0
    until = time.perf_counter() + seconds

    def one(person: int) -> None:
        nonlocal taken
        line = side.client(person)
        while time.perf_counter() < until:
            with lock:
                if taken == most:
                    break
                taken += 1
            good = side.pair(line, person, out)
            with lock:
                out.pairs += good
            if not good and len(out.failed) > 50:
                break
        line.close()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(annotators)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not out.pairs:
        raise SystemExit(f"{side.name} completed no pair: {out.failed[:1]}")
    return out


def spread(values: list[float], digits: int = 3) -> dict[str, float]:
    return {
        "min": round(min(values), digits),
        "median": round(statistics.median(values), digits),
        "max": round(max(values), digits),
    }


def compared(operation: str, ours: list[Cost], theirs: list[Cost], **more: Any) -> float:
    """Says what an operation cost on both sides, and returns how many times less ours did (median of the rounds)."""
    ratios = [b.cpu_ms / max(a.cpu_ms, 1e-6) for a, b in zip(ours, theirs, strict=True)]
    say(
        operation=operation, rounds=len(ratios),
        cpu_ms={"evenhand": spread([c.cpu_ms for c in ours]), "label_studio": spread([c.cpu_ms for c in theirs])},
        wall_ms={"evenhand": spread([c.wall_ms for c in ours]), "label_studio": spread([c.wall_ms for c in theirs])},
        measured={"evenhand": sum(c.count for c in ours), "label_studio": sum(c.count for c in theirs)},
        times_less_cpu=spread(ratios, 1), **more,
    )  # fmt: skip
    return statistics.median(ratios)


def importing(ours: Side, theirs: Side, sizes: Sizes) -> None:
    costs: dict[str, list[Cost]] = {ours.name: [], theirs.name: []}
    for _ in range(sizes.rounds):
        for side in (ours, theirs):
            side.new_project()
            costs[side.name].append(cost(side, lambda side=side: side.bulk(sizes.tasks), lambda _: sizes.tasks))
    compared("import, a task", costs[ours.name], costs[theirs.name])


def labelling(ours: Side, theirs: Side, sizes: Sizes) -> float:
    """The worse of the two ratios: with one annotator and with four."""
    ratios: list[float] = []
    handed = {ours.name: Handed(), theirs.name: Handed()}
    fresh: dict[str, float] = {}
    for side in (ours, theirs):
        label(side, PEOPLE, 6, 600)  # warm: every connection open, every plan made
        just = cost(side, lambda side=side: label(side, 1, 2, 100).pairs, lambda pairs: pairs)
        fresh[side.name] = round(just.cpu_ms, 3)
        side.rest()
    say(right_after_import_cpu_ms_a_pair=fresh)  # before the database has statistics; not in the ratios
    for annotators in (1, PEOPLE):
        costs: dict[str, list[Cost]] = {ours.name: [], theirs.name: []}
        for number in range(sizes.rounds):
            for side in (ours, theirs) if number % 2 == 0 else (theirs, ours):
                seen = handed[side.name]

                def work(side: Side = side, seen: Handed = seen, annotators: int = annotators) -> int:
                    done = label(side, annotators, sizes.seconds, sizes.pairs)
                    seen.got += done.got
                    seen.failed += done.failed
                    return done.pairs

                costs[side.name].append(cost(side, work, lambda pairs: pairs))
        ratios.append(compared("next + submit, a pair", costs[ours.name], costs[theirs.name], annotators=annotators))
    say(
        tasks_handed_to_two_people={name: one.twice() for name, one in handed.items()},
        tasks_handed_out={name: len({task for task, _ in one.got}) for name, one in handed.items()},
        failed_requests={name: len(one.failed) for name, one in handed.items()},
        example={name: one.failed[0] for name, one in handed.items() if one.failed},
    )
    if handed[ours.name].twice() or handed[ours.name].failed:
        raise SystemExit("Evenhand handed a task out twice, or refused a request")
    return min(ratios)


def exporting(ours: Side, theirs: Side, sizes: Sizes) -> float:
    """How many times less CPU an exported task costs, against the cheaper of the peer's ways."""
    begun = time.perf_counter()
    for side in (theirs, ours):
        side.finish(sizes.finished)
    say(finished_tasks=sizes.finished, making_them_s=round(time.perf_counter() - begun, 1))
    jsonl = ours.exports()["jsonl"]
    ways = theirs.exports()
    jsonl()  # warm

    def once(side: Side, way: Callable[[], int], times: int) -> Cost:
        def work() -> int:
            found = [way() for _ in range(times)]
            if found != [sizes.finished] * times:
                raise SystemExit(f"an export of {side.name} held {found} of {sizes.finished} tasks")
            return sum(found)

        return cost(side, work, lambda tasks: tasks)

    first = {name: once(theirs, way, 1) for name, way in ways.items()}
    cheaper = min(first, key=lambda name: first[name].cpu_ms)
    mine: list[Cost] = []
    peers: list[Cost] = [first[cheaper]]
    for number in range(sizes.rounds):
        mine.append(once(ours, jsonl, 5))  # the clock of a process ticks in 10 ms
        if number:
            peers.append(once(theirs, ways[cheaper], 1))
    ways_cost = {name: round(one.cpu_ms, 3) for name, one in first.items()}
    return compared("export, a task", mine, peers, peer_way=cheaper, peer_ways_cpu_ms=ways_cost)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--peer-version", help="a version of Label Studio; else the newest in the cache or registry")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that both systems are stopped
    sizes = QUICK if args.quick else FULL
    at = installed(args.peer_version)
    say(peer="label-studio", version=at.version, was_installed_before=at.cached, installation_s=at.install_s)
    begun = time.perf_counter()
    with label_studio(at) as peer, evenhand() as running:
        ours, theirs = Evenhand(running), LabelStudio(peer)
        say(started_both_s=round(time.perf_counter() - begun, 1))
        importing(ours, theirs, sizes)
        next_ratio = labelling(ours, theirs, sizes)
        export_ratio = exporting(ours, theirs, sizes)
    ratios = {"next + submit": next_ratio / NEXT_TARGET, "export": export_ratio / EXPORT_TARGET}
    say(ratios={k: round(v, 3) for k, v in ratios.items()})
    worst = min(ratios, key=lambda k: ratios[k])
    value, target = (next_ratio, NEXT_TARGET) if worst == "next + submit" else (export_ratio, EXPORT_TARGET)
    conclude(
        f"CPU of next + submit and of export against Label Studio {at.version} (worst of the targets: {worst})",
        value, "times less CPU", target, ratios[worst],
    )  # fmt: skip


if __name__ == "__main__":
    main()
