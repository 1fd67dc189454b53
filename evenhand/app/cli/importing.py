"""`evenhand task import`: lines in chunks that are always cut the same way, under a key that comes from their content.

The server remembers every chunk with its key, so an import that broke off anywhere (Ctrl-C, kill -9, the network, the
server) is run again with the same command: chunks that are in are answered from memory and nothing is doubled.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from evenhand.app.cli import show
from evenhand.app.cli.api import Api, open_api
from evenhand.app.cli.progress import Progress
from evenhand.app.cli.readers import Fault, Record, Source, open_source
from evenhand.app.cli.uploading import Ready, Returning, Uploads, clean, fetched
from evenhand.pure.formats.again import PARTS
from evenhand.pure.trouble import Invalid, Missing

CHUNK_LINES = 2_000
CHUNK_BYTES = 8_000_000
CHUNK_FILES = 16


@dataclass(slots=True)
class Report:
    """The sum of what the server said, with the places in the source. `behind`: what an export held that no task takes."""

    created: int = 0
    repeated: int = 0
    faults: list[Fault] = field(default_factory=list[Fault])
    left_out: str = ""
    behind: Counter[str] = field(default_factory=Counter[str])


def import_tasks(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        project = api.project(given.project)
        batch = api.batch(project["id"], given.batch)["id"] if given.batch else None
        leave_out = _parts(given.leave_out)
        if given.as_they_were and (batch or leave_out or given.kind not in (None, "jsonl")):
            raise Invalid("--as-they-were takes an export as it is.", hint="Leave --batch, --leave-out and --as out.")
        kind = "jsonl" if given.as_they_were else given.kind
        source = open_source(Path(given.source), kind, project["medium"], leave_out, whole=given.as_they_were)
        content = " ".join((source.digest, str(batch), *leave_out))
        key = given.import_key or f"auto-{sha256(content.encode()).hexdigest()[:40]}"
        report = Report()
        with Progress("Importing", total=source.total, unit="bytes") as progress:
            try:
                if given.as_they_were:
                    send_whole(api, project["id"], key, source, Returning(api, key, fetched), report, progress)
                else:
                    _send_all(api, project["id"], batch, key, source, report, progress)
            except KeyboardInterrupt:
                progress.line(
                    f"{report.created + report.repeated:,} tasks are in. Run the same command again to go on; "
                    "nothing is doubled."
                )
                raise
    return _tell(given, project, key, report)


def _parts(given: str) -> list[str]:
    """What is to be left out of an export, in a fixed order."""
    wanted = {part.strip() for part in given.split(",") if part.strip()}
    if unknown := sorted(wanted - set(PARTS)):
        raise Invalid(f"'{unknown[0][:40]}' can't be left out.", hint=f"These can: {', '.join(PARTS)}.")
    return [part for part in PARTS if part in wanted]


def _send_all(
    api: Api, project: str, batch: str | None, key: str, source: Source, report: Report, progress: Progress
) -> None:
    path = f"/projects/{project}/tasks/bulk"
    _send(api, path, {"batch": batch, "import": key}, source, Uploads(api, key).lines, report, progress)


def send_whole(
    api: Api, project: str, key: str, source: Source, files: Returning, report: Report, progress: Progress
) -> None:
    """Lines of an export as they stand, but for the files that they name."""
    path = f"/projects/{project}/tasks/exported"
    _send(api, path, {"import": key}, source, files.lines, report, progress)


def _send(
    api: Api, path: str, query: dict[str, Any], source: Source, ready: Ready, report: Report, progress: Progress
) -> None:
    first = 1
    for chunk in _chunks(source, report, progress):
        lines = ready(chunk)
        body = b"\n".join(line for _, line in lines if isinstance(line, bytes))
        sent = [(record, line) for record, line in lines if isinstance(line, bytes)]
        for record, line in lines:
            if isinstance(line, Fault):
                _add_fault(report, progress, Fault(record.where, line.code, line.detail))
        if sent:
            said = api.post_lines(path, body, **query, first_line=first)
            report.created += said["created"]
            for record, _ in sent:
                report.behind.update(record.behind)
            report.repeated += said["repeated"]
            for error in said["errors"]:
                where = sent[error["line"] - first][0].where
                _add_fault(report, progress, Fault(where, error["code"], error["detail"]))
        first += len(chunk)
        progress.add(sum(record.read for record in chunk))


def _add_fault(report: Report, progress: Progress, fault: Fault) -> None:
    fault = Fault(clean(fault.where), fault.code, fault.detail)
    report.faults.append(fault)
    progress.line(f"{fault.where}: {fault.detail}")


def _chunks(source: Source, report: Report, progress: Progress) -> Iterator[list[Record]]:
    """Records in chunks whose borders depend on the content only."""
    most = CHUNK_FILES if source.kind == "folder" else CHUNK_LINES
    held: list[Record] = []
    size = 0
    for found in source.records():
        if isinstance(found, Fault):
            if found.code == "left_out":
                report.left_out = found.detail
            elif found.code == "behind":
                report.behind[found.detail] += 1
            else:
                _add_fault(report, progress, found)
            continue
        if held and (len(held) >= most or size + len(found.line) > CHUNK_BYTES):
            yield held
            held, size = [], 0
        held.append(found)
        size += len(found.line)
    if held:
        yield held


def _place(fault: Fault) -> tuple[int, str]:
    """Lines by their number, files by their name."""
    word, _, number = fault.where.partition(" ")
    return (int(number), "") if word == "line" and number.isdigit() else (0, fault.where)


def _tell(given: argparse.Namespace, project: dict[str, Any], key: str, report: Report) -> int:
    failed = len(report.faults)
    if given.json:
        faults = sorted(report.faults, key=_place)
        errors = [{"where": f.where, "code": f.code, "detail": f.detail} for f in faults]
        show.as_json(
            {
                "project": project["id"],
                "import": key,
                "created": report.created,
                "repeated": report.repeated,
                "failed": failed,
                "errors": errors,
                "left_behind": dict(report.behind),
            }
        )
    else:
        if report.left_out:
            show.line(report.left_out)
        known = f", {report.repeated:,} were in already" if report.repeated else ""
        show.line(f"{report.created:,} tasks imported into {project['name']}{known}.")
    sys.stdout.flush()
    if report.behind:
        words = "; ".join(f"{count:,} {what}" for what, count in report.behind.items())
        sys.stderr.write(f"An import has no place for: {words}.\n")
    if failed:
        sys.stderr.write(
            f"{failed:,} could not be imported; they are named above. Put the corrected ones into a file of their own: "
            "a changed file is a new import.\n"
        )
        if report.behind and any(fault.code == "conflict" for fault in report.faults):
            sys.stderr.write(
                "Where the exported tasks are still in this organisation their unique ids are taken: "
                "--leave-out unique_id.\n"
            )
    elif not report.created and not report.repeated:
        raise Missing(f"There are no tasks in {given.source}.", hint="A CSV file needs rows below its header.")
    return 1 if failed else 0
