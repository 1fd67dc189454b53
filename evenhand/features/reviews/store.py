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
    """select review_id, project_id, person_id, source, decision, created_at, seconds, body from evenhand.review
        where org_id = %(org)s and task_id = %(task)s order by review_id""",
)
REVIEW_GET = Sql(
    "review_get",
    """select review_id, task_id, project_id, person_id, source, decision, created_at, seconds, body from evenhand.review
        where org_id = %(org)s and review_id = %(review)s""",
)
REVIEWS_OF_MANY = Sql(
    "reviews_of_tasks",
    """select review_id, task_id, project_id, person_id, source, decision, created_at, seconds, body from evenhand.review
        where org_id = %(org)s and task_id = any(%(tasks)s::text[]) order by review_id""",
)
REVIEW_SUBMITTED = Sql(
    "assignment_review_submitted",
    """update evenhand.assignment
          set state = 'submitted', closed_at = clock_timestamp(), closed_xid = pg_current_xact_id(), key_mac = %(key)s,
              late = %(late)s, extra = %(extra)s,
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
# --- progress: see past.py

CLOCK = Sql("progress_clock", "select clock_timestamp()")
DONE_MINUTES = Sql(
    "progress_done_minutes",
    """select date_trunc('minute', completed_at) as minute, count(*) as n from evenhand.task
        where org_id = %(org)s and project_id = %(project)s and state = 'done' and purpose = 'work'
          and completed_at >= %(since)s and completed_at < %(until)s
        group by 1""",
)
UNDONE_MINUTES = Sql(
    "progress_undone_minutes",
    """select distinct date_trunc('minute', done_at) as minute from evenhand.undone
        where org_id = %(org)s and project_id = %(project)s and undone_at >= %(since)s and done_at < %(until)s""",
)
MINUTES_ANEW = Sql(
    "progress_minutes_anew",
    """select m.minute, (select count(*) from evenhand.task t
                          where t.org_id = %(org)s and t.project_id = %(project)s and t.state = 'done' and t.purpose = 'work'
                            and t.completed_at >= m.minute and t.completed_at < m.minute + interval '1 minute') as n
         from unnest(%(minutes)s::timestamptz[]) as m (minute)""",
)
# The last verdict on a task counts. What verdicts since an id change: a task more, or another last verdict on it.
JUDGED_BETWEEN = Sql(
    "progress_judged_between",
    """select count(*) filter (where before is null) as reviewed,
              coalesce(sum((last = 'accept')::integer - coalesce(before = 'accept', false)::integer), 0) as accepted
         from (select r.decision as last,
                      case when %(since)s > '' then (select b.decision from evenhand.review b
                        where b.org_id = %(org)s and b.task_id = r.task_id and b.review_id < %(since)s
                        order by b.review_id desc limit 1) end as before
                 from (select distinct on (task_id) task_id, decision from evenhand.review
                        where org_id = %(org)s and project_id = %(project)s
                          and review_id >= %(since)s and review_id < %(below)s
                        order by task_id, review_id desc) as r) as verdicts""",
)
WORKED_BETWEEN = Sql(
    "progress_worked_between",
    """select coalesce(sum(seconds), 0)::float8 from evenhand.answer
        where org_id = %(org)s and project_id = %(project)s and origin = 'label'
          and answer_id >= %(since)s and answer_id < %(below)s""",
)
SPAN = Sql(
    "progress_span",
    """select (select completed_at from evenhand.task
                where org_id = %(org)s and project_id = %(project)s and state = 'done' and purpose = 'work'
                order by completed_at limit 1) as first,
              (select completed_at from evenhand.task
                where org_id = %(org)s and project_id = %(project)s and state = 'done' and purpose = 'work'
                order by completed_at desc limit 1) as last,
              (select completed_at from evenhand.task
                where org_id = %(org)s and project_id = %(project)s and state = 'done' and purpose = 'work'
                  and completed_at > now() - interval '6 hours' order by completed_at limit 1) as recent""",
)
UNFINISHED = Sql(
    "progress_unfinished",
    """select state::text, count(*) as n from evenhand.queue where org_id = %(org)s and project_id = %(project)s group by state
        union all
       select state::text, count(*) from evenhand.task
        where org_id = %(org)s and project_id = %(project)s and state in ('canceled', 'error') and purpose = 'work'
        group by state""",
)
# Of the latest thousand: the pace of today, at a price that does not grow.
SECONDS = Sql(
    "progress_seconds",
    """select coalesce(percentile_cont(0.5) within group (order by seconds), 0)::float8 as median,
              coalesce(percentile_cont(0.9) within group (order by seconds), 0)::float8 as p90
         from (select seconds from evenhand.answer
                where org_id = %(org)s and project_id = %(project)s and origin = 'label'
                order by answer_id desc limit 1000) as latest""",
)
# Among the latest of the organisation's facts: whoever wants to look further back has the log.
LOOKED = Sql(
    "progress_looked",
    """select f.actor_kind, f.actor_id, f.at, f.kind
         from (select * from (select fact_id, actor_kind, actor_id, at, kind, about_id from evenhand.fact
                               where org_id = %(org)s order by fact_id desc limit 2000) late
                where kind in ('TaskViewed', 'TaskLeased', 'Exported', 'AnnotationSubmitted', 'ReviewClosed')
                order by fact_id desc limit 300) f
        where (f.about_id = %(project)s or (select t.project_id from evenhand.task t
                where t.org_id = %(org)s and t.task_id = f.about_id) = %(project)s)
        order by f.fact_id desc limit 20""",
)
HISTORY = Sql(
    "task_history",
    """select fact_id, kind, actor_kind, actor_id, at, body from evenhand.fact
        where org_id = %(org)s and about_id = %(about)s order by fact_id desc limit 500""",
)
_AUDIT = """select f.fact_id, f.kind, f.actor_kind, f.actor_id, f.about_id, f.at, f.body, p.counter
         from evenhand.fact f left join evenhand.log_place p on p.org_id = f.org_id and p.fact_id = f.fact_id
        where f.org_id = %(org)s and (%(after)s::text is null or f.fact_id < %(after)s)
          and (%(kinds)s::text[] is null or f.kind ~~ any (%(kinds)s::text[]))"""
AUDIT = Sql(
    "audit_list",
    f"{_AUDIT} and (%(files)s::boolean or f.kind not in ('MediaIssued', 'MediaClosed')) order by f.fact_id desc limit %(limit)s",
)
# The same of what happens seldom, by the index that holds nothing else.
AUDIT_RARE = Sql(
    "audit_rare",
    f"""{_AUDIT} and f.kind not in ('TaskLeased', 'AnnotationSubmitted', 'MediaServed', 'TaskDone', 'TaskViewed',
              'ContentShown', 'TaskReady', 'TaskCreated', 'LeaseReleased', 'ReviewClosed')
          and f.kind not in ('MediaIssued', 'MediaClosed')
        order by f.fact_id desc limit %(limit)s""",
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
