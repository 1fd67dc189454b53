"""The demo: whole, once, private, and never among other people's organisations."""

import json
import resource
import signal
import stat
import subprocess
import sys
import time
from typing import Any

from evenhand.app import demo
from evenhand.app.demo.content import annotations_of, input_of, load
from evenhand.app.demo.neutral import simulated
from evenhand.pure.answers import check_answer
from evenhand.pure.fairness.published import faults
from evenhand.pure.ontology import check_ontology
from tests.app.cli.conftest import Place

SEED = (
    "from evenhand.app import demo; from evenhand.app.opening import database; "
    "from evenhand.app.settings import settings_from_environment; s = settings_from_environment()\n"
    "with database(s) as (urls, keys): demo.seed(s, urls, keys)"
)


SEED_CPU_S = 12  # of our processes, however busy the machine is


def cpu_s() -> float:
    """Seconds of CPU that processes which have ended took, ours and what they started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _counts(place: Place, org: str) -> dict[str, Any]:
    return {p["name"]: p["counts"] for p in place.good("project", "list", "--org", org)}


def _whole(place: Place) -> None:
    first, second = _counts(place, "Alder Works"), _counts(place, "Birch Works")
    assert {name: c["total"] for name, c in first.items()} == {"Everyday photographs": 12, "Which answer is better": 10}
    assert {name: c["total"] for name, c in second.items()} == {"Letters and short news": 14}
    photographs = first["Everyday photographs"]
    assert (photographs["done"], photographs["review"], photographs["open"]) == (5, 1, 6)


def _watched(place: Place) -> None:
    """There is something on the trust page, once each, and nobody of the operator may still look."""
    org = ("--org", "Alder Works")
    grants = place.good("grant", "list", *org)["grants"]
    assert [(g["kind"], g["live"], g["uses"]) for g in grants] == [("break_glass", False, 1), ("support", False, 1)]
    assert [w["name"] for w in place.good("wall", "list", *org)] == ["Cedar Works"]
    data = place.good("org", "data", *org)
    assert [d["reason"] for d in data["deletions"]] == ["project"] and len(data["holds"]) == 1
    for name in ("Alder Works", "Birch Works"):
        (left,) = place.good("person", "leavers", "--org", name)
        assert left["tasks"] == 1


def test_a_simulated_day_says_so_and_can_be_made_again() -> None:
    made = simulated("2027-01-01", seed=3)
    assert faults(made) == [] and "simulated" in made.work
    assert {line.affiliate for line in made.lines} == {True, False} and len(made.lines) == made.figures.customers == 18
    assert made.figures.jain is not None and made.figures.jain > 0.99


def test_what_it_is_made_of_is_right() -> None:
    content, projects, instructions = load()
    assert len(content.annotators) == 4 and len(content.organisations) == 2 and len(content.reviewers) == 1
    for name, project in projects.items():
        check_ontology(project.ontology)
        assert len(instructions[name]) > 500
        for task in project.tasks:
            assert not task.picture or (demo.folder() / task.picture).is_file()
            if (found := annotations_of(task)) is not None:
                check_answer(
                    {"annotations": found}, project.ontology, input_of(task, None if not task.picture else "x")
                )
    pictures = sorted(demo.folder().glob("*.jpg"))
    assert 10 <= len(pictures) <= 14
    assert sum(path.stat().st_size for path in pictures) <= 3_000_000
    sources = (demo.folder() / "SOURCES.md").read_text()
    for path in pictures:
        (line,) = [line for line in sources.splitlines() if path.name in line]
        assert "public domain" in line or "CC0" in line


def test_a_demo_that_broke_off_is_finished_and_then_left_alone(still: Place) -> None:
    for wait_s in (1.8, 2.8):  # killed at two places
        process = subprocess.Popen(
            [sys.executable, "-c", SEED], env=still.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(wait_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = cpu_s()
    for _ in range(2):
        subprocess.run([sys.executable, "-c", SEED], env=still.env, check=True, timeout=120)
    assert cpu_s() - before < SEED_CPU_S
    file = still.home / "demo.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = json.loads(file.read_text())
    assert set(found) == {"url", "people", "organisations"}
    roles = [p["role"] for p in found["people"]]
    assert roles[:7] == ["operator", "operator", "director", "owner", "manager", "viewer", "owner"]
    assert roles[7:] == [*["annotator"] * 4, "reviewer"]
    assert all(set(p) == {"name", "role", "email", "password"} for p in found["people"])
    assert all(set(o) == {"name", "live_key", "test_key"} for o in found["organisations"])
    _whole(still)
    _watched(still)
    keys = [k["name"] for o in found["organisations"] for k in still.good("key", "list", "--org", o["name"])]
    assert keys == ["demo"] * 4
    # the two must be told apart by nobody: each has its own, and the keys open it
    key = {"EVENHAND_KEY": found["organisations"][0]["live_key"]}
    assert len(still.good("project", "list", **key)) == 2


def test_it_refuses_a_database_with_other_organisations(still: Place) -> None:
    still.good("org", "create", "Real Customer")
    done = still.run("up", "--demo", "--no-browser")
    assert done.code == 1
    assert "holds other organisations" in done.err
    assert "Traceback" not in done.err
    assert not (still.home / "demo.json").exists()
    assert [org["name"] for org in still.good("org", "list")] == ["Real Customer"]
