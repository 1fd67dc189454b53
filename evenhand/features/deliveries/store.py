"""SQL of callbacks, settings, exports and deliveries."""

from evenhand.infra.sql import Sql

SETTING_GET = Sql("setting_get", "select body from evenhand.setting where org_id = %(org)s and name = %(name)s")
SETTING_PUT = Sql(
    "setting_put",
    """insert into evenhand.setting (org_id, name, body) values (%(org)s, %(name)s, %(body)s)
       on conflict (org_id, name) do nothing""",
)
CALLBACK_ADD = Sql(
    "callback_add",
    """insert into evenhand.callback (org_id, callback_id, task_id, batch_id, state, next_at, body)
       values (%(org)s, %(callback)s, %(task)s, %(batch)s, 'waiting', now(), %(body)s)""",
)
_CALLBACK = """select callback_id, task_id, batch_id, state, created_at, next_at, body from evenhand.callback"""
CALLBACK_LOCK = Sql("callback_lock", _CALLBACK + " where org_id = %(org)s and callback_id = %(callback)s for update")
CALLBACK_GET = Sql("callback_get", _CALLBACK + " where org_id = %(org)s and callback_id = %(callback)s")
CALLBACK_LIST = Sql(
    "callback_list",
    _CALLBACK
    + """ where org_id = %(org)s and (%(task)s::text is null or task_id = %(task)s)
            and (%(after)s::text is null or callback_id < %(after)s)
          order by callback_id desc limit %(limit)s""",
)
CALLBACK_SET = Sql(
    "callback_set",
    """update evenhand.callback set state = %(state)s, next_at = %(next_at)s
        where org_id = %(org)s and callback_id = %(callback)s""",
)
# Whoever asks holds the callback by CALLBACK_LOCK.
TRY_NEXT = Sql(
    "callback_try_next",
    """select coalesce(max(try_no), 0) + 1 from evenhand.callback_try
        where org_id = %(org)s and callback_id = %(callback)s""",
)
TRY_ADD = Sql(
    "callback_try_add",
    """insert into evenhand.callback_try (org_id, callback_id, try_no, status, body)
       values (%(org)s, %(callback)s, %(try)s, %(status)s::integer, %(body)s)""",
)
TRIES = Sql(
    "callback_tries_made",
    """select coalesce(max(try_no), 0) from evenhand.callback_try
        where org_id = %(org)s and callback_id = %(callback)s""",
)
TRIES_OF = Sql(
    "callback_tries",
    """select callback_id, try_no, status, created_at, body from evenhand.callback_try
        where org_id = %(org)s and callback_id = any(%(callbacks)s::text[]) order by callback_id, try_no""",
)
EXPORT = Sql(
    "export_chunk",
    """select t.task_id, t.project_id, t.batch_id, t.kind, t.state, t.created_at, t.completed_at, t.result_id, t.priority, t.body
         from evenhand.task t
        where t.org_id = %(org)s and t.project_id = %(project)s and t.purpose = 'work' and t.task_id > %(after)s
          and (%(state)s::text is null or t.state = %(state)s)
          and (%(batch)s::text is null or t.batch_id = %(batch)s)
          and (%(delivery)s::text is null or t.delivery_id = %(delivery)s)
        order by t.task_id limit %(limit)s""",
)
EXPORT_ANSWERS = Sql(
    "export_answers",
    """select answer_id, task_id, project_id, person_id, origin, state, late, seconds, created_at, body from evenhand.answer
        where org_id = %(org)s and task_id = any(%(tasks)s::text[]) order by task_id, created_at, answer_id""",
)
BATCH_NAMES = Sql(
    "export_batch_names",
    "select batch_id, project_id, body from evenhand.batch where org_id = %(org)s and project_id = %(project)s",
)
DELIVERY_ADD = Sql(
    "delivery_add",
    """insert into evenhand.delivery (org_id, delivery_id, project_id, task_count, body)
       values (%(org)s, %(delivery)s, %(project)s, 0, %(body)s)""",
)
DELIVERY_FILL = Sql(
    "delivery_fill",
    """with mine as (update evenhand.task set delivery_id = %(delivery)s
                      where org_id = %(org)s and project_id = %(project)s and state = 'done' and purpose = 'work'
                        and delivery_id is null returning 1)
       update evenhand.delivery set task_count = (select count(*) from mine)
        where org_id = %(org)s and delivery_id = %(delivery)s returning task_count""",
)
DELIVERY_LIST = Sql(
    "delivery_list",
    """select delivery_id, project_id, task_count, created_at, body from evenhand.delivery
        where org_id = %(org)s and (%(project)s::text is null or project_id = %(project)s)
          and (%(after)s::text is null or delivery_id < %(after)s)
        order by delivery_id desc limit %(limit)s""",
)
