"""Request bodies as typed structs. Every fault is an `Invalid` whose text names the parameter."""

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from evenhand.pure.scale import checks as c
from evenhand.pure.scale.checks import Obj, bad, given, missing
from evenhand.pure.scale.types import (
    BY_NAME,
    COMMON_PARAMS,
    TaskType,
    check_params,
    get_type,
    require_live,
    require_quality,
    with_defaults,
)

PRIORITIES = (0, 10, 20, 30)  # 0 is what tasks without one show, so a copied task may send it
ROLES = ("labeler", "member", "manager", "admin")
UNIQUE_ID_MAX = 500
AUDIT_ERRORS = ("attribute", "class", "geometry", "extraneous", "missing", "other")
AUDIT_SEVERITIES = ("default", "critical")
AUDIT_ERRORS_MAX = 1_000
EMAILS_MAX = 1_000
TEMPLATED = ("textcollection", "chat", "chatexperimental", "chatlite", "multichat", "multistage")

# Keys of a create body that live beside `params`, not in it.
TOP_LEVEL = frozenset(
    (
        "project",
        "batch",
        "instruction",
        "callback_url",
        "metadata",
        "priority",
        "unique_id",
        "clear_unique_id_on_error",
        "tags",
    )
)


class CreateTask(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    params: Obj
    project: str | None = None
    batch: str | None = None
    instruction: str = ""
    callback_url: str | None = None
    metadata: Obj = {}
    priority: int | None = None
    unique_id: str | None = None
    clear_unique_id_on_error: bool = False
    tags: list[str] | None = None  # None: never set, so that the key stays absent
    expected_response: Obj | None = None
    initial_response: Obj | None = None


def body_object(body: object) -> Obj:
    """No body at all is `{}`."""
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise bad("body", "must be a JSON object")
    return cast(Obj, body)


def body_list(body: object) -> list[Any]:
    """No body at all is `[]`."""
    if body is None:
        return []
    if not isinstance(body, list):
        raise bad("body", "must be a JSON array")
    return cast(list[Any], body)


def _optional_text(body: Obj, key: str, most: int = c.NAME_CHARS_MAX) -> str | None:
    value = body.get(key)
    if not given(value):
        return None
    c.text(key, value)
    if len(cast(str, value)) > most:
        raise bad(key, f"must have at most {most} characters")
    return cast(str, value)


def _required_name(body: Obj, key: str) -> str:
    if not given(body.get(key)):
        raise missing(key)
    c.name_text(key, body[key])
    return cast(str, body[key])


def _flag(body: Obj, key: str) -> bool:
    value = body.get(key)
    if value is None:
        return False
    c.flag(key, value)
    return cast(bool, value)


def _metadata(body: Obj, key: str = "metadata") -> Obj:
    value = body.get(key)
    if not given(value):
        return {}
    c.metadata(key, value)
    return cast(Obj, value)


def _callback(body: Obj, key: str) -> str | None:
    value = body.get(key)
    if not given(value):
        return None
    c.callback(key, value)
    return cast(str, value)


# ---------------------------------------------------------------- tasks


def parse_task(type_name: str, body: object, *, project_params: Obj | None = None, live: bool = False) -> CreateTask:
    """A create request. What the request leaves out is taken from the project; the project's instruction is appended.
    Raises `NotEnabled` (402) for an unknown type, and in live mode for one that no surface opens."""
    type_ = get_type(type_name)
    sent = body_object(body)
    merged = _inherit(sent, project_params or {})
    params = with_defaults(type_, {k: v for k, v in merged.items() if k not in TOP_LEVEL})
    check_params(type_, params)
    task = CreateTask(
        type=type_.name,
        params=params,
        project=_optional_text(sent, "project"),
        batch=_optional_text(sent, "batch"),
        instruction=_optional_text(merged, "instruction", c.URL_CHARS_MAX * 100) or "",
        callback_url=_callback(merged, "callback_url"),
        metadata=_metadata(merged),
        priority=_priority(merged),
        unique_id=_optional_text(sent, "unique_id", UNIQUE_ID_MAX),
        clear_unique_id_on_error=_flag(merged, "clear_unique_id_on_error"),
        tags=c.parse_tags("tags", merged["tags"]) if given(merged.get("tags")) else None,
    )
    if live:
        require_live(type_, params)
    return task


def parse_quality_task(
    type_name: str, body: object, *, project_params: Obj | None = None, live: bool = False
) -> CreateTask:
    """An evaluation or training task: a create request with the known answer."""
    type_ = get_type(type_name)
    require_quality(type_)
    sent = dict(body_object(body))
    expected, initial = sent.pop("expected_response", None), sent.pop("initial_response", None)
    if not given(expected):
        raise missing("expected_response")
    c.obj("expected_response", expected)
    if given(initial):
        c.obj("initial_response", initial)
    task = parse_task(type_name, sent, project_params=project_params, live=live)
    return msgspec.structs.replace(task, expected_response=expected, initial_response=initial or None)


def _inherit(sent: Obj, project: Obj) -> Obj:
    out = {k: v for k, v in project.items() if k not in ("project", "batch", "unique_id")}
    out.update({k: v for k, v in sent.items() if v is not None})
    texts = [t for t in (sent.get("instruction"), project.get("instruction")) if given(t)]
    for t in texts:
        c.text("instruction", t)
    if texts:
        out["instruction"] = "\n\n".join(cast(list[str], texts))
    return out


def _priority(body: Obj) -> int | None:
    value = body.get("priority")
    if not given(value):
        return None
    c.one_of(*PRIORITIES)("priority", value)
    return int(cast(int, value))


class Audit(msgspec.Struct, frozen=True):
    accepted: bool
    comments: str | None
    errors: list[Obj] = []  # what is wrong, without a repair: {type, severity, annotation_uuid?, comments?}


def parse_audit(body: object) -> Audit:
    b = body_object(body)
    if b.get("accepted") is None:
        raise missing("accepted")
    c.flag("accepted", b["accepted"])
    return Audit(cast(bool, b["accepted"]), _optional_text(b, "comments", 100_000), _audit_errors(b))


def _audit_errors(b: Obj) -> list[Obj]:
    if not given(b.get("errors")):
        return []
    c.rows("errors", b["errors"])
    rows = cast(list[object], b["errors"])
    if len(rows) > AUDIT_ERRORS_MAX:
        raise bad("errors", f"has more than {AUDIT_ERRORS_MAX} entries")
    out: list[Obj] = []
    for i, row in enumerate(rows):
        c.obj(f"errors[{i}]", row)
        r = cast(Obj, row)
        one: Obj = {"type": r.get("type"), "severity": r.get("severity") or AUDIT_SEVERITIES[0]}
        c.one_of(*AUDIT_ERRORS)(f"errors[{i}].type", one["type"])
        c.one_of(*AUDIT_SEVERITIES)(f"errors[{i}].severity", one["severity"])
        for key in ("annotation_uuid", "comments"):
            text = _optional_text(r, key, 5_000)
            if text is not None:
                one[key] = text
        out.append(one)
    return out


def parse_unique_id(body: object) -> str:
    value = _optional_text(body_object(body), "unique_id", UNIQUE_ID_MAX)
    if value is None:
        raise missing("unique_id")
    return value


def parse_metadata(body: object) -> Obj:
    b = body_object(body)
    c.metadata("metadata", b)
    return b


def set_tags(body: object) -> list[str]:
    return c.parse_tags("tags", body_list(body))


def add_tags(now: Sequence[str], body: object) -> list[str]:
    """What is there already is ignored; the order is kept."""
    return c.parse_tags("tags", [*now, *c.parse_tags("tags", body_list(body), limit=100)])


def remove_tags(now: Sequence[str], body: object) -> list[str]:
    """What is not there is ignored."""
    gone = set(c.parse_tags("tags", body_list(body), limit=1_000))
    return [tag for tag in now if tag not in gone]


# ---------------------------------------------------------------- batches, projects, files


class CreateBatch(msgspec.Struct, frozen=True, kw_only=True):
    project: str
    name: str
    calibration_batch: bool = False
    self_label_batch: bool = False
    callback: str | None = None
    metadata: Obj = {}


def parse_batch(body: object) -> CreateBatch:
    b = body_object(body)
    return CreateBatch(
        project=_required_name(b, "project"),
        name=_required_name(b, "name"),
        calibration_batch=_flag(b, "calibration_batch"),
        self_label_batch=_flag(b, "self_label_batch"),
        callback=_callback(b, "callback"),
        metadata=_metadata(b),
    )


class CreateProject(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    name: str
    params: Obj = {}
    rapid: bool = False
    studio: bool = False
    dataset_id: str | None = None
    pipeline: str | None = None
    consensus_attempts: int | None = None


def parse_project(body: object) -> CreateProject:
    b = body_object(body)
    type_ = _required_name(b, "type")
    if type_ not in BY_NAME:
        raise bad("type", f"{type_[:80]!r} is not a task type")
    pipeline = _optional_text(b, "pipeline")
    if pipeline is not None:
        c.one_of("standard_task", "consensus_task")("pipeline", pipeline)
    attempts = b.get("consensus_attempts")
    if attempts is not None:
        c.one_to_hundred("consensus_attempts", attempts)
    return CreateProject(
        type=type_,
        name=_required_name(b, "name"),
        params=project_params(BY_NAME[type_], b.get("params")),
        rapid=_flag(b, "rapid"),
        studio=_flag(b, "studio"),
        dataset_id=_optional_text(b, "datasetId"),
        pipeline=pipeline,
        consensus_attempts=attempts,
    )


def project_params(type_: TaskType, params: object) -> Obj:
    """Defaults for a project's tasks. What is there must be right; nothing is compulsory."""
    if not given(params):
        return {}
    c.obj("params", params)
    p = cast(Obj, params)
    for name, check in (*COMMON_PARAMS.items(), *type_.checks.items()):
        if given(p.get(name)):
            check(name, p[name])
    if given(p.get("instruction")):
        c.text("instruction", p["instruction"])
    _callback(p, "callback_url")
    _priority(p)
    return p


def parse_set_params(type_: TaskType, body: object, newest: Obj) -> Obj:
    """The next version of a project's params: `patch` merges over the newest, arrays and objects replaced whole."""
    b = dict(body_object(body))
    patch = b.pop("patch", None)
    if patch is not None:
        c.flag("patch", patch)
    return project_params(type_, {**newest, **b} if patch else b)


class UploadFile(msgspec.Struct, frozen=True, kw_only=True):
    file_url: str | None = None
    project_name: str | None = None
    display_name: str | None = None
    reference_id: str | None = None
    metadata: Obj = {}


def parse_upload(parts: dict[str, str]) -> UploadFile:
    """The text parts of a multipart upload; `metadata` is JSON as text."""
    return _file({**parts, "metadata": _json_text(parts.get("metadata") or "")})


def _json_text(text: str) -> object:
    if not text:
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise bad("metadata", "must be JSON") from None


def parse_import(body: object) -> UploadFile:
    b = body_object(body)
    if not given(b.get("file_url")):
        raise missing("file_url")
    c.url("file_url", b["file_url"])
    if isinstance(b.get("metadata"), str):
        b = {**b, "metadata": _json_text(b["metadata"])}
    return msgspec.structs.replace(_file(b), file_url=b["file_url"])


def _file(b: Obj) -> UploadFile:
    return UploadFile(
        project_name=_optional_text(b, "project_name"),
        display_name=_optional_text(b, "display_name"),
        reference_id=_optional_text(b, "reference_id", UNIQUE_ID_MAX),
        metadata=_metadata(b),
    )


# ---------------------------------------------------------------- teams and studio


def _emails(body: Obj, key: str, *, required: bool = True) -> list[str]:
    value = body.get(key)
    if value is None and not required:
        return []
    if value is None:
        raise missing(key)
    c.rows(key, value)
    emails = cast(list[object], value)
    if required and not emails:
        raise bad(key, "must not be empty")
    if len(emails) > EMAILS_MAX:
        raise bad(key, f"has more than {EMAILS_MAX} entries")
    for i, e in enumerate(emails):
        c.email(f"{key}[{i}]", e)
    return list(dict.fromkeys(cast(list[str], emails)))


def _names(body: Obj, key: str, *, required: bool = True) -> list[str]:
    value = body.get(key)
    if value is None:
        raise missing(key)
    c.rows(key, value)
    if required and not value:
        raise bad(key, "must not be empty")
    for i, v in enumerate(cast(list[object], value)):
        c.name_text(f"{key}[{i}]", v)
    return list(dict.fromkeys(cast(list[str], value)))


class Invite(msgspec.Struct, frozen=True):
    emails: list[str]
    team_role: str


def parse_invite(body: object) -> Invite:
    """`teams/invite` and `teams/set_role`."""
    b = body_object(body)
    if not given(b.get("team_role")):
        raise missing("team_role")
    c.one_of(*ROLES)("team_role", b["team_role"])
    return Invite(_emails(b, "emails"), cast(str, b["team_role"]))


class Assign(msgspec.Struct, frozen=True):
    emails: list[str]
    projects: list[str]


def parse_assign(body: object) -> Assign:
    b = body_object(body)
    return Assign(_emails(b, "emails"), _names(b, "projects"))


class Group(msgspec.Struct, frozen=True):
    emails: list[str]
    name: str


def parse_group(body: object) -> Group:
    b = body_object(body)
    return Group(_emails(b, "emails"), _required_name(b, "name"))


class GroupChange(msgspec.Struct, frozen=True):
    add_emails: list[str]
    remove_emails: list[str]


def parse_group_change(body: object) -> GroupChange:
    b = body_object(body)
    return GroupChange(_emails(b, "add_emails", required=False), _emails(b, "remove_emails", required=False))


def parse_batch_groups(body: object) -> list[str]:
    return _names(body_object(body), "groups", required=False)


def parse_priorities(body: object, pending: Sequence[str]) -> list[str]:
    """The batches in their new order: every pending one, each once."""
    b = body_object(body)
    if b.get("batches") is None:
        raise missing("batches")
    c.rows("batches", b["batches"])
    order: list[str] = []
    for i, row in enumerate(cast(list[object], b["batches"])):
        c.obj(f"batches[{i}]", row)
        c.name_text(f"batches[{i}].name", cast(Obj, row).get("name"))
        order.append(cast(Obj, row)["name"])
    if sorted(order) != sorted(pending):
        raise bad("batches", "must list every pending batch, each once")
    return order


# ---------------------------------------------------------------- v2


class V2Batch(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    project_id: str | None = None
    project_name: str | None = None
    callback: str | None = None
    staging_batch: bool = False
    metadata: Obj = {}


class V2Ref(msgspec.Struct, frozen=True, kw_only=True):
    """Which batch: by id or by name."""

    batch_id: str | None = None
    batch_name: str | None = None


class V2Metadata(msgspec.Struct, frozen=True, kw_only=True):
    metadata: Obj
    merge: bool = False
    batch_id: str | None = None
    batch_name: str | None = None
    task_id: str | None = None


class V2Chat(msgspec.Struct, frozen=True, kw_only=True):
    project_id: str | None = None
    project_name: str | None = None
    batch_id: str | None = None
    batch_name: str | None = None
    template_variables: Obj = {}
    metadata: Obj = {}
    callback_url: str | None = None


def _either(b: Obj, *keys: str) -> list[str | None]:
    values = [_optional_text(b, key) for key in keys]
    if not any(values):
        raise missing(" or ".join(keys))
    return values


def parse_v2_batch(body: object) -> V2Batch:
    b = body_object(body)
    project_id, project_name = _either(b, "project_id", "project_name")
    return V2Batch(
        name=_required_name(b, "name"),
        project_id=project_id,
        project_name=project_name,
        callback=_callback(b, "callback"),
        staging_batch=_flag(b, "staging_batch"),
        metadata=_metadata(b),
    )


def parse_v2_ref(body: object) -> V2Ref:
    batch_id, batch_name = _either(body_object(body), "batch_id", "batch_name")
    return V2Ref(batch_id=batch_id, batch_name=batch_name)


def parse_v2_metadata(body: object, *, task: bool) -> V2Metadata:
    b = body_object(body)
    if b.get("metadata") is None:
        raise missing("metadata")
    metadata, merge = _metadata(b), _flag(b, "merge")
    if task:
        (task_id,) = _either(b, "task_id")
        return V2Metadata(metadata=metadata, merge=merge, task_id=task_id)
    batch_id, batch_name = _either(b, "batch_id", "batch_name")
    return V2Metadata(metadata=metadata, merge=merge, batch_id=batch_id, batch_name=batch_name)


def parse_v2_chat(body: object) -> V2Chat:
    b = body_object(body)
    if not any(given(b.get(k)) for k in ("project_id", "project_name", "batch_id", "batch_name")):
        raise missing("project_id or project_name or batch_id or batch_name")
    variables = b.get("template_variables")
    if given(variables):
        c.obj("template_variables", variables)
    return V2Chat(
        project_id=_optional_text(b, "project_id"),
        project_name=_optional_text(b, "project_name"),
        batch_id=_optional_text(b, "batch_id"),
        batch_name=_optional_text(b, "batch_name"),
        template_variables=cast(Obj, variables) if given(variables) else {},
        metadata=_metadata(b),
        callback_url=_callback(b, "callback_url"),
    )


def deep_merge(old: Obj, new: Obj) -> Obj:
    """Objects are merged key by key, everything else is replaced. Neither argument is changed. The result must still
    fit the limit on metadata."""
    try:
        out = _merge(old, new)
    except RecursionError:
        raise bad("metadata", "is nested too deep") from None
    c.metadata("metadata", out)
    return out


def _merge(old: Obj, new: Obj) -> Obj:
    out = dict(old)
    for key, value in new.items():
        before = out.get(key)
        both = isinstance(before, dict) and isinstance(value, dict)
        out[key] = _merge(cast(Obj, before), cast(Obj, value)) if both else value
    return out
