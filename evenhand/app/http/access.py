"""Which routes show nothing of a customer's content, and why; all others leave an event of access before they answer.

An operator's routes have counts, names and links: what is content, no operator has a route to without a customer's grant.
The law in tests/laws/test_access.py walks the route tables: a route is on this list, or its reply is preceded by an event.
"""

_OWN_WORDS = "answers with what the caller has just sent, or with counts; the act itself is an event"
_NUMBERS = "ids, states, times and counts"
_PEOPLE = "who belongs to the organisation, by the names that the customer may see"
_ADDRESSES = "where the customer's own receivers are; adding one is an event"
_OWN_ACCOUNT = "the person's own account"
_DOORS = "how the organisation's people and keys get in; a change is an event"
_LEASE = "a worker's lease on a task is the event that shows it"

#: route -> why it leaves no event of its own
SILENT: dict[str, str] = {
    "POST /projects": _OWN_WORDS,
    "PATCH /projects/{project}": _OWN_WORDS,
    "GET /projects/{project}/progress": _NUMBERS,
    "GET /projects/{project}/pilot": _NUMBERS,
    "POST /projects/{project}/pilot/go": _NUMBERS,
    "GET /projects/{project}/seats": _PEOPLE,
    "PUT /projects/{project}/seats": _PEOPLE,
    "GET /projects/{project}/views": "the filters that a person has kept for themselves",
    "PATCH /projects/{project}/views": "the filters that a person has kept for themselves",
    "PATCH /projects/{project}/quality": _OWN_WORDS,
    "POST /projects/{project}/batches": _OWN_WORDS,
    "POST /batches/{batch}/finalize": _OWN_WORDS,
    "POST /batches/{batch}/pause": _OWN_WORDS,
    "POST /batches/{batch}/resume": _OWN_WORDS,
    "POST /batches/{batch}/cancel": _OWN_WORDS,
    "PATCH /batches/{batch}": _OWN_WORDS,
    "POST /projects/{project}/tasks": _OWN_WORDS,
    "POST /projects/{project}/tasks/bulk": _NUMBERS,
    "POST /projects/{project}/tasks/exported": _NUMBERS,
    "POST /tasks/requeue": _NUMBERS,
    "POST /assets": _OWN_WORDS,
    "GET /settings/media": "a switch of the organisation's own",
    "PUT /settings/media": _OWN_WORDS,
    "POST /deliveries": _OWN_WORDS,
    "POST /questions/{question}/answer": _OWN_WORDS,
    "GET /members": _PEOPLE,
    "POST /members/invite": _PEOPLE,
    "PATCH /members/{person}": _PEOPLE,
    "DELETE /members/{person}": _PEOPLE,
    "GET /keys": "names and beginnings of keys",
    "POST /keys": "a new key; making it is an event",
    "DELETE /keys/{key}": "yes or no",
    "GET /audit": "the organisation's own events: whoever reads them sees acts and ids, no content",
    "GET /trust/bundle": "the same, with their proofs",
    "GET /trust/status": _NUMBERS,
    "GET /trust/feeds": _ADDRESSES,
    "POST /trust/feeds": _ADDRESSES,
    "PATCH /trust/feeds/{feed}": _ADDRESSES,
    "DELETE /trust/feeds/{feed}": _ADDRESSES,
    "POST /work/next": _LEASE,
    "POST /work/heartbeat": "times",
    "POST /work/release": "a count",
    "GET /work/summary": "names of the projects in which the person has a seat; the seat is an event",
    "PUT /work/{handle}/draft": "a number",
    "POST /work/{handle}/submit": "yes or no",
    "POST /work/{handle}/skip": "yes or no",
    "POST /work/{handle}/question": "an id",
    "GET /session": "the person itself, and names of its organisations",
    "POST /session": "the same",
    "DELETE /session": "yes or no",
    **dict.fromkeys(
        (
            "GET /me/security", "GET /me/fresh", "DELETE /me/app", "POST /me/recovery", "POST /me/prove",
            "POST /me/prove/passkey", "PATCH /me/passkeys/{passkey}", "DELETE /me/passkeys/{passkey}",
            "DELETE /me/sessions/{session}", "DELETE /me/sessions",
        ),
        _OWN_ACCOUNT,
    ),
    **dict.fromkeys(
        (
            "GET /access", "PUT /access/provider", "DELETE /access/provider", "POST /access/domains",
            "POST /access/domains/{domain}/verify", "DELETE /access/domains/{domain}", "PUT /access/networks",
        ),
        _DOORS,
    ),
    "GET /sessions": _PEOPLE,
    "DELETE /sessions/{session}": _PEOPLE,
    "GET /links/{token}": "for whom a link is",
    "POST /links/{token}": "the person itself",
}  # fmt: skip
#: routes whose handler records what they show itself, in its own words
OWN: dict[str, str] = {
    "GET /tasks/{task}": "TaskViewed",
    "GET /exports": "Exported",
    "GET /exports/report": "Exported",
    "POST /archive": "ArchiveMade",
    "GET /archive": "ArchiveTaken",
    "GET /work/inbox": "ContentShown",
    "GET /work/projects/{project}/instructions": "ContentShown",
    "GET /work/{handle}": "ContentShown",
    "POST /work/{handle}/recall": "WorkRecalled",
}
#: the compatible door, as "version METHOD path"
SILENT_SCALE: dict[str, str] = {
    "v1 GET batches/{name}/status": _NUMBERS,
    "v1 GET teams": _PEOPLE,
    "v1 POST teams/invite": _PEOPLE,
    "v1 POST teams/set_role": _PEOPLE,
    "v1 GET studio/assignments": _PEOPLE,
    "v1 POST studio/assignments/add": _PEOPLE,
    "v1 POST studio/assignments/remove": _PEOPLE,
    "v1 GET studio/projects/{project}/groups": _PEOPLE,
    "v1 POST studio/projects/{project}/groups": _PEOPLE,
    "v1 PUT studio/projects/{project}/groups/{group}": _PEOPLE,
    "v1 GET quality/labelers": "counts and scores of people, by their pseudonyms",
    "v2 GET schema": "the form of the interface, the same for everybody",
    **dict.fromkeys(
        (
            "v1 POST batches", "v1 POST batches/{name}/finalize", "v1 POST batches/{name}/prioritize",
            "v1 POST batches/{name}/setMetadata", "v1 POST files/upload", "v1 POST files/import", "v1 POST projects",
            "v1 POST projects/{name}/setParams", "v1 POST projects/{name}/setOntology", "v1 PUT studio/batches/{batch}",
            "v1 POST studio/batches/set_priorities", "v1 POST studio/batches/reset_priorities", "v1 POST task/{type}",
            "v1 POST evaluation_tasks/{type}", "v1 POST training_tasks/{type}", "v2 POST batch", "v2 POST batch/finalize",
            "v2 POST batch/pause", "v2 POST batch/resume", "v2 POST batch/cancel", "v2 POST batch/metadata",
            "v2 POST task/chat",
        ),
        _OWN_WORDS,
    ),
}  # fmt: skip


def silent(name: str) -> bool:
    """Whether the table leaves the event out: there is nothing to record, or the handler does."""
    return name in SILENT or name in OWN
