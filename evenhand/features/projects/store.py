"""SQL of projects, versions, batches and seats."""

from evenhand.infra.sql import Sql

_PROJECT = """select p.project_id, p.kind, p.medium, p.stage, p.state, p.overlap, p.review, p.review_rate, p.lease_s,
                     p.gold_share, p.pass_mark,
                     p.version, p.created_at, p.updated_at, p.body, v.body as version_body, v.created_at as version_at
                from evenhand.project p
                join evenhand.project_version v using (org_id, project_id, version)"""

PROJECT_ADD = Sql(
    "project_add",
    """insert into evenhand.project (org_id, project_id, name_mac, kind, medium, stage, overlap, review, review_rate,
                                     lease_s, everyone, body)
       values (%(org)s, %(project)s, %(name_mac)s, %(kind)s, %(medium)s, %(stage)s, %(overlap)s, %(review)s,
               %(review_rate)s, %(lease_s)s, %(everyone)s, %(body)s)
       on conflict (org_id, name_mac) where name_mac is not null do nothing returning project_id""",
)
VERSION_ADD = Sql(
    "project_version_add",
    """insert into evenhand.project_version (org_id, project_id, version, body)
       values (%(org)s, %(project)s, %(version)s, %(body)s)""",
)
PROJECT_GET = Sql("project_get", _PROJECT + " where p.org_id = %(org)s and p.project_id = %(project)s")
PROJECT_NAMED = Sql("project_named", _PROJECT + " where p.org_id = %(org)s and p.name_mac = %(name_mac)s")
PROJECT_LOCK = Sql(
    "project_lock",
    """select version, stage, state, name_mac, body from evenhand.project
        where org_id = %(org)s and project_id = %(project)s for no key update""",
)
PROJECT_LIST = Sql(
    "project_list",
    _PROJECT
    + """ where p.org_id = %(org)s and (%(archived)s::boolean or p.state <> 'archived')
            and (%(after)s::text is null or p.project_id < %(after)s)
            and (%(since)s::timestamptz is null or p.created_at >= %(since)s)
            and (%(until)s::timestamptz is null or p.created_at <= %(until)s)
          order by p.project_id desc limit %(limit)s""",
)
PROJECT_SET = Sql(
    "project_set",
    """update evenhand.project
          set state = coalesce(%(state)s, state), overlap = coalesce(%(overlap)s, overlap),
              review = coalesce(%(review)s, review), review_rate = coalesce(%(review_rate)s, review_rate),
              lease_s = coalesce(%(lease_s)s, lease_s), version = coalesce(%(version)s, version),
              stage = coalesce(%(stage)s, stage), name_mac = coalesce(%(name_mac)s, name_mac),
              body = coalesce(%(body)s, body), updated_at = now()
        where org_id = %(org)s and project_id = %(project)s""",
)
PROJECT_GOLD = Sql(
    "project_gold",
    """update evenhand.project
          set gold = true, gold_share = coalesce(%(share)s, gold_share), pass_mark = coalesce(%(pass_mark)s, pass_mark)
        where org_id = %(org)s and project_id = %(project)s""",
)
VERSION_LIST = Sql(
    "project_version_list",
    """select version, created_at, body from evenhand.project_version
        where org_id = %(org)s and project_id = %(project)s order by version desc limit 200""",
)
VERSIONS_OF = Sql(
    "project_versions_of",
    """select project_id, version, created_at, body from evenhand.project_version
        where org_id = %(org)s and project_id = any(%(projects)s::text[]) order by project_id, version""",
)
VERSION_GET = Sql(
    "project_version_get",
    """select created_at, body from evenhand.project_version
        where org_id = %(org)s and project_id = %(project)s and version = %(version)s""",
)

# Two counts added up: what is in the queue by its state there, what is finished by its own.
COUNTS = Sql(
    "project_counts",
    """select q.project_id, q.state, count(*) as n from evenhand.project p
         join evenhand.queue q on q.org_id = p.org_id and q.project_id = p.project_id
        where p.org_id = %(org)s and (%(project)s::text is null or p.project_id = %(project)s)
          and (%(batch)s::text is null or q.batch_id = %(batch)s) group by q.project_id, q.state
       union all
       select t.project_id, t.state, count(*) from evenhand.project p
         join evenhand.task t on t.org_id = p.org_id and t.project_id = p.project_id
        where p.org_id = %(org)s and (%(project)s::text is null or p.project_id = %(project)s)
          and (%(batch)s::text is null or t.batch_id = %(batch)s) and t.state <> 'todo' and t.purpose = 'work'
        group by t.project_id, t.state""",
)

BATCH_ADD = Sql(
    "batch_add",
    """insert into evenhand.batch (org_id, batch_id, project_id, name_mac, state, priority, body)
       values (%(org)s, %(batch)s, %(project)s, %(name_mac)s, %(state)s, %(priority)s, %(body)s)
       on conflict (org_id, name_mac) where name_mac is not null do nothing returning batch_id""",
)
_BATCH = """select b.batch_id, b.project_id, b.state, b.priority, b.created_at, b.completed_at, b.body
              from evenhand.batch b"""
BATCH_GET = Sql("batch_get", _BATCH + " where b.org_id = %(org)s and b.batch_id = %(batch)s")
BATCH_NAMED = Sql("batch_named", _BATCH + " where b.org_id = %(org)s and b.name_mac = %(name_mac)s")
BATCH_LOCK = Sql("batch_lock", _BATCH + " where b.org_id = %(org)s and b.batch_id = %(batch)s for no key update")
_BATCH_FILTER = """ where b.org_id = %(org)s and (%(project)s::text is null or b.project_id = %(project)s)
            and (%(state)s::text is null or b.state = %(state)s)
            and (%(since)s::timestamptz is null or b.created_at >= %(since)s)
            and (%(until)s::timestamptz is null or b.created_at <= %(until)s)
            and (%(done_from)s::timestamptz is null or b.completed_at >= %(done_from)s)
            and (%(done_to)s::timestamptz is null or b.completed_at <= %(done_to)s)
            and (%(archived)s::boolean or exists (select from evenhand.project p
                  where p.org_id = b.org_id and p.project_id = b.project_id and p.state <> 'archived'))
            and ((%(judged_from)s::timestamptz is null and %(judged_to)s::timestamptz is null)
                 or exists (select from evenhand.task t join evenhand.review r on r.org_id = t.org_id
                                                                              and r.task_id = t.task_id
                     where t.org_id = b.org_id and t.batch_id = b.batch_id and r.source = 'customer'
                       and (%(judged_from)s::timestamptz is null or r.created_at >= %(judged_from)s)
                       and (%(judged_to)s::timestamptz is null or r.created_at <= %(judged_to)s)))"""
BATCH_LIST = Sql(
    "batch_list",
    _BATCH
    + _BATCH_FILTER
    + """ and (%(after)s::text is null or b.batch_id < %(after)s)
          order by b.batch_id desc offset %(offset)s limit %(limit)s""",
)
BATCH_COUNT = Sql("batch_count", "select count(*) from evenhand.batch b" + _BATCH_FILTER)
BATCH_SET = Sql(
    "batch_set",
    """update evenhand.batch
          set state = coalesce(%(state)s, state), priority = coalesce(%(priority)s, priority),
              body = coalesce(%(body)s, body),
              completed_at = case when %(state)s = 'completed' then now()
                                  when %(state)s is null then completed_at end
        where org_id = %(org)s and batch_id = %(batch)s""",
)
# A batch is complete when it has tasks and none of them is in the queue any more. Not while it is still being filled:
# else each of the first tasks, done before the next one comes, would complete it and tell the customer.
BATCH_SETTLE = Sql(
    "batch_settle",
    """update evenhand.batch b set state = 'completed', completed_at = now()
        where b.org_id = %(org)s and b.state = 'in_progress' and (%(batch)s::text is null or b.batch_id = %(batch)s)
          and not exists (select from evenhand.queue q where q.org_id = b.org_id and q.batch_id = b.batch_id)
          and (select t.created_at from evenhand.task t where t.org_id = b.org_id and t.batch_id = b.batch_id
                order by t.task_id desc limit 1) <= now() - make_interval(secs => %(quiet_s)s)
        returning b.batch_id, b.project_id, b.completed_at, b.body""",
)
# A finished batch that gets work again, by a late task or by one that is done anew, runs again.
BATCH_REOPEN = Sql(
    "batch_reopen",
    """update evenhand.batch set state = 'in_progress', completed_at = null
        where org_id = %(org)s and batch_id = %(batch)s and state = 'completed' returning batch_id""",
)
# What opens and holds back a task, shared until the end of the transaction: whoever finalizes, pauses or resumes at this
# moment goes first, or sees what we add.
BATCH_SHARE = Sql(
    "batch_share", "select state from evenhand.batch where org_id = %(org)s and batch_id = %(batch)s for share"
)
PROJECT_SHARE = Sql(
    "project_share", "select stage from evenhand.project where org_id = %(org)s and project_id = %(project)s for share"
)
QUEUE_HOLD = Sql(
    "queue_hold",
    """update evenhand.queue set state = 'held'
        where org_id = %(org)s and batch_id = %(batch)s and state = 'open' and taken = 0""",
)
QUEUE_OPEN = Sql(
    "queue_open",
    """update evenhand.queue q set state = case when q.taken >= q.overlap then 'full' else 'open' end
        where q.org_id = %(org)s and q.state = 'held'
          and (%(batch)s::text is null or q.batch_id = %(batch)s)
          and (%(project)s::text is null or q.project_id = %(project)s)
          and (q.pilot or exists (select from evenhand.project p
                       where p.org_id = q.org_id and p.project_id = q.project_id and p.stage = 'live'))
          and (q.batch_id is null or exists (select from evenhand.batch b
                where b.org_id = q.org_id and b.batch_id = q.batch_id and b.state in ('in_progress', 'completed')))""",
)
QUEUE_RANK = Sql(
    "queue_rank",
    "update evenhand.queue set rank = %(rank)s where org_id = %(org)s and batch_id = %(batch)s",
)
# After everything else that a transaction does with tasks: seats are locked last.
CURSORS_RESET = Sql("seat_cursors_reset", "select evenhand.reset_cursors(%(org)s, %(projects)s::text[])")

#: Seats are given by one function of the database, to whomever no wall keeps off. Without a person: everybody who has none.
#: Without a project: in each that is open to all; nothing else makes that true when a process dies between a membership and the
#: news of it, or when a project and a member come at the same moment.
GIVE_SEATS = Sql(
    "give_seats",
    """select project_id, person_id
         from evenhand.give_seats(current_setting('evenhand.ctx'), %(project)s::text, %(person)s::text, %(role)s::text)""",
)
SEAT_ORGS = Sql("seat_orgs", "select distinct org_id from evenhand.project where state <> 'archived'", role="scheduler")
SEAT_LEAVE = Sql(
    "seat_leave",
    "delete from evenhand.seat where org_id = %(org)s and person_id = %(person)s returning project_id, person_id",
)
SEAT_LIST = Sql(
    "seat_list",
    """select person_id, role, project_id from evenhand.seat
        where org_id = %(org)s and (%(project)s::text is null or project_id = %(project)s)
        order by project_id, person_id, role""",
)
SEAT_DROP = Sql(
    "seat_drop",
    """delete from evenhand.seat
        where org_id = %(org)s and project_id = %(project)s and person_id = %(person)s
          and (%(role)s::text is null or role = %(role)s)""",
)
EVERYONE_OFF = Sql(
    "project_everyone_off",
    "update evenhand.project set everyone = false where org_id = %(org)s and project_id = %(project)s",
)
