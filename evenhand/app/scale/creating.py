"""A task on its way in: project and batch found, params inherited and checked, translated into our own terms."""

from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from evenhand.app.scale.asking import Ask
from evenhand.app.scale.dependents import dependent_bodies, root_cuboids, waits_for_audit, with_root
from evenhand.app.scale.linking import asset_in, data_url
from evenhand.features.annotations.actions import add_answer
from evenhand.features.assets import actions as assets
from evenhand.features.projects import actions as projects
from evenhand.features.projects.batches import batch_row, batch_row_named, reopen_batch
from evenhand.features.tasks import store as tasks_store
from evenhand.features.tasks.actions import body_of, put_body, task_row
from evenhand.features.tasks.adding import Adding, Fetch, add_task, check_body, check_conversation, image_of
from evenhand.features.tasks.types import TaskBody, TaskData
from evenhand.infra.db import Tx
from evenhand.infra.fetch import check_url
from evenhand.infra.ids import new_id
from evenhand.infra.jobs import enqueue
from evenhand.pure.answers import check_answer
from evenhand.pure.ontology import with_defaults
from evenhand.pure.scale.checks import Obj, bad, is_url
from evenhand.pure.scale.inbound import Native, check_openable, inbound
from evenhand.pure.scale.madeup import made_up
from evenhand.pure.scale.outbound import native_answer
from evenhand.pure.scale.requests import CreateTask, body_object, parse_quality_task, parse_task
from evenhand.pure.scale.types import ROOT_TYPE, TaskType, attachment_urls, get_type, why_not_live
from evenhand.pure.trouble import Invalid

_IMAGES = ("image", "legacy", "cuboid", "lane", "segment", "topdown")
_TEXTS = ("ner",)
_CHATS = ("chat",)
TEXT_MOST_BYTES = 8_000_000


@dataclass(slots=True)
class Place:
    """Where a new task goes. `project` is None while none was named."""

    project: Any | None = None
    batch: Any | None = None

    def params(self, tx: Tx) -> Obj:
        """What the project fills in."""
        if self.project is None:
            return {}
        version = projects.version_of(tx, self.project)
        own: Obj = {"instruction": version.instructions} if version.instructions else {}
        return {**own, **version.params}


def medium_of(type_: TaskType) -> str:
    """The medium of a project for tasks of a type."""
    if type_.family in _IMAGES or (type_.opens and type_.opens[0] == "image" and type_.family == "categorization"):
        return "image"
    return "text" if type_.family in _TEXTS else "conversation" if type_.family in _CHATS else "none"


async def find_place(
    tx: Tx,
    *,
    project: str | None = None,
    batch: str | None = None,
    project_id: str | None = None,
    batch_id: str | None = None,
) -> Place:
    """Project and batch by name or id. A batch alone implies its project. A finished batch of a plain project takes
    further tasks and runs again; one of a Rapid project must not even have been sent."""
    found = None
    if project_id or project:
        found = await (projects.row_of(tx, project_id) if project_id else projects.row_named(tx, project or ""))
    bound = None
    if batch_id or batch:
        bound = await (batch_row(tx, batch_id) if batch_id else batch_row_named(tx, batch or ""))
    if bound is not None:
        if found is not None and bound["project_id"] != found["project_id"]:
            raise bad("batch", "belongs to another project")
        found = found or await projects.row_of(tx, bound["project_id"])
    if found is not None:
        rapid = projects.body_of(tx, found).rapid
        if rapid and bound is None:
            raise bad("batch", "is required in a Rapid project")
        if rapid and bound is not None and bound["state"] != "staging":
            raise bad("batch", "has been finalized, so it takes no further tasks")
    if bound is not None and await reopen_batch(tx, bound["batch_id"]):
        bound = await batch_row(tx, bound["batch_id"])
    return Place(found, bound)


@dataclass(slots=True)
class _Taken:
    data: TaskData
    ontology: Obj | None = None
    instructions: str = ""
    fetches: list[Fetch] = field(default_factory=list[Fetch])


async def _take(ask: Ask, tx: Tx, type_: TaskType, params: Obj, native: Native) -> _Taken:
    """The native data with its files: what is here is linked, what is elsewhere is left to a job."""
    given = native.data
    data = TaskData(native.medium, prelabels=given.get("prelabels", []))
    out = _Taken(data, with_defaults(native.ontology), native.instructions)
    words: list[str] = [given["context"]] if given.get("context") else []
    if given.get("conversation") is not None:
        data.conversation = check_conversation(given["conversation"])
    image = given.get("image_url")
    if image is not None:
        asset = asset_in(image, tx.org_id)
        if asset is not None:
            data.image = await image_of(tx, asset)
        else:
            out.fetches.append(_fetch(image, "image"))
    text = given.get("text")
    if text is not None:
        await _take_text(ask, tx, out, text, addressed=type_.name != "namedentityrecognition")
    wanted = set(attachment_urls(type_, params))
    for one in cast(list[Obj], given.get("references") or []):
        asset = asset_in(one["url"], tx.org_id)
        if asset is not None:
            await assets.get_row(tx, asset)
            data.references = [*data.references, {"asset": asset, "name": one["name"]}]
        elif one["url"] in wanted:
            out.fetches.append(_fetch(one["url"], "reference", one["name"]))
        else:
            words.append(f"[{one['name']}]({one['url']})")
    data.context = "\n\n".join(words)[:100_000]
    return out


def _fetch(url: str, use: str, name: str = "") -> Fetch:
    check_url(url)
    return Fetch(url, use, name)


async def _take_text(ask: Ask, tx: Tx, out: _Taken, text: str, *, addressed: bool) -> None:
    """A text attachment: the text itself, or where it is."""
    if not addressed or not is_url(text):
        out.data.text = text
        return
    asset = asset_in(text, tx.org_id)
    if asset is None:
        out.fetches.append(_fetch(text, "text"))
        return
    row = await assets.get_row(tx, asset)
    if row["size"] > TEXT_MOST_BYTES:
        raise bad("attachment", "is too long for a text")
    try:
        out.data.text = (await assets.read_file(tx, ask.objects, asset)).decode()
    except UnicodeDecodeError as err:
        raise bad("attachment", "is not UTF-8 text") from err


def _body(given: CreateTask, taken: _Taken, place: Place) -> TaskBody:
    first = given.params.get("attachment")
    name = first.rsplit("/", 1)[-1].split("?", 1)[0] if isinstance(first, str) and is_url(first) else ""
    taken.data.name = name[:200]
    return TaskBody(
        taken.data,
        name=name[:200],
        unique_id=given.unique_id or "",
        tags=given.tags,
        metadata=given.metadata,
        ontology=taken.ontology,
        instructions=taken.instructions,
        callback_url=given.callback_url or "",
        params=given.params,
        clear_unique_on_error=given.clear_unique_id_on_error,
        door={
            "instruction": given.instruction,
            **({"version": place.project["version"]} if place.project is not None else {}),
        },
    )


def _own_instruction(sent: Obj) -> str:
    """What the request itself says: the project's words stand beside the task anyway."""
    text = sent.get("instruction")
    return text if isinstance(text, str) else ""


async def create(ask: Ask, tx: Tx, type_name: str) -> Any:
    """Creates a task of any type. Returns its row."""
    sent = body_object(ask.body())
    place = await _place(tx, type_name, sent)
    type_ = get_type(type_name)
    given = parse_task(type_name, sent, project_params=place.params(tx), live=ask.live)
    given = await with_root(tx, type_, given)
    if ask.live:
        return await _create_live(ask, tx, type_, given, place, _own_instruction(sent))
    return await _create_test(ask, tx, type_, given, place, _own_instruction(sent))


async def _place(tx: Tx, type_name: str, sent: Obj) -> Place:
    get_type(type_name)
    names = {k: v for k in ("project", "batch") if isinstance(v := sent.get(k), str) and v}
    return await find_place(tx, project=names.get("project"), batch=names.get("batch"))


async def _project(tx: Tx, place: Place, medium: str) -> Any:
    return place.project if place.project is not None else await projects.loose_project(tx, medium)


def _overlap(type_: TaskType, params: Obj) -> int | None:
    asked = params.get("responses_required")
    return asked if type_.family == "textcollection" and isinstance(asked, int) and asked > 1 else None


async def _create_live(ask: Ask, tx: Tx, type_: TaskType, given: CreateTask, place: Place, words: str) -> Any:
    native = inbound(type_, given.params, words)
    check_openable(native)
    taken = await _take(ask, tx, type_, given.params, native)
    body = _body(given, taken, place)
    check_body(body, native.ontology)
    new = Adding(
        await _project(tx, place, native.medium),
        body,
        place.batch,
        kind=type_.name,
        priority=given.priority or 0,
        overlap=_overlap(type_, given.params),
        fetches=taken.fetches,
    )
    return await task_row(tx, await add_task(tx, new))


async def _create_test(ask: Ask, tx: Tx, type_: TaskType, given: CreateTask, place: Place, words: str) -> Any:
    """Completed at once by a machine. Nothing is fetched."""
    taken = _Taken(TaskData(medium_of(type_)), instructions=words)
    opens = why_not_live(type_, given.params) is None
    if opens:
        native = inbound(type_, given.params, words)
        text = native.data.get("text")
        taken = _Taken(TaskData(native.medium, text=text), with_defaults(native.ontology), native.instructions)
    body = _body(given, taken, place)
    body.callback_ok = True
    check_body(body, taken.ontology or {})
    body.response = await _made_up(ask, tx, type_, given.params)
    answer: Obj | None = None
    if opens:
        try:
            answer = native_answer(type_, given.params, body.response)
        except Invalid:
            answer = None  # a field that only the interface knows: its response is kept as it is
    project = await _project(tx, place, taken.data.medium)
    row = await add_finished(tx, Adding(project, body, place.batch, priority=given.priority or 0), type_, answer)
    declares = type_.name == ROOT_TYPE and not waits_for_audit(given.params)
    return await add_dependents(ask, tx, row) if declares else row


async def add_dependents(ask: Ask, tx: Tx, row: Any) -> Any:
    """Creates the follow-up tasks that a completed lidarannotation declared, once, beside it. Returns its row anew."""
    if row["kind"] != ROOT_TYPE:
        return row
    body = body_of(tx, row)
    wanted = dependent_bodies(row, body.params)
    if not wanted or body.door.get("dependents"):
        return row
    place = Place(await projects.row_of(tx, row["project_id"]))
    if row["batch_id"] is not None:
        place.batch = await batch_row(tx, row["batch_id"])
    made: list[str] = []
    for name, sent in wanted:
        type_ = get_type(name)
        given = await with_root(tx, type_, parse_task(name, sent, project_params=place.params(tx)))
        made.append((await _create_test(ask, tx, type_, given, place, _own_instruction(sent)))["task_id"])
    body.door = {**body.door, "dependents": made}
    await put_body(tx, row, body)
    return await task_row(tx, row["task_id"])


async def add_finished(tx: Tx, new: Adding, type_: TaskType, answer: Obj | None) -> Any:
    """A task that is done as soon as it is there, with the machine's answer, and its callback."""
    new.kind, new.finished = type_.name, True
    task = await add_task(tx, new)
    row = await task_row(tx, task)
    if answer is not None:
        made = await add_answer(tx, row, answer, origin="machine", person=None, assignment=None)
        await tasks_store.TASK_STATE.run(
            tx, org=tx.org_id, task=task, state="done", review="pending", result=made, labels=len(answer["annotations"])
        )
    if row["callback"]:
        await enqueue(tx, "deliveries.callback", {"task": task}, most=3)
    return await task_row(tx, task)


async def _made_up(ask: Ask, tx: Tx, type_: TaskType, params: Obj) -> Obj:
    files: list[tuple[str, bytes]] = []

    def url_for(name: str, content: bytes) -> str:
        files.append((name, content))
        return f"{mark}{len(files) - 1}"

    seed = new_id()
    mark = f"file {seed} "
    response = made_up(type_, params, seed, url_for, await root_cuboids(ask, tx, params) if type_.dependent else [])
    if not files:
        return response
    text = msgspec.json.encode(response).decode()
    for n, (name, content) in reversed(list(enumerate(files))):
        asset = await assets.keep_made(tx, ask.objects, content, name)
        text = text.replace(f'"{mark}{n}"', f'"{data_url(tx.org_id, asset)}"')
    return msgspec.json.decode(text)


async def create_quality(ask: Ask, tx: Tx, type_name: str, purpose: str) -> Obj:
    """A task with a known answer. With a live key it is mixed into the live work of its project, or is a part of the
    training course; the answer must fit the task, since answers are compared with it."""
    sent = body_object(ask.body())
    place = Place()
    if sent.get("project"):
        place.project = await projects.row_named(tx, str(sent["project"]))
    given = parse_quality_task(type_name, sent, project_params=place.params(tx), live=ask.live)
    if purpose == "training" and given.initial_response is not None:
        raise bad("initial_response", "is for evaluation tasks: the training course is for labelers")
    type_ = get_type(type_name)
    known: Obj = {"response": given.expected_response}
    if given.initial_response is not None:
        known["initial_response"] = given.initial_response
    new = await (_gold_live if ask.live else _gold_test)(ask, tx, type_, given, place, _own_instruction(sent))
    new.purpose, new.judged = purpose, given.initial_response is not None
    new.body.expected = {**known, **(new.body.expected or {}), "training": purpose == "training"}
    initial = new.body.expected.pop("initial", None)
    task = await add_task(tx, new)
    if initial is not None:
        await add_answer(tx, await task_row(tx, task), initial, origin="machine", person=None, assignment=None)
    return {
        "id": task,
        "type": type_.name,
        "project": projects.body_of(tx, new.project).name,
        "params": given.params,
        "instruction": given.instruction,
        "metadata": given.metadata,
        "is_test": not ask.live,
        "expected_response": given.expected_response,
        **({"initial_response": given.initial_response} if given.initial_response is not None else {}),
    }


async def _gold_live(ask: Ask, tx: Tx, type_: TaskType, given: CreateTask, place: Place, words: str) -> Adding:
    native = inbound(type_, given.params, words)
    check_openable(native)
    taken = await _take(ask, tx, type_, given.params, native)
    body = _body(given, taken, place)
    check_body(body, native.ontology)
    data = msgspec.to_builtins(body.data)
    body.expected = {}
    for key, name, response in (
        ("answer", "expected_response", given.expected_response),
        ("initial", "initial_response", given.initial_response),
    ):
        if response is not None:
            answer = native_answer(type_, given.params, response, name)
            _check_known(answer, taken.ontology or {}, data, name)
            body.expected[key] = answer
    return Adding(await _project(tx, place, native.medium), body, kind=type_.name, fetches=taken.fetches)


def _check_known(answer: Obj, ontology: Obj, data: Obj, name: str) -> None:
    try:
        check_answer(answer, ontology, data, complete=False)
    except Invalid as e:
        raise Invalid(f"{name}: {e.message}", errors=e.errors) from None


async def _gold_test(ask: Ask, tx: Tx, type_: TaskType, given: CreateTask, place: Place, words: str) -> Adding:
    """In test mode nobody works, so nothing is fetched and nothing compared: the task is kept as it was sent."""
    body = _body(given, _Taken(TaskData(medium_of(type_)), instructions=words), place)
    check_body(body, {})
    return Adding(await _project(tx, place, medium_of(type_)), body, kind=type_.name)
