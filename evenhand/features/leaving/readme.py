"""The README of the archive: what each file is, in plain words."""

from evenhand.features.leaving.parts import PARTS

_HEAD = """# Everything that {name} has in Evenhand ({mode} space)

Taken at {at}. The form is `evenhand-archive-v1`: a zip file of JSON lines (one object a line, UTF-8) and plain files.

* Ids are 24 hexadecimal characters that sort by time. Columns that end in `_id` name rows of the other files.
* `body` is what is kept sealed in the database, as it was written; the other columns are what the program sorts and counts by.
* Times are ISO 8601, in UTC. Durations say their unit in their name.
* People have the ids that your evidence from the log uses; `members.jsonl` says who is who. Workers of the operator's shared pool
  have a pseudonym, and the same person is somebody else for every other customer.
* Keys, passwords and callback secrets are in no file. Jobs, kept replies to repeated requests and counters are left out:
  nothing of yours is in them that is not here.

| file | what it holds |
|---|---|
"""
_TAIL = """| `views.jsonl` | saved views of task lists, by project and person |
| `events.jsonl` | the audit trail: each event's text, the salt that opens its commitment, its number and place in the log |
| `projects/ID.jsonl` | a project's tasks as a lossless export: `evenhand task import ID.jsonl --project P` takes it in |
| `projects/ID.ontology.json` | its ontology now: `evenhand project create NAME --medium M --ontology ID.ontology.json` |
| `files/ID` | the bytes of each file, under its `asset_id`, with an ending that fits its type |
| `evidence.zip` | your evidence from the transparency log; `evenhand verify` checks it. {evidence} |
| `manifest.jsonl` | the last file: name, bytes, lines and SHA-256 of each of the others |

## To put it in again

`evenhand archive import FILE --org NAME`, on this Evenhand or another one, takes projects, batches, tasks, files, answers and
reviews in, and counts what stays behind.

## To check that it is whole

Each line of `manifest.jsonl` names a file with its SHA-256; the last line says that there are no more. An archive that broke
off has no such line, and no zip tool opens it.
"""


def readme(name: str, mode: str, at: str, evidence: bool) -> str:
    """evidence: whether it could be had."""
    rows = [f"| `{part.name}.jsonl` | {part.words} |\n" for part in PARTS]
    said = "It is in this archive." if evidence else "The log was not running, so it is missing here: take it later."
    return _HEAD.format(name=name, mode=mode, at=at) + "".join(rows) + _TAIL.format(evidence=said)
