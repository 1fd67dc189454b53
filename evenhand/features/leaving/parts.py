"""What the archive of everything has, as rows: one file of JSON lines for each table. tests/laws/test_archive.py fails for a
table that is neither here nor in its list of what is left out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from evenhand.infra.seal import At, at
from evenhand.infra.sql import Sql


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the archive. `words` explain it in the README; `place` says where the row's body is sealed."""

    name: str
    words: str
    rows: Sql
    place: Callable[[Any], At] | None = None


def _of(table: str) -> Callable[[Any], At]:
    return lambda row: at(table, row)


def _own(table: str) -> Callable[[Any], At]:
    """Of rows that belong to the organisation as a whole."""
    return lambda row: At(table, row[f"{table}_id"])


PARTS: tuple[Part, ...] = (
    Part(
        "members", "who belongs to the organisation; `person` is the id that the other files use",
        Sql("archive_member", """select person_id, role, source, state, created_at, body from evenhand.member
                                  where org_id = %(org)s order by person_id"""),
        lambda row: At("member", row["person_id"]),
    ),
    Part(
        "contracts", "what was agreed with the operator, each version",
        Sql("archive_contract", """select version, class, capacity_h, from_at, until_at, created_at, body from evenhand.contract
                                    where org_id = %(org)s order by version"""),
        lambda row: At("contract", str(row["version"])),
    ),
    Part(
        "api-keys", "API keys by name and prefix; never the keys themselves",
        Sql("archive_api_key", """select key_id, prefix, scopes, created_at, expires_at, revoked_at, body from evenhand.api_key
                                   where org_id = %(org)s order by key_id"""),
        lambda row: At("api_key", row["key_id"]),
    ),
    Part(
        "organisation-keys", "encryption keys of the organisation: version and the key of the key service above it; no secret",
        Sql("archive_org_key", """select version, key_id, created_at from evenhand.org_key
                                   where org_id = %(org)s order by version"""),
    ),
    Part(
        "data-keys", "encryption keys of projects (`project_id` \"\": of the organisation's own rows); no secret",
        Sql("archive_data_key", """select project_id, version, under, created_at from evenhand.data_key
                                    where org_id = %(org)s order by project_id, version"""),
    ),
    Part(
        "projects", "projects with their settings; `version` is the one that counts now",
        Sql("archive_project", """select project_id, kind, medium, stage, state, overlap, review, review_rate, lease_s, version,
                                         gold_share, pass_mark, everyone, created_at, updated_at, body
                                    from evenhand.project where org_id = %(org)s order by project_id"""),
        _of("project"),
    ),
    Part(
        "versions", "each version of each project's ontology and instructions",
        Sql("archive_project_version", """select project_id, version, created_at, body from evenhand.project_version
                                           where org_id = %(org)s order by project_id, version"""),
        lambda row: At("project_version", row["project_id"], row["project_id"], row["version"]),
    ),
    Part(
        "batches", "batches of tasks",
        Sql("archive_batch", """select batch_id, project_id, state, priority, created_at, completed_at, body
                                  from evenhand.batch where org_id = %(org)s order by batch_id"""),
        _of("batch"),
    ),
    Part(
        "groups", "groups of workers that a compatible door made",
        Sql("archive_worker_group", """select group_id, project_id, created_at, body from evenhand.worker_group
                                        where org_id = %(org)s order by group_id"""),
        lambda row: At("worker_group", row["group_id"], row["project_id"]),
    ),
    Part(
        "seats", "who may work on which project",
        Sql("archive_seat", """select project_id, person_id, role from evenhand.seat
                                where org_id = %(org)s order by project_id, person_id, role"""),
    ),
    Part(
        "tasks", "tasks, with the data that was sent; `purpose` evaluation and training are tasks with a known answer",
        Sql("archive_task", """select task_id, project_id, batch_id, kind, purpose, state, priority, review, result_id,
                                      delivery_id, labels, created_at, updated_at, completed_at, body
                                 from evenhand.task where org_id = %(org)s order by task_id"""),
        _of("task"),
    ),
    Part(
        "queue", "where each unfinished task stood",
        Sql("archive_queue", """select task_id, project_id, batch_id, state, rank, overlap, taken, answered, pilot
                                  from evenhand.queue where org_id = %(org)s order by task_id"""),
    ),
    Part(
        "assignments", "each time that a task was handed to somebody; `body` has the edits that led to the answer",
        Sql("archive_assignment", """select assignment_id, task_id, project_id, person_id, role, state, leased_at, lease_until,
                                            version, closed_at, late, extra, paid_s, body
                                       from evenhand.assignment where org_id = %(org)s order by assignment_id"""),
        _of("assignment"),
    ),
    Part(
        "drafts", "work that was begun and not sent yet",
        Sql("archive_draft", """select d.assignment_id, a.task_id, a.project_id, d.version, d.updated_at, d.body
                                  from evenhand.draft d join evenhand.assignment a using (org_id, assignment_id)
                                 where d.org_id = %(org)s order by d.assignment_id"""),
        lambda row: At("draft", row["assignment_id"], row["project_id"], row["version"]),
    ),
    Part(
        "answers", "every answer that was ever given, the ones that no longer count as well (`state`)",
        Sql("archive_answer", """select answer_id, task_id, project_id, assignment_id, person_id, origin, state, late, seconds,
                                        labels, created_at, body
                                   from evenhand.answer where org_id = %(org)s order by answer_id"""),
        _of("answer"),
    ),
    Part(
        "reviews", "verdicts on answers, the reviewers' and your own",
        Sql("archive_review", """select review_id, task_id, project_id, answer_id, assignment_id, person_id, source, decision,
                                        seconds, created_at, body
                                   from evenhand.review where org_id = %(org)s order by review_id"""),
        _of("review"),
    ),
    Part(
        "known-answers", "which tasks have a known answer (`expected` in the task's body), and what for",
        Sql("archive_gold_task", """select task_id, project_id, purpose, role, state, created_at from evenhand.gold_task
                                     where org_id = %(org)s order by task_id"""),
    ),
    Part(
        "scores", "how somebody's answer compared with a known one",
        Sql("archive_gold_score", """select task_id, person_id, cycle, project_id, assignment_id, score, created_at
                                       from evenhand.gold_score where org_id = %(org)s order by task_id, person_id, cycle"""),
    ),
    Part(
        "courses", "how far somebody is in the training of a project",
        Sql("archive_course", """select project_id, person_id, cycle, tries, state, score, updated_at from evenhand.course
                                  where org_id = %(org)s order by project_id, person_id"""),
    ),
    Part(
        "questions", "annotators' questions, and your answers",
        Sql("archive_question", """select question_id, project_id, task_id, person_id, created_at, answered_at, body
                                     from evenhand.question where org_id = %(org)s order by question_id"""),
        _of("question"),
    ),
    Part(
        "notices", "what annotators were told about their work",
        Sql("archive_notice", """select notice_id, person_id, project_id, task_id, kind, created_at, body from evenhand.notice
                                  where org_id = %(org)s order by notice_id"""),
        lambda row: At("notice", row["notice_id"], row["project_id"] or ""),
    ),
    Part(
        "deliveries", "deliveries; the tasks of one have its id as `delivery_id`",
        Sql("archive_delivery", """select delivery_id, project_id, task_count, created_at, body from evenhand.delivery
                                    where org_id = %(org)s order by delivery_id"""),
        _of("delivery"),
    ),
    Part(
        "callbacks", "what was told to your own servers",
        Sql("archive_callback", """select callback_id, task_id, batch_id, state, created_at, next_at, body
                                     from evenhand.callback where org_id = %(org)s order by callback_id"""),
        _own("callback"),
    ),
    Part(
        "callback-tries", "each try to tell it, and what was answered",
        Sql("archive_callback_try", """select callback_id, try_no, status, created_at, body from evenhand.callback_try
                                        where org_id = %(org)s order by callback_id, try_no"""),
        lambda row: At("callback_try", row["callback_id"], version=row["try_no"]),
    ),
    Part(
        "retention", "how long projects keep what they have",
        Sql("archive_retention", """select project_id, done_days, ended_days, updated_at from evenhand.retention
                                     where org_id = %(org)s order by project_id"""),
    ),
    Part(
        "holds", "legal holds (`project_id` \"\": on the whole organisation)",
        Sql("archive_hold", """select project_id, created_at, body from evenhand.hold
                                where org_id = %(org)s order by project_id"""),
        lambda row: At("hold", row["project_id"]),
    ),
    Part(
        "deletions", "what was deleted, with the certificate (`note`), which the evidence has as well",
        Sql("archive_erasure", """select erasure_id, project_id, reason, state, files, bytes, created_at, ended_at, note
                                    from evenhand.erasure where org_id = %(org)s order by erasure_id"""),
    ),
    Part(
        "files", "uploaded and fetched files; the bytes of a ready one are in `files/`, under its `asset_id`",
        Sql("archive_asset", """select asset_id, state, media_type, size, width, height, created_at, updated_at, body
                                  from evenhand.asset where org_id = %(org)s order by asset_id"""),
        _own("asset"),
    ),
)  # fmt: skip
#: the audit trail: each event as the log commits to it, with what opens it
EVENTS = Sql(
    "archive_fact",
    """select f.fact_id, f.kind, f.at, f.about_id, f.salt, f.body, p.counter, p.index
         from evenhand.fact f left join evenhand.log_place p on p.org_id = f.org_id and p.fact_id = f.fact_id
        where f.org_id = %(org)s order by f.fact_id""",
)
#: the settings that a person made; secrets that we made are no one's data
VIEWS = Sql(
    "archive_setting",
    """select name, body from evenhand.setting where org_id = %(org)s and name like 'views %' order by name""",
)
#: whole files, a page at a time: their bytes are read outside the snapshot
READY_FILES = Sql(
    "archive_files",
    """select asset_id, object, object_key, media_type, size, body from evenhand.asset
        where org_id = %(org)s and state = 'ready' and asset_id > %(after)s and asset_id <= %(last)s
        order by asset_id limit %(limit)s""",
)
PROJECT_IDS = Sql(
    "archive_project_ids", "select project_id from evenhand.project where org_id = %(org)s order by project_id"
)
LAST_FILE = Sql("archive_last_file", "select max(asset_id) from evenhand.asset where org_id = %(org)s")
