"""v1: projects."""

from typing import Any

from evenhand.app.scale.asking import Ask, entry
from evenhand.app.scale.batches import check_callback
from evenhand.app.scale.creating import medium_of
from evenhand.app.scale.derived import type_name
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import actions as projects
from evenhand.features.projects import store
from evenhand.features.projects.types import VersionBody
from evenhand.infra.db import Tx
from evenhand.pure.ontology import EMPTY, summary_of_change
from evenhand.pure.ontology import with_defaults as complete
from evenhand.pure.scale import requests
from evenhand.pure.scale.checks import Obj, bad
from evenhand.pure.scale.inbound import check_openable, inbound
from evenhand.pure.scale.query import first, parse_bool
from evenhand.pure.scale.times import format_time
from evenhand.pure.scale.types import BY_NAME, TaskType, with_defaults
from evenhand.pure.trouble import Invalid

PAGE = 200
TAXONOMY = "ontology_version"
#: params that an ontology can be read from before there is a task
_TELLING = {
    "image": ("geometries",),
    "legacy": ("objects_to_annotate",),
    "categorization": ("categories",),
    "textcollection": ("fields",),
    "datacollection": ("fields",),
}


def ontology_of(type_: TaskType, params: Obj) -> Obj:
    """What the params say of the answers, so that the console can show it; empty where each task says it itself."""
    if not all(params.get(key) for key in _TELLING.get(type_.family, ("",))):
        return dict(EMPTY)
    try:
        kept = {
            k: v for k, v in params.items() if k not in ("attachment", "attachments", "hypothesis", "base_annotations")
        }
        native = inbound(type_, with_defaults(type_, kept))
        check_openable(native)
    except Invalid:
        return dict(EMPTY)
    return native.ontology


def taxonomy_version(params: Obj) -> int:
    """From 1; 0 while the project has no taxonomy."""
    found = params.get(TAXONOMY)
    return found if isinstance(found, int) else 0


def _version(number: int, at: Any, body: VersionBody) -> Obj:
    own: Obj = {"instruction": body.instructions} if body.instructions else {}
    return {**own, **body.params, "version": number, "created_at": format_time(at)}


def project_v1(tx: Tx, row: Any, history: list[Obj]) -> Obj:
    body = projects.body_of(tx, row)
    return {
        "id": row["project_id"],
        "name": body.name,
        "type": type_name(row["kind"], row["medium"]),
        "created_at": format_time(row["created_at"]),
        "param_history": history,
        "version": row["version"],
        "rapid": body.rapid,
        "studio": body.studio,
        "datasetId": body.dataset_id,
        "archived": row["state"] == "archived",
    }


async def shown(tx: Tx, rows: list[Any]) -> list[Obj]:
    """Projects with their whole history, read in one statement."""
    require(tx, Verb.READ)
    history: dict[str, list[Obj]] = {row["project_id"]: [] for row in rows}
    for v in await store.VERSIONS_OF.all(tx, org=tx.org_id, projects=list(history)):
        history[v["project_id"]].append(
            _version(
                v["version"],
                v["created_at"],
                tx.seal.open_as(v["body"], VersionBody, projects.version_at(v["project_id"], v["version"])),
            )
        )
    return [project_v1(tx, row, history[row["project_id"]]) for row in rows]


async def every_row(tx: Tx, *, archived: bool = False, since: Any = None, until: Any = None) -> list[Any]:
    """All projects of the space, newest first."""
    require(tx, Verb.READ)
    out: list[Any] = []
    while True:
        after = out[-1]["project_id"] if out else None
        page = await store.PROJECT_LIST.all(
            tx, org=tx.org_id, after=after, limit=PAGE, archived=archived, since=since, until=until
        )
        out += page
        if len(page) < PAGE:
            return out


@entry("v1", "POST", "projects")
async def create_project(ask: Ask, tx: Tx) -> Any:
    given = requests.parse_project(ask.body())
    type_ = BY_NAME[given.type]
    params = given.params
    check_callback(params.get("callback_url") or "")  # tasks inherit it with the other params
    made = await projects.create_project(
        tx,
        projects.NewProject(
            given.name,
            medium_of(type_),
            ontology_of(type_, params),
            params.get("instruction") or "",
            overlap=given.consensus_attempts or 1,
            kind=given.type,
            params=params,
            rapid=given.rapid,
            studio=given.studio,
            dataset_id=given.dataset_id,
        ),
    )
    return (await shown(tx, [await projects.row_of(tx, made.id)]))[0]


@entry("v1", "GET", "projects")
async def list_projects(ask: Ask, tx: Tx) -> Any:
    archived = first(ask.pairs, "archived")
    return await shown(tx, await every_row(tx, archived=archived is not None and parse_bool("archived", archived)))


@entry("v1", "GET", "projects/{name}")
async def get_project(ask: Ask, tx: Tx) -> Any:
    return (await shown(tx, [await projects.row_named(tx, ask.names["name"])]))[0]


@entry("v1", "POST", "projects/{name}/setParams")
async def set_params(ask: Ask, tx: Tx) -> Any:
    row = await projects.row_named(tx, ask.names["name"])
    await store.PROJECT_LOCK.one(tx, org=tx.org_id, project=row["project_id"])
    row = await projects.row_of(tx, row["project_id"])
    old = projects.version_of(tx, row)
    type_ = BY_NAME[type_name(row["kind"], row["medium"])]
    native = row["kind"] not in BY_NAME
    newest: Obj = {"instruction": old.instructions} if old.instructions else {}
    params = requests.parse_set_params(type_, ask.body(), {**newest, **old.params})
    check_callback(params.get("callback_url") or "")
    ontology = old.ontology if native else complete({**EMPTY, **ontology_of(type_, params)})
    instructions = params.get("instruction") or (old.instructions if native else "")
    words = [
        summary_of_change(old.ontology, ontology),
        "Instructions changed" if instructions != old.instructions else "",
    ]
    version = VersionBody(ontology, instructions, "; ".join(filter(None, words)) or "Parameters changed", params)
    await projects.set_params(tx, row, version)
    return (await shown(tx, [await projects.row_of(tx, row["project_id"])]))[0]


@entry("v1", "POST", "projects/{name}/setOntology")
async def set_ontology(ask: Ask, tx: Tx) -> Any:
    """Keeps the taxonomy with the params: a new version of both. Tasks created from now on carry its number."""
    row = await projects.row_named(tx, ask.names["name"])
    sent = requests.body_object(ask.body())
    given = sent.get("ontology")
    if not isinstance(given, list):
        raise bad("ontology", "must be a list")
    await store.PROJECT_LOCK.one(tx, org=tx.org_id, project=row["project_id"])
    row = await projects.row_of(tx, row["project_id"])
    old = projects.version_of(tx, row)
    taxonomy = {"ontology": given, TAXONOMY: taxonomy_version(old.params) + 1}
    if isinstance(sent.get("name"), str) and sent["name"]:
        taxonomy["ontology_name"] = sent["name"][:300]
    version = VersionBody(old.ontology, old.instructions, "Taxonomy changed", {**old.params, **taxonomy})
    await projects.set_params(tx, row, version)
    return (await shown(tx, [await projects.row_of(tx, row["project_id"])]))[0]


@entry("v1", "GET", "projects/{name}/taskTemplates")
async def task_template(ask: Ask, tx: Tx) -> Any:
    row = await projects.row_named(tx, ask.names["name"])
    require(tx, Verb.READ)
    kind = type_name(row["kind"], row["medium"])
    if kind not in requests.TEMPLATED:
        raise Invalid(f"Projects of type {kind} have no task template; textcollection and chat projects do.")
    version = projects.version_of(tx, row)
    params = version.params
    variables: Any = params.get("template_variables")
    if not isinstance(variables, dict):
        chat = kind != "textcollection"
        variables = {"messages": [], "answers": []} if chat else {"attachments": [], "fields": params.get("fields", [])}
    return {
        "id": row["project_id"],
        "version": row["version"],
        "created_at": format_time(row["created_at"]),
        "updated_at": format_time(row["version_at"]),
        "template_variables": variables,
        "response_schema": params.get("response_schema"),
        "auto_onboard_enabled": False,
    }
