-- The neutral scheduler (docs/decisions/0016-scheduler.md and 0021-turns.md). All of it belongs to the scheduler's role. What decides
-- sees whole numbers: a flow is a customer's work in one class of skill, under an index in the order of enrolment.
-- A class is a journal of steps that every process replays, and the state at one of them in rows.
create table evenhand.sched_class (
    class   text collate "C" primary key,
    secret  bytea not null check (length(secret) = 32),   -- the seeds of all batches follow from it
    -- the state in the rows of sched_flow and sched_pool:
    at      bigint not null default 0,               -- as of this step
    unit    bigint not null check (unit > 0),        -- of tags
    decided bigint not null default 0,
    pools   integer not null default 0,
    batch   integer not null default 1,
    seed    bytea not null check (length(seed) = 32)
);
create table evenhand.sched_flow (
    org_id text collate "C" not null references evenhand.org,
    class  text collate "C" not null,
    flow   integer not null,
    state  text,                                     -- null: it came after that step
    primary key (org_id, class)
);
create unique index sched_flow_index on evenhand.sched_flow (class, flow);
create table evenhand.sched_pool (
    class text collate "C" not null,
    pool  integer not null,
    state text not null,
    primary key (class, pool)
);
create table evenhand.sched_step (
    class      text collate "C" not null,
    number     bigint not null,                      -- 0: where the class begins
    tip        text collate "C" not null,            -- a random name: after a crash numbers may come a second time
    at         timestamptz not null default clock_timestamp(),
    step       text not null,
    assignment text collate "C" not null default '', -- which the decision in it is for
    primary key (class, number)
);
create index sched_step_assignment on evenhand.sched_step (assignment) where assignment <> '';
-- What has been sealed. `key` opens the commitment of a decision, `trace` is what it saw.
create table evenhand.sched_decision (
    class      text collate "C" not null,
    number     bigint not null,
    batch      integer not null,
    at         timestamptz not null,
    assignment text collate "C" not null,
    commitment bytea not null check (length(commitment) = 32),
    key        bytea not null check (length(key) = 32),
    trace      bytea not null,
    primary key (class, number)
);
create index sched_decision_batch on evenhand.sched_decision (class, batch);
create table evenhand.sched_batch (
    class  text collate "C" not null,
    batch  integer not null,
    root   bytea not null check (length(root) = 32),
    leaves bytea not null,                           -- commitments and what fills them up, sorted
    limits text not null,                            -- how far behind each flow can have been
    told   boolean not null default false,           -- to those who waited
    closed timestamptz not null default clock_timestamp(),
    primary key (class, batch)
);
-- How far work that nobody decided about has been charged.
create table evenhand.sched_account (
    one boolean primary key default true check (one),
    xid xid8 not null default '0'
);
insert into evenhand.sched_account default values;

do $$
declare name text;
begin
    foreach name in array array['sched_class', 'sched_flow', 'sched_pool', 'sched_step', 'sched_decision', 'sched_batch',
                                'sched_account'] loop
        execute format('alter table evenhand.%I enable row level security', name);
        execute format('alter table evenhand.%I force row level security', name);
        execute format('create policy scheduler on evenhand.%I to evenhand_scheduler using (true) with check (true)', name);
    end loop;
end
$$;
grant select, insert on evenhand.sched_class, evenhand.sched_flow, evenhand.sched_step, evenhand.sched_decision, evenhand.sched_batch
    to evenhand_scheduler;
grant select, insert, update, delete on evenhand.sched_pool to evenhand_scheduler;
grant update (at, decided, pools, batch, seed, unit) on evenhand.sched_class to evenhand_scheduler;
grant update (state) on evenhand.sched_flow to evenhand_scheduler;
grant update (told) on evenhand.sched_batch to evenhand_scheduler;
grant delete on evenhand.sched_step to evenhand_scheduler;
grant select, update (xid) on evenhand.sched_account to evenhand_scheduler;
-- What it has to know of the work: its class, and how long a lease was used.
grant select (kind, medium) on evenhand.project to evenhand_scheduler;
grant select (assignment_id, project_id, role, leased_at, closed_at, closed_xid, late, lease_s, paid_s) on evenhand.assignment
    to evenhand_scheduler;

-- scheduler: adds a step to a class, and gives the steps since the one that the caller knows, its own (without text) last.
-- The journal's key puts proposals in order: who comes second finds the number taken, and goes on behind it.
-- `p_alone`: only if nobody has made one since; else the step means the same whatever came in between. A number below zero: what the
-- caller knows never came to be, or was tidied away, and it has to begin anew.
-- Not waited for: the lease that follows commits after it, and takes it along.
create function evenhand.sched_add(
    p_class text, p_number bigint, p_tip text, p_new_tip text, p_step text, p_assignment text, p_orgs text[], p_first integer,
    p_alone boolean)
    returns table (number bigint, tip text, step text, assignment text, at timestamptz)
    language plpgsql volatile
as $$
declare
    v_known bigint := p_number;
    v_tip text := set_config('synchronous_commit', 'off', true);
begin
    loop
        -- what came since, after the step that the caller knows by its name
        for number, tip, step, assignment, at in
            select s.number, s.tip, s.step, s.assignment, s.at from evenhand.sched_step s
             where s.class = p_class and s.number >= v_known order by s.number loop
            if number > v_known then
                v_known := number;
                return next;
            elsif number = p_number then
                v_tip := tip;
            end if;
        end loop;
        if v_tip <> p_tip then
            number := -1;
            return next;
            return;
        end if;
        if p_alone and v_known > p_number then return; end if;
        insert into evenhand.sched_step as s (class, number, tip, step, assignment)
        values (p_class, v_known + 1, p_new_tip, p_step, p_assignment)
        on conflict do nothing
        returning s.number, s.tip, null::text, s.assignment, s.at into number, tip, step, assignment, at;
        exit when found;
    end loop;
    if p_orgs <> '{}' then
        insert into evenhand.sched_flow (org_id, class, flow)
        select o.org_id, p_class, p_first + o.n - 1 from unnest(p_orgs) with ordinality as o (org_id, n);
    end if;
    return next;
end
$$;
grant execute on function evenhand.sched_add(text, bigint, text, text, text, text, text[], integer, boolean) to evenhand_scheduler;
