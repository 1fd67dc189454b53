"""SQL of holds, retention and deletions. What deletes are functions of the database that look at the hold themselves."""

from evenhand.infra.sql import Sql

HOLD_PUT = Sql(
    "hold_put",
    """insert into evenhand.hold (org_id, project_id, body) values (%(org)s, %(project)s, %(body)s)
       on conflict (org_id, project_id) do nothing returning project_id""",
)
HOLD_DROP = Sql(
    "hold_drop",
    "delete from evenhand.hold where org_id = %(org)s and project_id = %(project)s returning project_id",
)
#: those that concern a project (and the organisation's own); all of them for the organisation
HOLDS = Sql(
    "hold_list",
    """select project_id, created_at, body from evenhand.hold
        where org_id = %(org)s and (%(project)s::text = '' or project_id in ('', %(project)s)) order by project_id""",
)
RETENTION_GET = Sql(
    "retention_get",
    "select done_days, ended_days from evenhand.retention where org_id = %(org)s and project_id = %(project)s",
)
RETENTION_PUT = Sql(
    "retention_put",
    """insert into evenhand.retention (org_id, project_id, done_days, ended_days)
       values (%(org)s, %(project)s, %(done)s, %(ended)s)
       on conflict (org_id, project_id) do update
          set done_days = excluded.done_days, ended_days = excluded.ended_days, updated_at = now()""",
)
RETENTION_DROP = Sql(
    "retention_drop", "delete from evenhand.retention where org_id = %(org)s and project_id = %(project)s"
)
RETENTION_RULES = Sql(
    "retention_rules",
    "select org_id, project_id from evenhand.retention order by org_id, project_id",
    role="scheduler",
)

_ERASURE = """select erasure_id, project_id, reason, state, batch, counts, files, bytes, keys, salt, leaves, edge, created_at,
                     ended_at, note
                from evenhand.erasure"""
ERASURE_ADD = Sql(
    "erasure_add",
    """insert into evenhand.erasure (org_id, erasure_id, project_id, reason, salt)
       values (%(org)s, %(erasure)s, %(project)s, %(reason)s, %(salt)s)
       on conflict (org_id, project_id) where state <> 'done' do nothing returning erasure_id""",
)
ERASURE_GET = Sql("erasure_get", _ERASURE + " where org_id = %(org)s and erasure_id = %(erasure)s")
ERASURE_LOCK = Sql("erasure_lock", _ERASURE + " where org_id = %(org)s and erasure_id = %(erasure)s for update")
ERASURE_LIST = Sql(
    "erasure_list",
    _ERASURE
    + """ where org_id = %(org)s and (%(project)s::text = '' or project_id = %(project)s)
          order by erasure_id desc limit 100""",
)
ERASURE_UNDER_WAY = Sql(
    "erasure_under_way",
    _ERASURE
    + """ where org_id = %(org)s and state <> 'done' and (%(project)s::text is null or project_id in ('', %(project)s))
          order by erasure_id for update""",
)
RECEIPT_SET = Sql(
    "erasure_receipt_set",
    """update evenhand.erasure set receipt = %(receipt)s
        where org_id = %(org)s and erasure_id = %(erasure)s and reason = 'organisation'""",
)
RECEIPT_GET = Sql(
    "erasure_receipt",
    "select receipt from evenhand.erasure where org_id = %(org)s and erasure_id = %(erasure)s",
)
LEFT = Sql(
    "erasure_left",
    """select keys from evenhand.erasure
        where org_id = %(org)s and reason = 'organisation' and state = 'done' order by erasure_id desc limit 1""",
)
ERASURE_STATE = Sql(
    "erasure_state",
    "update evenhand.erasure set state = %(state)s where org_id = %(org)s and erasure_id = %(erasure)s",
)
ERASURE_SET = Sql(
    "erasure_set",
    """update evenhand.erasure
          set batch = batch + 1, counts = %(counts)s::text::jsonb, files = %(files)s, bytes = %(bytes)s,
              keys = %(keys)s::text::jsonb, leaves = %(leaves)s, edge = %(edge)s
        where org_id = %(org)s and erasure_id = %(erasure)s""",
)
ERASURE_DONE = Sql(
    "erasure_done",
    """update evenhand.erasure set state = 'done', ended_at = %(at)s, note = %(note)s
        where org_id = %(org)s and erasure_id = %(erasure)s and state = 'running' returning erasure_id""",
)
#: what goes next: every task of a project ('' : of the organisation), or those that a rule says have served their time
DUE_TASKS = Sql(
    "erasure_due_tasks",
    """select t.task_id, t.project_id, t.body from evenhand.task t
        where t.org_id = %(org)s and (%(project)s::text = '' or t.project_id = %(project)s)
        order by t.task_id limit %(limit)s for update of t""",
)
OLD_TASKS = Sql(
    "retention_due_tasks",
    """select t.task_id, t.project_id, t.body
         from evenhand.task t join evenhand.retention r using (org_id, project_id)
              join evenhand.project p using (org_id, project_id)
        where t.org_id = %(org)s and t.project_id = %(project)s
          and (t.state <> 'todo' and t.purpose = 'work'
               and coalesce(t.completed_at, t.updated_at) < now() - make_interval(days => r.done_days)
               or p.state = 'archived' and p.updated_at < now() - make_interval(days => r.ended_days))
        order by t.task_id limit %(limit)s for update of t""",
)
TASK_BODIES = Sql(
    "erasure_other_tasks",
    """select task_id, project_id, body from evenhand.task
        where org_id = %(org)s and task_id > %(after)s order by task_id limit %(limit)s""",
)
ANSWER_IDS = Sql(
    "erasure_answers",
    """select task_id, answer_id from evenhand.answer
        where org_id = %(org)s and task_id = any(%(tasks)s::text[]) order by task_id, answer_id""",
)
KEYS_HELD = Sql(
    "erasure_keys",
    """select project_id, version from evenhand.data_key
        where org_id = %(org)s and (%(project)s::text = '' or project_id = %(project)s) order by project_id, version""",
)
ORG_KEYS_HELD = Sql(
    "erasure_org_keys", "select version, key_id from evenhand.org_key where org_id = %(org)s order by version"
)
FILES_ADD = Sql(
    "erasure_files_add",
    """insert into evenhand.erasure_file (org_id, erasure_id, asset_id)
       select a.org_id, %(erasure)s, a.asset_id from evenhand.asset a
        where a.org_id = %(org)s and a.asset_id = any(%(assets)s::text[]) on conflict do nothing""",
)
FILES_KEEP = Sql(
    "erasure_files_keep",
    """delete from evenhand.erasure_file
        where org_id = %(org)s and erasure_id = %(erasure)s and asset_id = any(%(assets)s::text[])""",
)
FILES_ANY = Sql(
    "erasure_files_any",
    "select exists (select from evenhand.erasure_file where org_id = %(org)s and erasure_id = %(erasure)s)",
)
FILES_ALL = Sql(
    "erasure_files_all",
    """insert into evenhand.erasure_file (org_id, erasure_id, asset_id)
       select a.org_id, %(erasure)s, a.asset_id from evenhand.asset a where a.org_id = %(org)s on conflict do nothing""",
)
FILES_NEXT = Sql(
    "erasure_files_next",
    """select a.asset_id, a.object, a.size, a.body
         from evenhand.erasure_file f join evenhand.asset a using (org_id, asset_id)
        where f.org_id = %(org)s and f.erasure_id = %(erasure)s order by f.asset_id limit %(limit)s""",
)
#: jobs that hold more than ids: the addresses of a task's attachments
FETCH_JOBS = Sql(
    "erasure_fetch_jobs",
    """select job_id, body from evenhand.job
        where org_id = %(org)s and kind = 'tasks.fetch' and body <> '' and job_id > %(after)s
        order by job_id limit %(limit)s""",
)
TASKS_THERE = Sql(
    "erasure_tasks_there",
    "select task_id from evenhand.task where org_id = %(org)s and task_id = any(%(tasks)s::text[])",
)
#: whoever works on one is fenced off
JOBS_EMPTY = Sql(
    "erasure_jobs_empty",
    """update evenhand.job
          set state = 'done', lease_until = null, ended_at = coalesce(ended_at, clock_timestamp()), fence = fence + 1,
              body = ''
        where org_id = %(org)s and job_id = any(%(jobs)s::text[])""",
)
#: which replies were about a project cannot be told without reading them; the requests themselves stay known
REPLIES_EMPTY = Sql(
    "erasure_replies_empty", "update evenhand.idempotency set body = '' where org_id = %(org)s and body <> ''"
)
ERASE_TASKS = Sql(
    "erase_tasks",
    "select evenhand.erase_tasks(%(ctx)s, %(erasure)s, %(tasks)s::text[])::text",
)
ERASE_FILES = Sql(
    "erase_files",
    "select evenhand.erase_files(%(ctx)s, %(erasure)s, %(assets)s::text[])::text",
)
ERASE_PROJECT = Sql("erase_project", "select evenhand.erase_project(%(ctx)s, %(erasure)s)::text")
ERASE_SPACE = Sql("erase_space", "select evenhand.erase_space(%(ctx)s, %(erasure)s)::text")
