"""Commands on projects, batches and tasks, over the native API."""

import argparse
from pathlib import Path
from typing import Any

import msgspec

from evenhand.app.cli import show
from evenhand.app.cli.api import Api, open_api
from evenhand.infra.home import plain_reason
from evenhand.pure.trouble import Invalid, Trouble


def read_file(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as err:
        raise Invalid(f"{name} can't be read: {plain_reason(err)}.") from err


def _text(name: str) -> str:
    try:
        return read_file(name).decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise Invalid(f"{name} is not UTF-8 text.", hint="Save it as UTF-8.") from err


def _done(counts: dict[str, int]) -> str:
    return f"{counts['done']:,} of {counts['total']:,}"


# --- projects


def create_project(given: argparse.Namespace) -> int:
    body: dict[str, Any] = {
        "name": given.name, "medium": given.medium, "overlap": given.overlap, "review": given.review,
        "review_rate": given.review_rate, "lease_s": given.lease, "pilot": given.pilot,
    }  # fmt: skip
    if given.ontology:
        try:
            body["ontology"] = msgspec.json.decode(_text(given.ontology))
        except msgspec.DecodeError as err:
            raise Invalid(f"{given.ontology} is not JSON: {err}.") from err
    if given.instructions:
        body["instructions"] = _text(given.instructions)
    with open_api(given) as api:
        made = api.post("/projects", body)
    if given.json:
        show.as_json(made)
    else:
        show.line(f"Made the project {made['name']} ({made['id']}).")
        show.line(f"Next: evenhand task import FILE_OR_FOLDER --project {made['id']}")
    return 0


def list_projects(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        items = api.all("/projects", given.limit, archived="true" if given.archived else None)
    if given.json:
        show.as_json(items)
    else:
        show.table(
            ("id", "name", "medium", "state", "done"),
            [(p["id"], p["name"], p["medium"], p["state"], _done(p["counts"])) for p in items],
            empty="No project yet. Make one: evenhand project create NAME --medium image",
        )
    return 0


def show_project(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        project = api.project(given.project)
        progress = api.get(f"/projects/{project['id']}/progress")
    if given.json:
        show.as_json({**project, "progress": progress})
        return 0
    quality, counts = progress["quality"], project["counts"]
    show.pairs(
        (
            ("name", project["name"]),
            ("id", project["id"]),
            ("medium", project["medium"]),
            ("state", f"{project['state']}, {project['stage']}"),
            ("people a task", project["overlap"]),
            ("review", project["review"]),
            ("version", project["version"]),
            ("done", _done(counts)),
            (
                "waiting",
                ", ".join(f"{n:,} {k}" for k, n in counts.items() if n and k not in ("done", "total")) or "nothing",
            ),
            ("an hour", f"{progress['per_hour']:.1f}"),
            ("done at", show.moment(progress["done_at"]) or "can't be told yet"),
            ("accepted", _accepted(quality)),
        )
    )
    return 0


def _accepted(quality: dict[str, Any]) -> str:
    if not quality["reviewed"]:
        return "nothing has been reviewed yet"
    interval = f"{quality['low'] * 100:.0f} to {quality['high'] * 100:.0f} % with 95 % certainty"
    return f"{quality['accepted']} of {quality['reviewed']} reviewed ({interval})"


# --- batches


def create_batch(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        project = api.project(given.project)["id"]
        body = {
            "name": given.name,
            "staging": given.staging,
            "priority": given.priority,
            "callback_url": given.callback,
        }
        made = api.post(f"/projects/{project}/batches", body)
    if given.json:
        show.as_json(made)
    else:
        show.line(f"Made the batch {made['name']} ({made['id']}), {made['state'].replace('_', ' ')}.")
    return 0


def list_batches(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        items = api.all(f"/projects/{api.project(given.project)['id']}/batches", given.limit)
    if given.json:
        show.as_json(items)
    else:
        show.table(
            ("id", "name", "state", "done", "made"),
            [(b["id"], b["name"], b["state"], _done(b["counts"]), show.moment(b["created_at"])) for b in items],
            empty="No batch yet. Make one: evenhand batch create NAME --project PROJECT",
        )
    return 0


def _print_batch(given: argparse.Namespace, batch: dict[str, Any]) -> int:
    if given.json:
        show.as_json(batch)
    else:
        show.pairs(
            (
                ("name", batch["name"]),
                ("id", batch["id"]),
                ("project", batch["project"]),
                ("state", batch["state"].replace("_", " ")),
                ("priority", batch["priority"]),
                ("done", _done(batch["counts"])),
                ("made", show.moment(batch["created_at"])),
                ("completed", show.moment(batch["completed_at"]) or "not yet"),
            )
        )
    return 0


def show_batch(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        batch = api.get(f"/batches/{given.batch}")
    return _print_batch(given, batch)


def _move(given: argparse.Namespace, verb: str) -> int:
    with open_api(given) as api:
        batch = api.post(f"/batches/{given.batch}/{verb}")
    return _print_batch(given, batch)


def finalize_batch(given: argparse.Namespace) -> int:
    return _move(given, "finalize")


def pause_batch(given: argparse.Namespace) -> int:
    return _move(given, "pause")


def resume_batch(given: argparse.Namespace) -> int:
    return _move(given, "resume")


def cancel_batch(given: argparse.Namespace) -> int:
    return _move(given, "cancel")


# --- tasks


def list_tasks(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        project = api.project(given.project)["id"] if given.project else None
        batch = api.batch(project or "", given.batch)["id"] if given.batch else None
        query = {"project": project, "batch": batch, "state": given.state, "q": given.search}
        items = api.all("/tasks", given.limit, **query)
        total = api.get("/tasks", **query, limit=1)["total"]
    if given.json:
        show.as_json({"items": items, "total": total})
        return 0
    show.table(
        ("id", "name", "state", "labels", "made"),
        [(t["id"], t["name"] or t["excerpt"], t["state"], t["labels"], show.moment(t["created_at"])) for t in items],
        empty="No such task. Send some: evenhand task import FILE_OR_FOLDER --project PROJECT",
    )
    if total > len(items):
        show.line(f"{len(items):,} of {total:,}; more with --limit.")
    return 0


def show_task(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        task = api.get(f"/tasks/{given.task}")
        history = api.get(f"/tasks/{given.task}/history")["items"]
    if given.json:
        show.as_json({**task, "history": history})
        return 0
    show.pairs(
        (
            ("name", task["name"]),
            ("id", task["id"]),
            ("project", task["project"]),
            ("state", task["state"]),
            ("error", task["error"] or "none"),
            ("tags", ", ".join(task["tags"])),
            ("labels in the result", task["labels"]),
            ("answers", ", ".join(f"{a['by']} ({a['state']})" for a in task["answers"]) or "none yet"),
            ("reviews", ", ".join(f"{r['decision']} by {r['by']}" for r in task["reviews"]) or "none yet"),
        )
    )
    show.line()
    rows = [(show.moment(h["at"]), h["who"], h["what"]) for h in history]
    show.table(("when", "who", "what"), rows, empty="Nothing has happened to it yet.")
    return 0


def _cancel_one(api: Api, task: str) -> tuple[bool, str]:
    try:
        api.post(f"/tasks/{task}/cancel")
    except Trouble as err:
        return False, err.message
    return True, "cancelled"


def cancel_tasks(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        found = [(task, *_cancel_one(api, task)) for task in given.task]
    if given.json:
        show.as_json([{"id": task, "canceled": ok, "detail": words} for task, ok, words in found])
    else:
        for task, _, words in found:
            show.line(f"{task}  {words}")
    return 0 if all(ok for _, ok, _ in found) else 1
