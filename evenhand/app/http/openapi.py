"""The OpenAPI 3.1 document, made from the route table."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from evenhand.app.http.access import silent
from evenhand.app.http.routes import Route

_PARAM = re.compile(r"\{(\w+)(?::\w+)?\}")
_REF = "#/components/schemas/{name}"
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "hint": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}


def document(routes: Sequence[Route], prefix: str, cookie: str = "evenhand") -> dict[str, Any]:
    """The document. `cookie` is the name under which this server keeps a session."""
    kinds: list[Any] = []
    for r in routes:
        kinds += [k for k in (r.query, None if r.body is bytes else r.body, r.reply) if k is not None]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    found = {str(k): s for k, s in zip([repr(k) for k in kinds], schemas, strict=True)}
    paths: dict[str, Any] = {}
    for r in routes:
        path = prefix + _PARAM.sub(r"{\1}", r.path)
        paths.setdefault(path, {})[r.method.lower()] = _operation(r, found, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Evenhand", "version": "1", "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": _PROBLEM},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": cookie},
            },
        },
    }


def _operation(r: Route, found: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    name = "_".join([r.method.lower(), *re.findall(r"[a-z]+", r.path)])
    out: dict[str, Any] = {"operationId": name, "summary": r.summary, "responses": _responses(r, found)}
    parameters: list[dict[str, Any]] = [
        {"name": p, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for p in _PARAM.findall(r.path)
    ]
    if r.query is not None:
        schema = components[r.query.__name__]
        needed = schema.get("required", ())
        for field, kind in schema["properties"].items():
            parameters.append({"name": field, "in": "query", "required": field in needed, "schema": kind})
    parameters += [
        {"name": field, "in": "header", "required": False, "description": words, "schema": kind}
        for field, words, kind in _headers(r)
    ]
    if parameters:
        out["parameters"] = parameters
    body = _body(r, found)
    if body is not None:
        out["requestBody"] = body
    out["security"] = {"public": [{}], "customer": [{"key": []}, {"session": []}]}.get(r.who, [{"session": []}])
    return out


def _headers(r: Route) -> list[tuple[str, str, dict[str, Any]]]:
    """(name, what it is for, schema) of the headers that a route reads."""
    out: list[tuple[str, str, dict[str, Any]]] = []
    text = {"type": "string"}
    if r.who == "customer":
        out.append(
            ("Evenhand-Org", "The space that is meant, by its id. Only with a session: a key has its own.", text)
        )
    if r.who != "public" and r.method != "GET":
        out.append(("X-Evenhand-CSRF", "With a session: the token from `GET /session`.", text))
    if r.tx and r.who == "customer" and r.method != "GET":  # where reply and write are kept in one transaction
        key = {"type": "string", "minLength": 1, "maxLength": 128}
        out.append(
            (
                "Idempotency-Key",
                "The same request with the same key gets the first reply again, for 24 hours at least.",
                key,
            )
        )
    return out


def _body(r: Route, found: dict[str, Any]) -> dict[str, Any] | None:
    if r.body is None:
        return None
    if r.raw and r.body is bytes:
        words = {"type": "string"}
        fields = {"file": {"type": "string", "format": "binary"}, "name": words, "reference_id": words}
        part = {"type": "object", "required": ["file"], "properties": fields}
        return {"required": True, "content": {"multipart/form-data": {"schema": part}}}
    if r.raw:
        lines = {"type": "string", "description": "One JSON object a line."}
        both = {"application/x-ndjson": {"schema": lines}, "application/json": {"schema": found[repr(r.body)]}}
        return {"required": True, "content": both}
    return {"required": True, "content": {"application/json": {"schema": found[repr(r.body)]}}}


def _responses(r: Route, found: dict[str, Any]) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}}
    good: dict[str, Any] = {"description": "Done"}
    if r.reply is not None:
        good["content"] = {r.media: {"schema": found[repr(r.reply)]}}
    elif r.media != "application/json":
        good["content"] = {media: {"schema": {}} for media in r.media.split(", ")}
    out: dict[str, Any] = {str(r.status): good}
    if r.method == "GET" and r.who == "customer" and r.media == "application/json" and not silent(r.name):
        out["304"] = {"description": "As in the answer whose `ETag` came as `If-None-Match`"}
    for status, words in (
        (400, "Not right"), (401, "Sign in"), (403, "Not allowed"), (404, "Not found"), (409, "Conflict"),
        (413, "Too large"), (415, "Not a type that is taken here"),
        (429, "Too many tries"), (502, "Another machine failed"), (503, "Busy"),
        (507, "The disk is full"),
    ):  # fmt: skip
        out[str(status)] = {"description": words, "content": problem}
    return out
