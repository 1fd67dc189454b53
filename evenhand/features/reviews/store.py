"""SQL of reviews, questions, notices, progress and the audit trail."""

from evenhand.infra.sql import Sql

REVIEW_ADD = Sql(
    "review_add",
    """insert into evenhand.review (org_id, review_id, task_id, project_id, answer_id, assignment_id, person_id, source,
                                    decision, seconds, body)
       values (%(org)s, %(review)s, %(task)s, %(project)s, %(answer)s, %(assignment)s, %(person)s, %(source)s,
               %(decision)s, %(seconds)s, %(body)s)""",
)
REVIEWS_OF = Sql(
    "reviews_of_task",
    """select review_id, person_id, source, decision, created_at, seconds, body from evenhand.review
        where org_id = %(org)s and task_id = %(task)s order by review_id""",
)
REVIEW_GET = Sql(
    "review_get",
    """select review_id, task_id, person_id, source, decision, created_at, seconds, body from evenhand.review
        where org_id = %(org)s and review_id = %(review)s""",
)
REVIEWS_OF_MANY = Sql(
    "reviews_of_tasks",
    """select review_id, task_id, person_id, source, decision, created_at, seconds, body from evenhand.review
        where org_id = %(org)s and task_id = any(%(tasks)s::text[]) order by review_id""",
)
REVIEW_SUBMITTED = Sql(
    "assignment_review_submitted",
    """update evenhand.assignment
          set state = 'submitted', closed_at = clock_timestamp(), key_mac = %(key)s, late = %(late)s, extra = %(extra)s,
              paid_s = least(greatest(%(seconds)s::real, 0), extract(epoch from clock_timestamp() - leased_at))::real
        where org_id = %(org)s and assignment_id = %(assignment)s returning paid_s""",
)
NOTICE_ADD = Sql(
    "notice_add",
    """insert into evenhand.notice (org_id, notice_id, person_id, project_id, task_id, kind, body)
       values (%(org)s, %(notice)s, %(person)s, %(project)s, %(task)s, %(kind)s, %(body)s)""",
)
NOTICES = Sql(
    "notice_list",
    """select notice_id, created_at, kind, project_id, task_id, body from evenhand.notice
        where org_id = %(org)s and person_id = %(person)s order by notice_id desc limit 50""",
)
QUESTION_ADD = Sql(
    "question_add",
    """insert into evenhand.question (org_id, question_id, project_id, task_id, person_id, body)
       values (%(org)s, %(question)s, %(project)s, %(task)s, %(person)s, %(body)s)""",
)
_QUESTION = (
    """select question_id, project_id, task_id, person_id, created_at, answered_at, body from evenhand.question"""
)
QUESTIONS = Sql(
    "question_list",
    _QUESTION
    + """ where org_id = %(org)s and (%(project)s::text is null or project_id = %(project)s)
            and (not %(open)s::boolean or answered_at is null) and (not %(answered)s::boolean or answered_at is not null)
            and (%(after)s::text is null or question_id < %(after)s)
          order by question_id desc limit %(limit)s""",
)
QUESTION_LOCK = Sql("question_lock", _QUESTION + " where org_id = %(org)s and question_id = %(question)s for update")
QUESTION_ANSWER = Sql(
    "question_answer",
    """update evenhand.question set answered_at = now(), body = %(body)s
        where org_id = %(org)s and question_id = %(question)s""",
)
SERIES = Sql(
    "progress_series",
    """select date_bin(make_interval(secs => %(bin_s)s), completed_at, timestamptz '2000-01-01') as t, count(*) as n
         from evenhand.task
        where org_id = %(org)s and project_id = %(project)s and state = 'done' and purpose = 'work'
        group by 1 order by 1 limit 2000""",
)
SPAN = Sql(
    "progress_span",
    """select min(completed_at) as first, max(completed_at) as last from evenhand.task
        where org_id = %(org)s and project_id = %(project)s and state = 'done' and purpose = 'work'""",
)
RECENT = Sql(
    "progress_recent",
    """select count(*) as n, min(completed_at) as first from evenhand.task
        where org_id = %(org)s and project_id = %(project)s and state = 'done' and purpose = 'work'
          and completed_at > now() - interval '6 hours'""",
)
QUALITY = Sql(
    "progress_quality",
    """select count(*) filter (where decision = 'accept') as accepted, count(*) as reviewed
         from (select distinct on (task_id) decision from evenhand.review
                where org_id = %(org)s and project_id = %(project)s order by task_id, review_id desc) as latest""",
)
SECONDS = Sql(
    "progress_seconds",
    """select coalesce(percentile_cont(0.5) within group (order by seconds), 0)::float8 as median,
              coalesce(percentile_cont(0.9) within group (order by seconds), 0)::float8 as p90,
              coalesce(sum(seconds), 0)::float8 as total
         from (select seconds from evenhand.answer
                where org_id = %(org)s and project_id = %(project)s and origin = 'label'
                order by answer_id desc limit 20000) as latest""",
)
LOOKED = Sql(
    "progress_looked",
    """select f.actor_kind, f.actor_id, f.at, f.kind from evenhand.fact f
        where f.org_id = %(org)s and f.kind in ('TaskViewed', 'TaskLeased', 'Exported', 'AnnotationSubmitted', 'ReviewClosed')
          and (f.about_id = %(project)s or exists (select from evenhand.task t
                where t.org_id = f.org_id and t.task_id = f.about_id and t.project_id = %(project)s))
        order by f.fact_id desc limit 20""",
)
HISTORY = Sql(
    "task_history",
    """select fact_id, kind, actor_kind, actor_id, at, body from evenhand.fact
        where org_id = %(org)s and about_id = %(about)s order by fact_id desc limit 500""",
)
AUDIT = Sql(
    "audit_list",
    """select fact_id, kind, actor_kind, actor_id, about_id, at from evenhand.fact
        where org_id = %(org)s and (%(after)s::text is null or fact_id < %(after)s)
        order by fact_id desc limit %(limit)s""",
)
PILOT_TASKS = Sql(
    "pilot_tasks",
    """select t.task_id, t.state, t.result_id,
              (select a.answer_id from evenhand.answer a
                where a.org_id = t.org_id and a.task_id = t.task_id and a.origin = 'pilot' and a.state = 'current'
                order by a.answer_id desc limit 1) as yours,
              (select a.answer_id from evenhand.answer a
                where a.org_id = t.org_id and a.task_id = t.task_id and a.origin = 'label' and a.state = 'current'
                order by a.answer_id limit 1) as theirs,
              exists (select from evenhand.assignment a
                where a.org_id = t.org_id and a.task_id = t.task_id and a.role = 'pilot' and a.person_id = %(person)s
                  and a.state in ('submitted', 'skipped')) as mine
         from evenhand.task t
        where t.org_id = %(org)s and t.project_id = %(project)s and t.purpose = 'work'
        order by t.task_id limit %(size)s""",
)
PILOT_LIVE = Sql(
    "pilot_live",
    """select assignment_id from evenhand.assignment
        where org_id = %(org)s and person_id = %(person)s and project_id = %(project)s and role = 'pilot'
          and state = 'leased' and task_id = %(task)s""",
)
