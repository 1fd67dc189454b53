"""The OpenAPI 3.1 document, made from the route table."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

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


def document(routes: Sequence[Route], prefix: str) -> dict[str, Any]:
    kinds: list[Any] = []
    for r in routes:
        kinds += [k for k in (r.query, None if r.raw else r.body, r.reply) if k is not None]
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
                "session": {"type": "apiKey", "in": "cookie", "name": "evenhand"},
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
        for field, kind in schema["properties"].items():
            parameters.append({"name": field, "in": "query", "required": False, "schema": kind})
    if r.who == "customer" and r.method != "GET":
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": False,
                           "schema": {"type": "string", "minLength": 1, "maxLength": 128}})  # fmt: skip
    if parameters:
        out["parameters"] = parameters
    body = _body(r, found)
    if body is not None:
        out["requestBody"] = body
    out["security"] = {"public": [{}], "customer": [{"key": []}, {"session": []}]}.get(r.who, [{"session": []}])
    return out


def _body(r: Route, found: dict[str, Any]) -> dict[str, Any] | None:
    if r.body is None:
        return None
    if r.raw and r.body is bytes:
        part = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
        return {"required": True, "content": {"multipart/form-data": {"schema": part}}}
    if r.raw:
        lines = {"type": "string", "description": "One JSON object a line."}
        return {"required": True, "content": {"application/x-ndjson": {"schema": lines}}}
    return {"required": True, "content": {"application/json": {"schema": found[repr(r.body)]}}}


def _responses(r: Route, found: dict[str, Any]) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}}
    good: dict[str, Any] = {"description": "Done"}
    if r.reply is not None:
        good["content"] = {r.media: {"schema": found[repr(r.reply)]}}
    elif r.media != "application/json":
        good["content"] = {r.media: {"schema": {"type": "string"}}}
    out: dict[str, Any] = {str(r.status): good}
    for status, words in (
        (400, "Not right"), (401, "Sign in"), (403, "Not allowed"), (404, "Not found"), (409, "Conflict"),
        (413, "Too large"), (429, "Too many tries"), (502, "Another machine failed"), (503, "Busy"),
    ):  # fmt: skip
        out[str(status)] = {"description": words, "content": problem}
    return out
