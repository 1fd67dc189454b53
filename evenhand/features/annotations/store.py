"""SQL of answers."""

from evenhand.infra.sql import Sql

SUBMIT = Sql(
    "submit",
    """select * from evenhand.submit(%(ctx)s, %(hash)s, %(person)s, %(task)s, %(assignment)s, %(key)s, %(answer)s, %(fact)s,
                                     %(job)s, %(salt)s, %(event)s, %(body)s, %(fact_body)s, %(job_body)s, %(labels)s, %(classes)s,
                                     %(seconds)s)""",
)
SUBMISSION = Sql("submission", "select * from evenhand.submission(%(ctx)s, %(hash)s, %(person)s, %(assignment)s)")
ANSWER_ADD = Sql(
    "answer_add",
    """insert into evenhand.answer (org_id, answer_id, task_id, project_id, assignment_id, person_id, origin, state, late,
                                    seconds, labels, classes, body)
       values (%(org)s, %(answer)s, %(task)s, %(project)s, %(assignment)s, %(person)s, %(origin)s::text, %(state)s::text,
               %(late)s, %(seconds)s, %(labels)s, %(classes)s, %(body)s)""",
)
_ANSWER = """select answer_id, task_id, project_id, assignment_id, person_id, origin, state, late, seconds, labels, created_at, body
               from evenhand.answer"""
ANSWERS_OF = Sql(
    "answers_of_task", _ANSWER + " where org_id = %(org)s and task_id = %(task)s order by created_at, answer_id"
)
ANSWER_GET = Sql("answer_get", _ANSWER + " where org_id = %(org)s and answer_id = %(answer)s")
ANSWER_OF_ASSIGNMENT = Sql(
    "answer_of_assignment",
    _ANSWER
    + """ where org_id = %(org)s and task_id = %(task)s and assignment_id = %(assignment)s
          order by created_at desc limit 1""",
)
ANSWER_OF_PERSON = Sql(
    "answer_of_person",
    _ANSWER
    + """ where org_id = %(org)s and task_id = %(task)s and person_id = %(person)s and origin = 'label'
          order by created_at desc limit 1""",
)
ANSWERS_STATE = Sql(
    "answers_state_set",
    """update evenhand.answer set state = %(state)s::text
        where org_id = %(org)s and task_id = %(task)s and state = any(%(from_states)s::text[])
          and (%(assignment)s::text is null or assignment_id = %(assignment)s)""",
)
ANSWER_STATE = Sql(
    "answer_state_set",
    "update evenhand.answer set state = %(state)s::text where org_id = %(org)s and answer_id = %(answer)s",
)
ASSIGNMENTS_WITHDRAW = Sql(
    "assignments_withdraw",
    """update evenhand.assignment set state = 'withdrawn', closed_at = clock_timestamp()
        where org_id = %(org)s and task_id = %(task)s and state = 'leased'""",
)
SUBMITTED_FORGET = Sql(
    "assignments_submitted_forget",
    """update evenhand.assignment set state = 'withdrawn'
        where org_id = %(org)s and task_id = %(task)s and state in ('submitted', 'expired', 'released')
          and role in ('label', 'review')""",
)
QUEUE_UNANSWER = Sql(
    "queue_unanswer",
    """update evenhand.queue set answered = answered - 1, state = case when state in ('review') then 'full' else state end
        where org_id = %(org)s and task_id = %(task)s and answered > 0 and state in ('open', 'full', 'review')""",
)
QUEUE_BACK = Sql(
    "queue_back",
    """insert into evenhand.queue (org_id, task_id, project_id, batch_id, state, rank, overlap, taken, answered)
       select t.org_id, t.task_id, t.project_id, t.batch_id, 'full', -t.priority, 1, 1, 0
         from evenhand.task t where t.org_id = %(org)s and t.task_id = %(task)s""",
)
REVIEWED = Sql(
    "task_reviewed",
    "select exists (select from evenhand.review where org_id = %(org)s and task_id = %(task)s)",
)
QUEUE_REVIEW = Sql(
    "queue_to_review",
    """update evenhand.queue set state = 'review'
        where org_id = %(org)s and task_id = %(task)s and answered = overlap and state in ('full', 'open')""",
)
REQUEUE_MATCH = Sql(
    "requeue_match",
    """select distinct a.task_id from evenhand.answer a
        where a.org_id = %(org)s and a.project_id = %(project)s and a.state in ('current', 'extra')
          and a.origin in ('label', 'review')
          and (%(person)s::text is null or a.person_id = %(person)s)
          and (%(since)s::timestamptz is null or a.created_at >= %(since)s)
          and (%(until)s::timestamptz is null or a.created_at <= %(until)s)
          and (%(class)s::bigint is null or a.classes @> array[%(class)s::bigint])
        order by a.task_id limit 100000""",
)

# --- tasks with a known answer

GOLD_SUBMITTED = Sql(
    "gold_submitted",
    """update evenhand.assignment
          set state = 'submitted', closed_at = clock_timestamp(), closed_xid = pg_current_xact_id(), key_mac = %(key)s,
              late = %(late)s, extra = false,
              paid_s = least(greatest(%(seconds)s::real, 0), extract(epoch from clock_timestamp() - leased_at))::real
        where org_id = %(org)s and assignment_id = %(assignment)s returning paid_s""",
)
GOLD_AGAIN_WITHDRAW = Sql(
    "gold_again_withdraw",
    """update evenhand.assignment set state = 'withdrawn', closed_at = clock_timestamp()
        where org_id = %(org)s and task_id = %(task)s and person_id = %(person)s and state = 'leased'""",
)
GOLD_SCORE = Sql(
    "gold_score_put",
    """insert into evenhand.gold_score (org_id, task_id, person_id, cycle, project_id, assignment_id, score)
       values (%(org)s, %(task)s, %(person)s, %(cycle)s, %(project)s, %(assignment)s, %(score)s)
       on conflict (org_id, task_id, person_id, cycle) do update
          set score = excluded.score, assignment_id = excluded.assignment_id, created_at = now()""",
)
COURSE_HOLD = Sql(
    "course_hold",
    """insert into evenhand.course (org_id, project_id, person_id) values (%(org)s, %(project)s, %(person)s)
       on conflict (org_id, project_id, person_id) do update set updated_at = now()
       returning cycle, tries, state""",
)
COURSE_TASKS = Sql(
    "course_tasks",
    """select g.task_id, s.score from evenhand.gold_task g
         left join evenhand.gold_score s on s.org_id = g.org_id and s.task_id = g.task_id and s.person_id = %(person)s
                                        and s.cycle = %(cycle)s
        where g.org_id = %(org)s and g.project_id = %(project)s and g.purpose = 'training' and g.state = 'open'
        order by g.task_id""",
)
COURSE_SET = Sql(
    "course_set",
    """update evenhand.course set state = %(state)s, cycle = %(cycle)s, score = %(score)s, updated_at = now()
        where org_id = %(org)s and project_id = %(project)s and person_id = %(person)s""",
)
COURSES_OPEN = Sql(
    "courses_open",
    """select person_id from evenhand.course
        where org_id = %(org)s and project_id = %(project)s and state = 'open' order by person_id""",
)
