"""v2: conversations as threads of turns of messages, with annotations where they belong."""

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from evenhand.pure.numbers import is_whole
from evenhand.pure.scale import checks as c
from evenhand.pure.scale.checks import Obj, bad
from evenhand.pure.scale.inbound import Native
from evenhand.pure.scale.madeup import made_up_answer

ROLES = {
    "system": "system", "developer": "system", "user": "user", "human": "user", "assistant": "assistant",
    "model": "assistant", "bot": "assistant", "function": "function", "tool": "function",
}  # fmt: skip
STRENGTHS = ["Tie", "Slightly better", "Better", "Much better"]
POSSIBLE_MAX = 101
MESSAGES_MAX = 1_000


# ---------------------------------------------------------------- in


def chat_native(variables: Obj, ontology: Obj | None = None, instruction: str = "") -> Native:
    """The conversation of a chat task from its template variables. Read are `messages` (or `prompt`) and `answers`
    (or `responses`): texts or objects with `text` or `content`. All other variables are shown beside the task. Without
    an ontology of the project's own, answers are compared and rated."""
    messages = [
        {"role": _role(row), "text": _text(f"messages[{i}]", row)} for i, row in enumerate(_rows(variables, "messages"))
    ]
    prompt = variables.get("prompt")
    if isinstance(prompt, str) and prompt:
        messages.append({"role": "user", "text": prompt})
    given = _rows(variables, "answers") or _rows(variables, "responses")
    answers: list[Obj] = []
    for i, row in enumerate(cast(list[object], given)):
        r: Obj = cast(Obj, row) if isinstance(row, dict) else {}
        id_ = r.get("id") if isinstance(r.get("id"), str) and 1 <= len(r["id"]) <= 200 else str(i + 1)
        answers.append({"id": id_, "text": _text(f"answers[{i}]", cast(object, row))})
    if len({a["id"] for a in answers}) != len(answers):
        raise bad("template_variables.answers", "use an id twice")
    data: Obj = {"conversation": {"messages": messages, "answers": answers}}
    rest = {k: v for k, v in variables.items() if k not in ("messages", "prompt", "answers", "responses")}
    if rest:
        data["context"] = f"```json\n{msgspec.json.format(msgspec.json.encode(rest), indent=2).decode()}\n```"
    own = ontology and (ontology.get("fields") or ontology.get("classes"))
    return Native("conversation", data, ontology if ontology and own else _default_ontology(len(answers)), instruction)


def _default_ontology(answers: int) -> Obj:
    fields: list[Obj] = []
    if answers >= 2:
        fields.append({"key": "preference", "type": "preference", "title": "Which answer is better?", "required": True})
    if answers >= 1:
        rating: Obj = {"key": "quality", "type": "rating", "title": "Quality", "min": 1, "max": 5, "step": 1}
        fields.append(rating | {"target": "answers", "required": True})
    comment: Obj = {"key": "justification" if answers else "response", "type": "text", "long": True}
    fields.append(comment | {"title": "Why?" if answers else "Your answer", "required": not answers})
    return {"classes": [], "attributes": [], "fields": fields}


def _rows(variables: Obj, key: str) -> list[Any]:
    value = variables.get(key)
    if value is None:
        return []
    c.rows(f"template_variables.{key}", value)
    rows = cast(list[Any], value)
    if len(rows) > MESSAGES_MAX:
        raise bad(f"template_variables.{key}", f"has more than {MESSAGES_MAX} entries")
    return rows


def _role(row: object) -> str:
    name = cast(Obj, row).get("role") if isinstance(row, dict) else None
    return ROLES.get(name.lower(), "user") if isinstance(name, str) else "user"


def _text(at: str, row: object) -> str:
    value: object = row
    if isinstance(row, dict):
        r = cast(Obj, row)
        value = r.get("text", r.get("content"))
        if isinstance(value, dict):
            value = cast(Obj, value).get("text")
    c.text(f"template_variables.{at}", value)
    return cast(str, value)


# ---------------------------------------------------------------- out


def threads(
    task_id: str, data: Obj, ontology: Obj, answer: Obj, *, submissions: Sequence[Obj] | None = None
) -> list[Obj]:
    """The one thread of a completed task. Each turn begins with what the user says; the answers under comparison are
    messages of the last turn, with `source_id` = the answer's id. Fields about one answer are annotations of its
    message, all others of the last turn. `submissions`: only when asked for with `opts=submissions`."""
    conversation = cast(Obj, data.get("conversation") or {})
    turns = _turns(task_id, conversation, data.get("text"))
    last: list[Obj] = turns[-1]["messages"]
    answers = cast(list[Obj], conversation.get("answers") or [])
    by_answer: dict[str, Obj] = {}
    for row in answers:
        message = _message(str(row["id"]), "assistant", str(row.get("text", "")))
        by_answer[str(row["id"])] = message
        last.append(message)
    fields = {f["key"]: f for f in cast(list[Obj], ontology.get("fields", []))}
    for a in cast(list[Obj], answer["annotations"]):
        target = by_answer.get(str(a.get("target"))) if a.get("target") is not None else None
        place = cast(list[Obj], (target or turns[-1])["annotations"])
        place.extend(_annotations(task_id, a, fields.get(a.get("field", ""), {}), list(by_answer)))
    turns[-1]["annotations"].extend(_marks(task_id, data, answer))
    thread: Obj = {"id": f"{task_id}_thread", "turns": turns, "annotations": []}
    if submissions is not None:
        thread["submissions"] = list(submissions)
    return [thread]


def _message(source: str, role: str, text: str) -> Obj:
    return {"role": role, "content": {"text": text}, "source_id": source, "annotations": []}


def _turns(task_id: str, conversation: Obj, text: object) -> list[Obj]:
    turns: list[Obj] = []
    messages = cast(list[Obj], conversation.get("messages") or [])
    if not messages and isinstance(text, str):
        messages = [{"role": "user", "text": text}]
    for i, m in enumerate(messages):
        role = ROLES.get(str(m.get("role", "user")).lower(), "user")
        spoken = bool(turns) and any(x["role"] != "system" for x in turns[-1]["messages"])
        if not turns or (role == "user" and spoken):
            turns.append({"id": f"{task_id}_turn_{len(turns)}", "messages": [], "annotations": []})
        turns[-1]["messages"].append(_message(f"{task_id}_message_{i}", role, str(m.get("text", ""))))
    return turns or [{"id": f"{task_id}_turn_0", "messages": [], "annotations": []}]


def _annotations(task_id: str, a: Obj, field: Obj, answers: list[str]) -> list[Obj]:
    if "field" not in a:
        return []
    out: Obj = {"id": f"{task_id}_{a['id']}", "key": a["field"]}
    if field.get("title"):
        out["title"] = field["title"]
    if field.get("hint"):
        out["description"] = field["hint"]
    kind = a["kind"]
    if kind == "text":
        return [out | {"type": "text", "value": a["text"]}]
    if kind == "rating":
        return [out | _rating(a["value"], field)]
    if kind == "preference":
        strength = int(a["strength"])
        if a["winner"] is None:
            groups = [answers] if answers else []
        else:
            losers = [x for x in answers if x != a["winner"]]
            groups = [[a["winner"]], *([losers] if losers else [])]
        how: Obj = {"id": f"{task_id}_{a['id']}_strength", "key": f"{a['field']}_strength", "type": "integer"}
        how |= {"labels": STRENGTHS, "value": strength, "possible_values": [0, 1, 2, 3]}
        return [out | {"type": "ranked_groups", "value": groups}, how]
    choices = cast(list[Obj], field.get("choices") or [])
    possible = [x["value"] for x in choices] or list(a["values"])
    labels = [str(x.get("label", x["value"])) for x in choices] or list(a["values"])
    out |= {"labels": labels, "possible_values": possible}
    if field.get("multiple"):
        return [out | {"type": "category_multiple", "value": list(a["values"])}]
    return [out | {"type": "category", "value": a["values"][0]}]


def _rating(value: float, field: Obj) -> Obj:
    """Whole numbers are `integer`; the interface has no other number, so the rest are texts."""
    if not is_whole(value):
        return {"type": "text", "value": str(value)}
    out: Obj = {"type": "integer", "value": int(value)}
    low, high, step = field.get("min"), field.get("max"), field.get("step", 1)
    whole = is_whole(low) and is_whole(high) and is_whole(step)
    if whole and (high - low) / step < POSSIBLE_MAX:  # type: ignore[operator]
        out["possible_values"] = list(range(int(low), int(high) + 1, int(step)))  # type: ignore[arg-type]
    return out


def _marks(task_id: str, data: Obj, answer: Obj) -> list[Obj]:
    """Spans as labelled text; shapes, for which v2 has no type, as JSON in a text, so that nothing is lost."""
    text = data.get("text")
    rows = cast(list[Obj], answer["annotations"])
    out: list[Obj] = []
    spans = [a for a in rows if a["kind"] == "span"]
    if spans and isinstance(text, str):
        value = [{"label": a["class"], "text": text[int(a["start"]) : int(a["end"])]} for a in spans]
        out.append({"id": f"{task_id}_spans", "key": "spans", "type": "labeled_text", "value": value})
    shapes = [a for a in rows if "class" in a and not (a["kind"] == "span" and isinstance(text, str))]
    if shapes:
        json = msgspec.json.encode(shapes).decode()
        out.append({"id": f"{task_id}_shapes", "key": "shapes", "type": "text", "value": json})
    return out


def files(id_: str, key: str, links: Sequence[Obj]) -> Obj:
    """A `file` annotation. Always a list: the client cannot parse a single file object."""
    return {"id": id_, "key": key, "type": "file", "value": list(links)}


def task_of_annotation(annotation_id: str) -> str:
    """Which task an annotation's id belongs to, for the lookup by annotation id."""
    return annotation_id.partition("_")[0]


def find_annotation(given: Sequence[Obj], annotation_id: str) -> Obj | None:
    for thread in given:
        places = [thread, *thread["turns"], *(m for t in thread["turns"] for m in t["messages"])]
        for place in places:
            for a in place["annotations"]:
                if a["id"] == annotation_id:
                    return a
    return None


def made_up_chat(variables: Obj, seed: str, ontology: Obj | None = None) -> tuple[Native, Obj]:
    """What the machine of the test mode makes of a chat task: the conversation (with made-up answers where none were
    given) and a native answer to it."""
    given = chat_native(variables, ontology)
    conversation = given.data["conversation"]
    if not conversation["messages"] and not conversation["answers"]:
        more: Obj = {"prompt": "Lorem ipsum?", "answers": ["Dolor sit amet.", "Consectetur adipiscing elit."]}
        given = chat_native({**variables, **more}, ontology)
    return given, made_up_answer(given.ontology, given.data, seed)
