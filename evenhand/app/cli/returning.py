"""`evenhand archive import`: an archive of everything, in again. It is read twice: once to check all of it, once to use it.

Projects are known again by a reference to where they come from, batches by their names, files and tasks by import keys: run again
after whatever happened, it goes on, and nothing is doubled.
"""

import argparse
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from evenhand.app.cli import show
from evenhand.app.cli.api import Api, open_api
from evenhand.app.cli.importing import Report, send_whole
from evenhand.app.cli.progress import Progress
from evenhand.app.cli.readers import Fault, Found, Picture, Record, Source
from evenhand.app.cli.uploading import Returning
from evenhand.features.deliveries.types import ExportedTask
from evenhand.infra.home import plain_reason
from evenhand.pure.formats.again import behind_in
from evenhand.pure.formats.archive import Archive
from evenhand.pure.trouble import Conflict, Invalid

#: tables whose rows come in, with what they stand for; the rest stays behind, in these words
CARRIED = ("projects", "versions", "batches", "tasks", "answers", "reviews", "files")
BEHIND = {
    "members": "people of the organisation",
    "contracts": "versions of the contract",
    "api-keys": "API keys",
    "organisation-keys": "encryption keys of the organisation",
    "data-keys": "encryption keys of projects",
    "groups": "groups of workers",
    "seats": "seats of people in projects",
    "queue": "places in the queue, which tasks that are still to be done get anew",
    "assignments": "assignments, with the edits that led to an answer",
    "drafts": "drafts",
    "known-answers": "tasks with a known answer",
    "scores": "scores against known answers",
    "courses": "training courses of people",
    "questions": "questions of annotators",
    "notices": "notices to annotators",
    "deliveries": "deliveries",
    "callbacks": "callbacks",
    "callback-tries": "tries of callbacks",
    "retention": "retention rules",
    "holds": "legal holds",
    "deletions": "deletions",
    "views": "saved views",
    "events": "events of the log, which are evidence of another installation",
}
_STATES = {"paused": "pause", "cancelled": "cancel"}
_RENAMES = 20


class _Body(msgspec.Struct):
    """What is read of a project's own settings."""

    name: str
    callback_url: str = ""
    rate: str = ""


class _Project(msgspec.Struct):
    project_id: str
    kind: str
    medium: str
    stage: str
    state: str
    overlap: int
    review: str
    review_rate: float
    lease_s: int
    version: int
    body: _Body | None


class _VersionBody(msgspec.Struct):
    ontology: dict[str, Any] = {}
    instructions: str = ""


class _Version(msgspec.Struct):
    project_id: str
    version: int
    body: _VersionBody | None


class _BatchBody(msgspec.Struct):
    name: str
    callback_url: str = ""
    metadata: dict[str, Any] = {}


class _Batch(msgspec.Struct):
    project_id: str
    state: str
    priority: int
    body: _BatchBody | None


class _Row(msgspec.Struct):
    """A row whose body is looked at for what exports do not have."""

    project_id: str
    purpose: str
    body: dict[str, msgspec.Raw] | None


_IN_EXPORTS = {"data", "name", "unique_id", "tags", "metadata", "ontology", "error", "expected"}
_OWN = {"instructions": "instructions of single tasks", "callback_url": "callback addresses of single tasks"}


@dataclass(slots=True)
class _Read:
    """What the first reading found. `batches`: by project. `behind`: how much of what stays behind."""

    projects: list[_Project]
    versions: dict[str, _VersionBody]
    batches: dict[str, list[_Batch]]
    files: dict[str, str]  # asset -> entry
    behind: Counter[str] = field(default_factory=Counter[str])


def import_archive(given: argparse.Namespace) -> int:
    path = Path(given.file)
    try:
        with path.open("rb") as file:
            archive = Archive(file)
            read = read_archive(archive)
            if given.check:
                return _tell(given, archive, {}, read.behind, 0)
            with open_api(given) as api:
                return _Import(api, archive, read).run(given)
    except OSError as err:
        raise Invalid(f"{path} can't be read: {plain_reason(err)}.") from err


def read_archive(archive: Archive) -> _Read:
    """Checks everything before anything is made. Raises Invalid with the place of what is wrong."""
    with Progress("Checking", total=archive.total, unit="bytes") as progress:
        archive.check(progress.add)
    projects = [row for _, _, row in archive.rows("projects.jsonl", _Project)]
    now = {project.project_id: project.version for project in projects}
    versions: dict[str, _VersionBody] = {}
    for _, _, one in archive.rows("versions.jsonl", _Version):
        if now.get(one.project_id) == one.version and one.body is not None:
            versions[one.project_id] = one.body
    batches: dict[str, list[_Batch]] = {}
    for _, _, batch in archive.rows("batches.jsonl", _Batch):
        batches.setdefault(batch.project_id, []).append(batch)
    files = {name.removeprefix("files/").partition(".")[0]: name for name in archive.names("files/")}
    read = _Read(projects, versions, batches, files)
    read.behind.update({words: n for name, words in BEHIND.items() if (n := archive.lines(f"{name}.jsonl"))})
    read.behind["earlier versions of ontologies and instructions"] = archive.lines("versions.jsonl") - len(versions)
    _look_at_tasks(archive, read)
    if "evidence.zip" in archive.names():
        read.behind["the evidence, which `evenhand verify` reads from the archive"] = 1
    return read


def _look_at_tasks(archive: Archive, read: _Read) -> None:
    """Each exported line must be one, and its files be there; what single tasks have beside is counted."""
    shown: set[str] = set()
    for project in read.projects:
        name = f"projects/{project.project_id}.jsonl"
        if project.body is None or name not in archive.names("projects/"):
            read.behind["projects whose key was destroyed, or which were being deleted"] += 1
            continue
        for number, _, task in archive.rows(name, ExportedTask):
            files = [one.asset for one in (task.data.image, *task.data.references) if one is not None]
            if missing := [asset for asset in files if asset not in read.files]:
                raise Invalid(f"{name}, line {number}: its file {missing[0][:40]} is not in the archive.")
            shown.update(files)
        if project.kind != "native":
            read.behind["projects of a compatible door, which come in as native ones"] += 1
    for _, _, row in archive.rows("tasks.jsonl", _Row):
        if row.purpose == "work":
            for key in (row.body or {}).keys() - _IN_EXPORTS:
                read.behind[_OWN.get(key, "parts of tasks that a compatible door kept")] += 1
    read.behind["files that no task shows"] = len(read.files.keys() - shown)


class _Import:
    def __init__(self, api: Api, archive: Archive, read: _Read) -> None:
        self._api, self._archive, self._read = api, archive, read
        self._from = archive.about.organisation
        self._known = {p["reference"]: p for p in api.all("/projects", archived="true") if p["reference"]}
        self._reports: dict[str, Report] = {}

    def run(self, given: argparse.Namespace) -> int:
        behind = self._read.behind
        names = self._archive.names("projects/")
        todo = [p for p in self._read.projects if p.body is not None and f"projects/{p.project_id}.jsonl" in names]
        total = sum(self._archive.size(f"projects/{p.project_id}.jsonl") for p in todo)
        with Progress("Importing", total=total, unit="bytes") as progress:
            try:
                for project in todo:
                    self._project(project, progress)
            except KeyboardInterrupt:
                progress.line("Run the same command again to go on; nothing is doubled.")
                raise
        for report in self._reports.values():
            behind.update(report.behind)
        failed = sum(len(report.faults) for report in self._reports.values())
        return _tell(given, self._archive, self._reports, behind, failed)

    def _project(self, old: _Project, progress: Progress) -> None:
        project = self._known.get(self._reference(old)) or self._made(old)
        report = self._reports[project["name"]] = Report()
        if project["state"] == "archived":  # which is the last that is done of it
            progress.line(f"{project['name']} is in already, and archived.")
            return
        renamed = self._batches(old, project["id"], progress)
        key = f"archive-{self._archive.digest[:32]}"
        source = Source("jsonl", 0, self._archive.digest, lambda: self._records(old, renamed))
        files = Returning(self._api, f"archive/{self._from}", self._picture)
        send_whole(self._api, project["id"], key, source, files, report, progress)
        self._settle(old, project, renamed)

    def _reference(self, old: _Project) -> str:
        return f"archive/{self._from}/{old.project_id}"

    def _made(self, old: _Project) -> dict[str, Any]:
        assert old.body is not None  # those without are not imported
        version = self._read.versions.get(old.project_id, _VersionBody())
        new = {
            "medium": old.medium, "ontology": version.ontology, "instructions": version.instructions, "overlap": old.overlap,
            "review": old.review, "review_rate": old.review_rate, "lease_s": old.lease_s, "pilot": old.stage == "pilot",
            "callback_url": old.body.callback_url, "rate": old.body.rate, "reference": self._reference(old),
        }  # fmt: skip
        return self._named("/projects", old.body.name, new)

    def _named(self, path: str, name: str, new: dict[str, Any]) -> dict[str, Any]:
        """Made under its name, or where that is taken under the next that is free."""
        for n in range(1, _RENAMES + 1):
            try:
                return self._api.post(path, {**new, "name": name if n == 1 else f"{name} ({n})"})
            except Conflict as err:
                if n == _RENAMES or "called" not in err.message:
                    raise
        raise AssertionError("unreachable")

    def _batches(self, old: _Project, project: str, progress: Progress) -> dict[str, dict[str, Any]]:
        """Its batches here, by the names that they had."""
        there = {b["name"]: b for b in self._api.all(f"/projects/{project}/batches")}
        out: dict[str, dict[str, Any]] = {}
        for batch in self._read.batches.get(old.project_id, []):
            body = batch.body
            if body is None:
                continue
            names = [body.name, *(f"{body.name} ({n})" for n in range(2, _RENAMES + 1))]
            found = next((there[name] for name in names if name in there), None)
            new = {
                "staging": batch.state == "staging", "priority": batch.priority, "metadata": body.metadata,
                "callback_url": body.callback_url,
            }  # fmt: skip
            out[body.name] = found or self._named(f"/projects/{project}/batches", body.name, new)
            if out[body.name]["name"] != body.name:
                progress.line(f"The batch {body.name} is called {out[body.name]['name']} here: its name is taken.")
        return out

    def _records(self, old: _Project, batches: dict[str, dict[str, Any]]) -> Found:
        name = f"projects/{old.project_id}.jsonl"
        for number, line, task in self._archive.rows(name, ExportedTask):
            size = len(line) + 1
            here = batches[task.batch]["name"] if task.batch in batches else task.batch
            if here != task.batch:
                line = msgspec.json.encode({**msgspec.json.decode(line), "batch": here})
            yield Record(f"line {number}", line, size, behind=behind_in(line), whole=True)

    def _picture(self, picture: Picture) -> bytes:
        return b"".join(self._archive.pieces(self._read.files[picture.asset]))

    def _settle(self, old: _Project, project: dict[str, Any], batches: dict[str, dict[str, Any]]) -> None:
        """What must come after the tasks: batches that take no more, and the state of the project."""
        for batch in self._read.batches.get(old.project_id, []):
            here = batches.get(batch.body.name) if batch.body is not None else None
            if here is not None and batch.state in _STATES and here["state"] == "in_progress":
                self._api.post(f"/batches/{here['id']}/{_STATES[batch.state]}")
        if old.state != project["state"]:
            self._api.patch(f"/projects/{project['id']}", {"state": old.state})


def _tell(
    given: argparse.Namespace, archive: Archive, reports: dict[str, Report], behind: Counter[str], failed: int
) -> int:
    left = {words: count for words, count in behind.items() if count > 0}
    faults: list[tuple[str, Fault]] = [(name, fault) for name, report in reports.items() for fault in report.faults]
    if given.json:
        show.as_json(
            {
                "from": archive.about.name,
                "projects": [
                    {"name": name, "created": r.created, "repeated": r.repeated, "failed": len(r.faults)}
                    for name, r in reports.items()
                ],
                "errors": [{"project": n, "where": f.where, "code": f.code, "detail": f.detail} for n, f in faults],
                "left_behind": left,
            }
        )
        return 1 if failed else 0
    if given.check:
        show.line(f"It is whole: everything that {archive.about.name} had ({archive.about.mode} space).")
    for name, report in reports.items():
        known = f", {report.repeated:,} were in already" if report.repeated else ""
        show.line(f"{name}: {report.created:,} tasks{known}.")
    sys.stdout.flush()
    if left:
        sys.stderr.write("Staying behind:\n")
        for words, count in left.items():
            sys.stderr.write(f"  {count:,} {words}\n")
    if failed:
        sys.stderr.write(f"{failed:,} tasks could not be imported; they are named above.\n")
    return 1 if failed else 0
