"""SQL of tasks, the queue and leases."""

from evenhand.infra.sql import Sql

TASK_ADD = Sql(
    "task_add",
    """insert into evenhand.task (org_id, task_id, project_id, batch_id, kind, purpose, state, priority, review, unique_mac,
                                  tokens, callback, completed_at, body)
       values (%(org)s, %(task)s, %(project)s, %(batch)s, %(kind)s, %(purpose)s::text, %(state)s::text,
               %(priority)s, %(review)s::text, %(unique_mac)s, %(tokens)s, %(callback)s, %(completed_at)s, %(body)s)""",
)
QUEUE_ADD = Sql(
    "queue_add",
    """insert into evenhand.queue (org_id, task_id, project_id, batch_id, state, rank, overlap, pilot)
       values (%(org)s, %(task)s, %(project)s, %(batch)s, %(state)s::text, %(rank)s, %(overlap)s, %(pilot)s)""",
)
UNIQUE_HOLDER = Sql(
    "task_unique_holder",
    "select task_id from evenhand.task where org_id = %(org)s and unique_mac = %(unique_mac)s",
)
PILOT_COUNT = Sql(
    "queue_pilot_count",
    """select count(*) from (select 1 from evenhand.queue where org_id = %(org)s and project_id = %(project)s and pilot
        limit %(most)s) as pilot""",
)
_TASK = """select t.task_id, t.project_id, t.batch_id, t.kind, t.purpose, t.state, t.priority, t.review, t.result_id,
                  t.delivery_id, t.labels, t.callback, t.created_at, t.updated_at, t.completed_at, t.body,
                  q.state as queue_state, q.overlap, q.taken, q.answered, q.pilot
             from evenhand.task t
             left join evenhand.queue q on q.org_id = t.org_id and q.task_id = t.task_id"""
TASK_GET = Sql("task_get", _TASK + " where t.org_id = %(org)s and t.task_id = %(task)s")
# Whatever changes a task with its places goes through here first, so that all wait in one order: batch, task, the rest.
HOLD_TASK = Sql("hold_task", "select evenhand.hold_task(%(org)s, %(task)s)")
QUEUE_LOCK = Sql(
    "queue_lock",
    """select state, overlap, taken, answered, rank from evenhand.queue
        where org_id = %(org)s and task_id = %(task)s for update""",
)
# The filters of both doors. A state of the queue is looked up there (`waiting`); a finished one stands in the task
# (`states`). Look-ups are subselects that stand alone, so that they run once and not for every task.
_FILTER = """ where t.org_id = %(org)s and t.purpose = 'work'
  and (%(project)s::text is null or t.project_id = %(project)s)
  and (%(batch)s::text is null or t.batch_id = %(batch)s)
  and (%(states)s::text[] is null or t.state = any(%(states)s)
       or (%(waiting)s::text[] is not null and t.state = 'todo' and t.task_id in (select w.task_id from evenhand.queue w
            where w.org_id = %(org)s and w.state = any(%(waiting)s))))
  and (%(kind)s::text is null or t.kind = %(kind)s)
  and (%(unique_macs)s::bytea[] is null or t.unique_mac = any(%(unique_macs)s))
  and (%(tokens)s::bigint[] is null or t.tokens @> %(tokens)s)
  and (%(reviews)s::text[] is null or t.review = any(%(reviews)s))
  and (%(id)s::text is null or t.task_id = %(id)s)
  and (%(since)s::timestamptz is null or t.created_at >= %(since)s)
  and (%(until)s::timestamptz is null or t.created_at <= %(until)s)
  and (%(done_since)s::timestamptz is null or t.completed_at >= %(done_since)s)
  and (%(done_until)s::timestamptz is null or t.completed_at <= %(done_until)s)
  and (%(changed_since)s::timestamptz is null or t.updated_at >= %(changed_since)s)
  and (%(changed_until)s::timestamptz is null or t.updated_at <= %(changed_until)s)
  and (%(person)s::text is null or t.task_id in (select a.task_id from evenhand.answer a
        where a.org_id = %(org)s and a.task_id is not null and a.person_id = %(person)s))
  and (%(class)s::bigint is null or t.task_id in (select a.task_id from evenhand.answer a
        where a.org_id = %(org)s and a.classes @> array[%(class)s::bigint]))"""
TASK_LIST = Sql(
    "task_list",
    _TASK
    + _FILTER
    + """ and (%(before)s::text is null or t.task_id < %(before)s) order by t.task_id desc
          offset %(offset)s limit %(limit)s""",
)
TASK_LIST_OLDEST = Sql(
    "task_list_oldest",
    _TASK + _FILTER + " and (%(after)s::text is null or t.task_id > %(after)s) order by t.task_id limit %(limit)s",
)
# A place in the list. Nothing but the id is read, so an index alone can answer where the filter allows it.
_AT = "select t.task_id from evenhand.task t" + _FILTER
TASK_AT = Sql("task_at", _AT + " order by t.task_id desc offset %(skip)s limit 1")
TASK_AT_OLDEST = Sql("task_at_oldest", _AT + " order by t.task_id offset %(skip)s limit 1")
TASKS_DELIVERED = Sql(
    "tasks_delivered",
    _TASK
    + """ where t.org_id = %(org)s and t.delivery_id is not null
            and (%(delivery)s::text is null or t.delivery_id = %(delivery)s)
            and (%(project)s::text is null or t.project_id = %(project)s)
            and (%(states)s::text[] is null or t.state = any(%(states)s))
            and (%(done_since)s::timestamptz is null or t.completed_at >= %(done_since)s)
            and (%(done_until)s::timestamptz is null or t.completed_at <= %(done_until)s)
            and (%(before)s::text is null or t.task_id < %(before)s)
          order by t.task_id desc limit %(limit)s""",
)
TASK_COUNT = Sql(
    "task_count",
    "select count(*) from evenhand.task t" + _FILTER,
)
ANSWERED_BY = Sql(
    "task_answered_by",
    """select a.task_id, count(distinct a.person_id) as people, bool_or(a.late) as late,
              bool_or(a.state = 'extra') as extra, bool_or(a.state = 'rejected') as rejected
         from evenhand.answer a where a.org_id = %(org)s and a.task_id = any(%(tasks)s::text[]) group by a.task_id""",
)
TASK_BODY = Sql(
    "task_body_set",
    """update evenhand.task
          set body = %(body)s, updated_at = now(),
              unique_mac = case when %(touch_unique)s::boolean then %(unique_mac)s else unique_mac end,
              tokens = case when %(touch_tokens)s::boolean then %(tokens)s else tokens end
        where org_id = %(org)s and task_id = %(task)s""",
)
# A task that is done no longer is remembered, for whoever counts what was done.
TASK_STATE = Sql(
    "task_state_set",
    """with undone as (
           insert into evenhand.undone (org_id, project_id, task_id, done_at)
           select org_id, project_id, task_id, completed_at from evenhand.task
            where org_id = %(org)s and task_id = %(task)s and state = 'done' and %(state)s::text <> 'done')
       update evenhand.task
          set state = %(state)s::text, updated_at = now(), review = coalesce(%(review)s, review),
              result_id = case when %(state)s = 'todo' then null else coalesce(%(result)s, result_id) end,
              labels = coalesce(%(labels)s, labels),
              completed_at = case when %(state)s = 'done' then coalesce(completed_at, now())
                                  when %(state)s = 'todo' then null else completed_at end
        where org_id = %(org)s and task_id = %(task)s""",
)
TASK_REVIEW = Sql(
    "task_review_set",
    """update evenhand.task set review = %(review)s::text, updated_at = now()
        where org_id = %(org)s and task_id = %(task)s""",
)
LEASE_SEEN = Sql(
    "lease_seen",
    """select task_id, project_id, person_id from evenhand.assignment
        where org_id = %(org)s and assignment_id = %(assignment)s and state = 'leased'""",
)
QUEUE_DROP = Sql("queue_drop", "delete from evenhand.queue where org_id = %(org)s and task_id = %(task)s")
QUEUE_STATE = Sql(
    "queue_state_set",
    "update evenhand.queue set state = %(state)s::text where org_id = %(org)s and task_id = %(task)s",
)
QUEUE_AGAIN = Sql(
    "queue_again",
    """insert into evenhand.queue (org_id, task_id, project_id, batch_id, state, rank, overlap)
       values (%(org)s, %(task)s, %(project)s, %(batch)s, %(state)s::text, %(rank)s, %(overlap)s)
       on conflict (org_id, task_id) do update
          set state = excluded.state, taken = 0, answered = 0, overlap = excluded.overlap, rank = excluded.rank""",
)
READY = Sql(
    "queue_ready",
    """update evenhand.queue q
          set state = case when (q.pilot or p.stage = 'live')
                            and coalesce((select b.state from evenhand.batch b
                                           where b.org_id = q.org_id and b.batch_id = q.batch_id), 'in_progress')
                                in ('in_progress', 'completed') then 'open' else 'held' end
         from evenhand.project p
        where q.org_id = %(org)s and q.task_id = %(task)s and q.state = 'fetching'
          and p.org_id = q.org_id and p.project_id = q.project_id returning q.state""",
)
GOLD_ADD = Sql(
    "gold_task_add",
    """insert into evenhand.gold_task (org_id, task_id, project_id, purpose, role, state)
       values (%(org)s, %(task)s, %(project)s, %(purpose)s, %(role)s, %(state)s)""",
)
GOLD_STATE = Sql(
    "gold_task_state",
    "update evenhand.gold_task set state = %(state)s where org_id = %(org)s and task_id = %(task)s and state <> 'closed'",
)
PILOT_FILL = Sql(
    "queue_pilot_fill",
    """update evenhand.queue q set pilot = true, state = case when q.state = 'held' then 'open' else q.state end
        where q.org_id = %(org)s and q.task_id = any (array(
              select x.task_id from evenhand.queue x
               where x.org_id = %(org)s and x.project_id = %(project)s and x.state in ('held', 'fetching') and not x.pilot
               order by x.rank, x.task_id
               limit %(most)s - (select count(*) from evenhand.queue y
                                  where y.org_id = %(org)s and y.project_id = %(project)s and y.pilot)))
          and exists (select from evenhand.project p where p.org_id = q.org_id and p.project_id = q.project_id
                         and p.stage = 'pilot')""",
)
CANCEL_UNSTARTED = Sql(
    "queue_cancel_unstarted",
    """with held as materialized (
            select t.task_id from evenhand.task t
             where t.org_id = %(org)s and t.batch_id = %(batch)s and t.state = 'todo'
             order by t.task_id for no key update of t),
       gone as (delete from evenhand.queue q using held
                      where q.org_id = %(org)s and q.task_id = held.task_id and q.taken = 0
                        and q.state in ('open', 'held', 'fetching') returning q.task_id)
       update evenhand.task t set state = 'canceled', updated_at = now()
         from gone where t.org_id = %(org)s and t.task_id = gone.task_id""",
)
BATCH_TASKS = Sql(
    "batch_has_tasks",
    "select exists (select from evenhand.task where org_id = %(org)s and batch_id = %(batch)s)",
)

# --- leases

WAITING = Sql("waiting", "select * from evenhand.waiting(%(hash)s, %(role)s)", role="gate")
HEADS = Sql("queue_heads", "select * from evenhand.queue_heads(%(person)s, %(role)s)", role="scheduler")
LEASE = Sql(
    "lease",
    """select * from evenhand.lease(%(ctx)s, %(hash)s, %(person)s, %(project)s, %(role)s, %(assignment)s, %(fact)s, %(salt)s,
                                    %(event)s, %(fact_body)s, %(empty)s, %(most)s, %(draw)s)""",
)
EXPIRE = Sql("expire", "select evenhand.expire(%(ctx)s, %(limit)s)")
EXPIRED_ORGS = Sql(
    "expired_orgs",
    "select distinct org_id from evenhand.assignment where state = 'leased' and lease_until < clock_timestamp()",
    role="scheduler",
)
RUNNING_BATCHES = Sql(
    "running_batch_orgs",
    """select distinct b.org_id from evenhand.batch b where b.state = 'in_progress'
          and not exists (select from evenhand.queue q where q.org_id = b.org_id and q.batch_id = b.batch_id)""",
    role="scheduler",
)
_ASSIGNMENT = """select a.assignment_id, a.task_id, a.project_id, a.person_id, a.role, a.state, a.leased_at,
                        a.lease_until, a.lease_s, a.version, a.shown_task, a.closed_at, a.late, a.extra, a.paid_s,
                        a.body, a.key_mac,
                        clock_timestamp() as server_now
                   from evenhand.assignment a"""
# Who leaves the organisation loses sight of its work at once, whatever leases are still open.
_MEMBER = """ and exists (select from evenhand.member m
                where m.org_id = a.org_id and m.person_id = a.person_id and m.state = 'active')"""
_MINE = " where a.org_id = %(org)s and a.assignment_id = %(assignment)s and a.person_id = %(person)s" + _MEMBER
ASSIGNMENT_GET = Sql("assignment_get", _ASSIGNMENT + _MINE)
ASSIGNMENT_LOCK = Sql("assignment_lock", _ASSIGNMENT + _MINE + " for update of a")
ASSIGNMENTS_OF_TASK = Sql(
    "assignments_of_task",
    _ASSIGNMENT + " where a.org_id = %(org)s and a.task_id = %(task)s order by a.assignment_id",
)
ASSIGNMENT_ADD = Sql(
    "assignment_add",
    """insert into evenhand.assignment (org_id, assignment_id, task_id, project_id, person_id, role, state, leased_at,
                                        lease_until, lease_s, version, body)
       values (%(org)s, %(assignment)s, %(task)s, %(project)s, %(person)s, %(role)s::text, 'leased', clock_timestamp(),
               clock_timestamp() + make_interval(secs => %(lease_s)s), %(lease_s)s, %(version)s, %(body)s)""",
)
BEAT = Sql(
    "lease_beat",
    """update evenhand.assignment a set lease_until = clock_timestamp() + make_interval(secs => a.lease_s)
        where a.org_id = %(org)s and a.assignment_id = any(%(assignments)s::text[]) and a.person_id = %(person)s
          and a.state = 'leased' and a.lease_until > clock_timestamp()"""
    + _MEMBER
    + " returning a.assignment_id, a.lease_until",
)
CLOSE = Sql(
    "assignment_close",
    """update evenhand.assignment a set state = %(state)s::text, closed_at = clock_timestamp(), closed_xid = pg_current_xact_id(),
              body = coalesce(%(body)s, a.body)
        where a.org_id = %(org)s and a.assignment_id = %(assignment)s and a.state = 'leased'""",
)
REOPEN = Sql(
    "assignment_reopen",
    """update evenhand.assignment a
          set state = 'leased', closed_at = null, closed_xid = null, late = false, extra = false,
              leased_at = clock_timestamp() - make_interval(secs => a.paid_s),
              lease_until = clock_timestamp() + make_interval(secs => a.lease_s)
        where a.org_id = %(org)s and a.assignment_id = %(assignment)s""",
)
FREE_PLACE = Sql("free_place", "select evenhand.free_place(%(org)s, %(task)s, %(role)s)")
LEASED_BY = Sql(
    "leased_by",
    """select assignment_id, task_id, project_id, role from evenhand.assignment
        where org_id = %(org)s and person_id = %(person)s and state = 'leased' order by task_id""",
)
PROJECT_OPEN_LEFT = Sql(
    "project_work_left",
    """select exists (select from evenhand.queue where org_id = %(org)s and project_id = %(project)s and state = 'open')
              as open,
              exists (select from evenhand.queue where org_id = %(org)s and project_id = %(project)s
                         and state in ('full', 'fetching', 'reviewing', 'review')) as busy,
              exists (select from evenhand.queue where org_id = %(org)s and project_id = %(project)s and state = 'held')
              as held,
              case when exists (select from evenhand.gold_task g
                                 where g.org_id = %(org)s and g.project_id = %(project)s and g.purpose = 'training'
                                   and g.state = 'open')
                   then (select c.state from evenhand.course c
                          where c.org_id = %(org)s and c.project_id = %(project)s and c.person_id = %(person)s) end
              as course,
              min(a.lease_until) as next_free
         from evenhand.assignment a
        where a.org_id = %(org)s and a.project_id = %(project)s and a.state = 'leased'""",
)
TODAY = Sql(
    "work_today",
    """select count(*) as tasks, coalesce(sum(paid_s), 0)::float8 as paid_s from evenhand.assignment
        where org_id = %(org)s and person_id = %(person)s and state = 'submitted' and closed_at >= date_trunc('day', now())
          and role <> 'pilot'""",
)
DRAFT_PUT = Sql(
    "draft_put",
    """insert into evenhand.draft (org_id, assignment_id, version, body)
       values (%(org)s, %(assignment)s, %(version)s, %(body)s)
       on conflict (org_id, assignment_id) do update
          set version = excluded.version, body = excluded.body, updated_at = now()
        where evenhand.draft.version < excluded.version returning version""",
)
DRAFT_GET = Sql(
    "draft_get",
    "select version, body from evenhand.draft where org_id = %(org)s and assignment_id = %(assignment)s",
)
DRAFT_DROP = Sql("draft_drop", "delete from evenhand.draft where org_id = %(org)s and assignment_id = %(assignment)s")

# --- import

CHUNK_GET = Sql(
    "import_chunk_get",
    """select body from evenhand.import_chunk where org_id = %(org)s and project_id = %(project)s
          and key_mac = %(key)s and first_line = %(first)s""",
    role="loader",
)
CHUNK_ADD = Sql(
    "import_chunk_add",
    """insert into evenhand.import_chunk (org_id, project_id, key_mac, first_line, body)
       values (%(org)s, %(project)s, %(key)s, %(first)s, %(body)s)""",
    role="loader",
)
BATCH_FOR_IMPORT = Sql(
    "import_batch",
    "select project_id, state, priority from evenhand.batch where org_id = %(org)s and batch_id = %(batch)s",
)
