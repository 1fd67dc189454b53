"""A line of a JSONL export as a new task: what of it goes in again, and what stays behind, by name."""

from collections.abc import Collection
from typing import Any

import msgspec

from evenhand.pure.formats.task import ExportTask
from evenhand.pure.kinds.kind import Obj

#: what an import may be told to leave out
PARTS = ("result", "unique_id", "tags", "priority", "metadata", "ontology")
_decoder = msgspec.json.Decoder(ExportTask)


class Again(msgspec.Struct, frozen=True):
    """`line`: the new task, None where the whole task stays behind. `behind`: how much of what had no place in it.

    A picture is named by its asset, which its own organisation finds, and by a link for any other, which lives some hours.
    """

    line: Obj | None
    behind: dict[str, int]
    asset: str = ""
    url: str = ""


def exported(line: bytes) -> ExportTask | None:
    """The task of an exported line; None for any other line."""
    if b'"answers"' not in line or b'"medium"' not in line:
        return None
    try:
        task = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return task if isinstance(task.data.get("medium"), str) else None


def as_new(task: ExportTask, leave_out: Collection[str] = ()) -> Again:
    """The result becomes prelabels, from which the next annotator starts. Single answers and reviews are what people did at
    a time of their own: an import cannot do it again in their names."""
    if task.state == "canceled":
        return Again(None, {"cancelled tasks": 1})
    image: Any = task.data.get("image")
    data = {name: task.data[name] for name in ("text", "conversation", "context") if task.data.get(name)}
    results = "result" not in leave_out and bool(task.result)
    if prelabels := task.result if results else task.data.get("prelabels"):
        data["prelabels"] = prelabels
    line: Obj = {"data": data}
    for name in ("name", "unique_id", "tags", "priority", "metadata", "ontology"):
        if name not in leave_out and (value := getattr(task, name)):
            line[name] = value
    counted = {
        "answers, with who gave them and when": len(task.answers),
        "reviews": len(task.reviews),
        "names of batches": 1 if task.batch else 0,
        "prelabels, whose place the result has taken": len(task.data.get("prelabels") or ()) if results else 0,
        "reference pictures": len(task.data.get("references") or ()),
    }
    behind = {what: count for what, count in counted.items() if count}
    if not isinstance(image, dict):
        return Again(line, behind)
    found: Obj = image  # type: ignore[assignment]
    return Again(line, behind, str(found.get("asset") or ""), str(found.get("url") or ""))


def behind_in(line: bytes) -> dict[str, int]:
    """What of an exported line does not come in as it was: a task that is not done is done from the beginning."""
    task = exported(line)
    if task is None or task.state != "open":
        return {}
    counted = sum(answer.get("state") in ("current", "extra") for answer in task.answers)
    return {"answers of tasks that were not done, which stay to be seen and count no more": counted} if counted else {}
