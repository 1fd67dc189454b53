"""SQL of the scheduler. It sees ids, numbers, states and times; never a body."""

from evenhand.infra.sql import Sql

_ROLE = "scheduler"
CLASS_OF = Sql(
    "sched_class_of",
    """select p.org_id, p.project_id, p.kind, p.medium from evenhand.project p
         join unnest(%(orgs)s::text[], %(projects)s::text[]) as w (org_id, project_id) using (org_id, project_id)""",
    role=_ROLE,
)
CLASS_ADD = Sql(
    "sched_class_add",
    """with made as (insert into evenhand.sched_class (class, unit, secret, seed)
                        values (%(class)s, %(unit)s, %(secret)s, %(seed)s) on conflict do nothing returning class)
       insert into evenhand.sched_step (class, number, tip, step) select class, 0, '', '[]' from made""",
    role=_ROLE,
)
CLASS_GET = Sql(
    "sched_class_get",
    """select c.unit, c.secret, c.at, c.decided, c.pools, c.batch, c.seed,
              coalesce((select s.tip from evenhand.sched_step s where s.class = c.class and s.number = c.at), '') as tip
         from evenhand.sched_class c where c.class = %(class)s""",
    role=_ROLE,
)
CLASSES = Sql("sched_classes", "select class from evenhand.sched_class order by class", role=_ROLE)
FLOWS = Sql(
    "sched_flows",
    """select org_id, flow, state, told from evenhand.sched_flow
        where class = %(class)s and flow >= %(from)s order by flow""",
    role=_ROLE,
)
# Enrolled, but for all that is known the customer's log has no event of it: the process that enrolled it may have died.
UNTOLD_FLOWS = Sql(
    "sched_untold_flows",
    "select class, org_id from evenhand.sched_flow where not told order by class, flow",
    role=_ROLE,
)
ENROLLED = Sql(
    "sched_enrolled",
    "select fact_id from evenhand.fact where org_id = %(org)s and kind = 'FlowEnrolled' and about_id = %(class)s limit 1",
)
ENROL_LOCK = Sql("sched_enrol_lock", "select pg_advisory_xact_lock(%(lock)s)")
FLOW_TOLD = Sql(
    "sched_flow_told",
    "update evenhand.sched_flow set told = true where class = %(class)s and org_id = %(org)s",
    role=_ROLE,
)
POOLS = Sql("sched_pools", "select state from evenhand.sched_pool where class = %(class)s order by pool", role=_ROLE)
WEIGHTS = Sql(
    "sched_weights",
    """select n.org_id, evenhand.weight_of(n.org_id, now()) as weight from unnest(%(orgs)s::text[]) as n (org_id)""",
    role=_ROLE,
)
STEPS = Sql(
    "sched_steps",
    """select number, tip, step, assignment, at from evenhand.sched_step
        where class = %(class)s and number > %(after)s order by number limit %(most)s""",
    role=_ROLE,
)
ADD = Sql(
    "sched_add",
    """select number, tip, step, assignment, at from evenhand.sched_add(
           %(class)s, %(number)s, %(tip)s, %(new_tip)s, %(step)s, %(assignment)s, %(orgs)s, %(first)s, %(alone)s)""",
    role=_ROLE,
)

# --- of the worker

# What became of leases that were decided about. An answer that came late counts as work nobody decided about: its lease had
# ended, unused as far as anybody could see.
CLOSED = Sql(
    "sched_closed",
    """select w.number,
              case when a.state = 'leased' then null
                   when a.state = 'submitted' and not a.late then (a.paid_s * 1000)::bigint
                   when a.state = 'skipped'
                   then least(extract(epoch from a.closed_at - a.leased_at), a.lease_s)::float8::numeric * 1000
                   else 0 end::bigint as used_ms,
              a.assignment_id is not null as found
         from unnest(%(numbers)s::bigint[], %(orgs)s::text[], %(assignments)s::text[]) as w (number, org_id, assignment_id)
         left join evenhand.assignment a on a.org_id = w.org_id and a.assignment_id = w.assignment_id""",
    role=_ROLE,
)
HORIZON = Sql(
    "sched_horizon",
    """select xid::text as seen, pg_snapshot_xmin(pg_current_snapshot())::text as horizon from evenhand.sched_account
          for update""",
    role=_ROLE,
)
HORIZON_SET = Sql("sched_horizon_set", "update evenhand.sched_account set xid = %(xid)s::text::xid8", role=_ROLE)
# Work that ended in these transactions and that nobody decided about, by customer and class: not whose it was, nor on what.
SPENT = Sql(
    "sched_spent",
    """select a.org_id, a.role::text as role, p.kind, p.medium, count(*) as pieces,
              (sum(case when a.state = 'submitted' then a.paid_s::float8
                        else least(extract(epoch from a.closed_at - a.leased_at)::float8, a.lease_s) end) * 1000)::bigint as used_ms
         from evenhand.assignment a
         join evenhand.project p on p.org_id = a.org_id and p.project_id = a.project_id
        where a.closed_xid >= %(from)s::text::xid8 and a.closed_xid < %(to)s::text::xid8
          and a.state in ('submitted', 'skipped') and a.role in ('label', 'review')
          and (a.late or not exists (select from evenhand.sched_step s where s.assignment = a.assignment_id and s.assignment <> ''))
        group by 1, 2, 3, 4""",
    role=_ROLE,
)
SNAPSHOT = Sql(
    "sched_snapshot",
    """update evenhand.sched_class
          set at = %(at)s, decided = %(decided)s, pools = %(pools)s, batch = %(batch)s, seed = %(seed)s,
              unit = %(unit)s
        where class = %(class)s and at = %(was)s""",
    role=_ROLE,
)
FLOW_STATES = Sql(
    "sched_flow_states",
    """update evenhand.sched_flow f set state = n.state from unnest(%(flows)s::integer[], %(states)s::text[]) as n (flow, state)
        where f.class = %(class)s and f.flow = n.flow and f.state is distinct from n.state""",
    role=_ROLE,
)
POOLS_DROP = Sql(
    "sched_pools_drop",
    "delete from evenhand.sched_pool where class = %(class)s and not pool = any(%(pools)s::integer[])",
    role=_ROLE,
)
POOL_STATES = Sql(
    "sched_pool_states",
    """insert into evenhand.sched_pool (class, pool, state)
       select %(class)s, n.pool, n.state from unnest(%(pools)s::integer[], %(states)s::text[]) as n (pool, state)
       on conflict (class, pool) do update set state = excluded.state
        where evenhand.sched_pool.state is distinct from excluded.state""",
    role=_ROLE,
)
DECISIONS_ADD = Sql(
    "sched_decisions_add",
    """insert into evenhand.sched_decision (class, number, batch, at, assignment, commitment, key, trace)
       select %(class)s, n.* from unnest(%(numbers)s::bigint[], %(batches)s::integer[], %(ats)s::timestamptz[],
              %(assignments)s::text[], %(commitments)s::bytea[], %(keys)s::bytea[], %(traces)s::bytea[]) as n""",
    role=_ROLE,
)
BATCH_ADD = Sql(
    "sched_batch_add",
    """insert into evenhand.sched_batch (class, batch, root, leaves, limits)
       values (%(class)s, %(batch)s, %(root)s, %(leaves)s, %(limits)s)""",
    role=_ROLE,
)
COMMITMENTS = Sql(
    "sched_commitments",
    "select commitment from evenhand.sched_decision where class = %(class)s and batch = %(batch)s",
    role=_ROLE,
)
UNTOLD = Sql(
    "sched_untold", "select class, batch from evenhand.sched_batch where not told order by class, batch", role=_ROLE
)
BATCH_GET = Sql(
    "sched_batch_get",
    """select root, leaves, limits, closed from evenhand.sched_batch
        where class = %(class)s and batch = %(batch)s""",
    role=_ROLE,
)
#: what an organisation was told since a batch was closed: one that was cut short is told again, and nobody twice
TURNS_TOLD = Sql(
    "sched_turns_told",
    """select fact_id, body from evenhand.fact
        where org_id = %(org)s and kind = 'TurnsSealed' and about_id = %(class)s and at > %(since)s::timestamptz""",
)
TOLD = Sql(
    "sched_told",
    "update evenhand.sched_batch set told = true where class = %(class)s and batch = %(batch)s",
    role=_ROLE,
)
DECISIONS = Sql(
    "sched_decisions",
    """select number, batch, at, assignment, commitment, key, trace from evenhand.sched_decision
        where class = %(class)s and batch = %(batch)s order by number""",
    role=_ROLE,
)
BATCHES = Sql(
    "sched_batches",
    """select b.batch, b.root, b.leaves, b.limits from evenhand.sched_batch b
        where b.class = %(class)s order by b.batch desc limit %(most)s""",
    role=_ROLE,
)
ASSIGNED = Sql(
    "sched_assigned",
    """select number, assignment, at from evenhand.sched_decision
        where class = %(class)s and number = any(%(numbers)s::bigint[])""",
    role=_ROLE,
)
MY_FLOWS = Sql(
    "sched_my_flows", "select class, flow from evenhand.sched_flow where org_id = %(org)s order by class", role=_ROLE
)
STEPS_DROP = Sql(
    "sched_steps_drop",
    """delete from evenhand.sched_step s using evenhand.sched_class c
        where s.class = c.class and s.number < c.at and s.at < clock_timestamp() - interval '3 days'""",
    role=_ROLE,
)
