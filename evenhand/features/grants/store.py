"""SQL of grants, of figures for directors, and of what somebody who leaves has seen."""

from evenhand.infra.sql import Sql

GRANT_ADD = Sql(
    "grant_add",
    """insert into evenhand.access_grant (org_id, grant_id, kind, staff_id, second_id, project_id, until_at, body)
       values (%(org)s, %(grant)s, %(kind)s, %(staff)s, %(second)s, %(project)s,
               now() + make_interval(mins => %(minutes)s), %(body)s)
       returning until_at""",
)
GRANT_LIST = Sql(
    "grant_list",
    """select g.grant_id, g.kind, g.staff_id, g.second_id, g.project_id, g.from_at, g.until_at, g.ended_at, g.body,
              g.ended_at is null and g.until_at > now() as live,
              (select count(*) from evenhand.fact f where f.org_id = g.org_id and f.about_id = g.grant_id
                  and f.kind = 'SupportUsed') as uses
         from evenhand.access_grant g where g.org_id = %(org)s order by g.grant_id desc limit 100""",
)
GRANT_END = Sql(
    "grant_end",
    """update evenhand.access_grant set ended_at = now()
        where org_id = %(org)s and grant_id = %(grant)s and ended_at is null and until_at > now()
       returning staff_id""",
)
GRANTS_END = Sql(
    "grants_end_of",
    """update evenhand.access_grant set ended_at = now()
        where org_id = %(org)s and staff_id = %(staff)s and ended_at is null and until_at > now() returning grant_id""",
)
_LIVE = """select g.org_id, g.grant_id, g.kind, g.project_id, g.until_at from evenhand.access_grant g
            where g.staff_id = %(staff)s and g.ended_at is null and g.until_at > now()"""
#: the grant by which somebody of the operator's reads in a space, the widest and longest first
GRANT_LIVE = Sql(
    "grant_live",
    _LIVE + " and g.org_id = %(org)s order by g.project_id nulls first, g.until_at desc limit 1",
    role="gate",
)
GRANTS_MINE = Sql("grants_mine", _LIVE + " order by g.until_at", role="gate")
#: asked again in the transaction that reads: who ended it a moment ago has ended it
GRANT_STILL = Sql(
    "grant_still",
    """select 1 from evenhand.access_grant
        where org_id = %(org)s and grant_id = %(grant)s and ended_at is null and until_at > now() for share""",
)
ASK_ADD = Sql(
    "glass_ask_add",
    """insert into evenhand.glass_ask (org_id, ask_id, staff_id, project_id, minutes, body)
       values (%(org)s, %(ask)s, %(staff)s, %(project)s, %(minutes)s, %(body)s)""",
)
ASK_TAKE = Sql(
    "glass_ask_take",
    """update evenhand.glass_ask set done_at = now()
        where org_id = %(org)s and ask_id = %(ask)s and done_at is null and created_at > now() - interval '1 hour'
       returning staff_id, project_id, minutes, body""",
)
ASKS = Sql(
    "glass_asks",
    """select a.org_id, a.ask_id, a.staff_id, a.project_id, a.minutes, a.created_at from evenhand.glass_ask a
        where a.done_at is null and a.created_at > now() - interval '1 hour' order by a.ask_id""",
    role="gate",
)
PLACE_OF_TASK = Sql(
    "project_of_task", "select project_id from evenhand.task where org_id = %(org)s and task_id = %(id)s"
)
PLACE_OF_BATCH = Sql(
    "project_of_batch", "select project_id from evenhand.batch where org_id = %(org)s and batch_id = %(id)s"
)

# --- directors

DIRECTOR_SET = Sql(
    "director_set", "update evenhand.person set director = %(director)s where person_id = %(person)s", role="gate"
)
IS_DIRECTOR = Sql("is_director", "select director from evenhand.person where person_id = %(person)s", role="gate")
FIGURES = Sql(
    "director_figures",
    """select date_trunc('week', a.closed_at) as week, count(*) as tasks, sum(a.paid_s)::float8 / 3600 as hours,
              count(distinct a.org_id) as customers
         from evenhand.assignment a join evenhand.org o on o.org_id = a.org_id and o.mode = 'live'
        where a.state = 'submitted' and a.role <> 'pilot' and a.closed_at >= date_trunc('week', now()) - interval '26 weeks'
          and a.closed_at < date_trunc('week', now())
        group by 1 order by 1""",
    role="reporter",
)

# --- leaving

PERSON_LEAVES = Sql(
    "person_leaves",
    "update evenhand.person set operator = false, director = false, state = 'left' where person_id = %(person)s",
    role="gate",
)
LINKS_END = Sql(
    "links_end_of",
    "update evenhand.link set used_at = now() where person_id = %(person)s and used_at is null",
    role="gate",
)
KEYS_OF = Sql(
    "keys_made_by",
    """select k.key_id from evenhand.api_key k
        where k.org_id = %(org)s and k.revoked_at is null
          and exists (select from evenhand.fact f where f.org_id = %(org)s and f.kind = 'KeyCreated'
                         and f.about_id = k.key_id and f.actor_id = %(person)s)""",
)
SAW = Sql(
    "person_saw",
    """select fact_id, kind, about_id, at, body from evenhand.fact
        where org_id = %(org)s
          and (actor_id = %(person)s and actor_kind::text = 'person'
               or kind = 'MediaClosed' and about_id in (   -- the system says how much was read
                  select i.about_id from evenhand.fact i
                   where i.org_id = %(org)s and i.actor_id = %(person)s and i.kind = 'MediaIssued'))
        order by fact_id""",
)
LEAVERS = Sql(
    "leavers",
    """select fact_id, about_id, at, body from evenhand.fact
        where org_id = %(org)s and kind = 'PersonLeft' order by fact_id desc limit 200""",
)
#: every space with which somebody has to do: a role, whatever its state, a tie, or a grant
SPACES_OF = Sql(
    "spaces_of_person",
    """select distinct x.org_id from (
           select org_id from evenhand.member where person_id = %(person)s
           union all select org_id from evenhand.tie where person_id = %(person)s
           union all select org_id from evenhand.access_grant where staff_id = %(person)s) x order by 1""",
    role="gate",
)
