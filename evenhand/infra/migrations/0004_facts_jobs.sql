-- The sequencer reads the digests of a batch one after another: one that is shorter or longer would push all others aside.
create domain evenhand.digest bytea check (length(value) = 32);
create domain evenhand.actor_kind text check (value in ('person', 'key', 'system'));
-- What happened, written in the transaction in which it happened. The sequencer numbers what lies below the snapshot's xmin;
-- xid is what it goes by.
create table evenhand.fact (
    org_id     text collate "C" not null,       -- no foreign key: the signed context vouches for it at every write
    fact_id    text collate "C" not null,
    kind       text not null,
    actor_kind evenhand.actor_kind not null,
    actor_id   text collate "C" not null,
    about_id   text collate "C" not null,
    xid        xid8 not null default pg_current_xact_id(),
    at         timestamptz not null,
    salt       bytea not null,                  -- 32 random bytes that open
    digest     evenhand.digest not null,                  -- the commitment to the event, all that the log takes in
    body       bytea not null,
    primary key (org_id, fact_id)
);
create index fact_xid on evenhand.fact (xid);
create index fact_about on evenhand.fact (org_id, about_id, fact_id) where about_id is not null;
create table evenhand.job (
    org_id      text collate "C" not null references evenhand.org,
    job_id      text collate "C" not null,
    kind        text not null,
    state       text not null default 'ready' check (state in ('ready', 'running', 'done', 'dead')),
    run_at      timestamptz not null default clock_timestamp(),
    lease_until timestamptz,
    fence       integer not null default 0,       -- grows with every claim: a slow worker's late write is refused
    attempts    integer not null default 0,
    most        integer not null default 8,
    created_at  timestamptz not null default clock_timestamp(),
    ended_at    timestamptz,
    body        bytea not null,
    primary key (org_id, job_id),
    check ((state = 'running') = (lease_until is not null)),
    check ((state in ('done', 'dead')) = (ended_at is not null))
);
create index job_due on evenhand.job (org_id, run_at) where state = 'ready';  -- the organisations take turns
create index job_lapsed on evenhand.job (lease_until) where state = 'running';
create index job_ended on evenhand.job (ended_at) where ended_at is not null;
create table evenhand.job_step (
    org_id     text collate "C" not null,
    job_id     text collate "C" not null,
    step       text not null,
    created_at timestamptz not null default clock_timestamp(),
    body       bytea not null,
    primary key (org_id, job_id, step),
    foreign key (org_id, job_id) references evenhand.job on delete cascade
);
create index idempotency_age on evenhand.idempotency (created_at);

do $$
declare name text;
begin
    foreach name in array array[
        'project', 'project_version', 'batch', 'seat', 'asset', 'task', 'queue', 'assignment', 'draft', 'answer', 'review',
        'question', 'notice', 'import_chunk', 'delivery', 'callback', 'callback_try', 'worker_group', 'setting',
        'idempotency', 'fact', 'job', 'job_step'
    ] loop
        execute format('alter table evenhand.%I enable row level security', name);
        execute format('alter table evenhand.%I force row level security', name);
        execute format('create policy wall on evenhand.%I to evenhand_app using (org_id = (select ctx.org()))
                        with check (org_id = (select ctx.org()))', name);
        execute format('grant select, insert, update on evenhand.%I to evenhand_app', name);
    end loop;
    -- the loader copies ready rows in: it adds, and reads only what it must check
    foreach name in array array['task', 'queue', 'import_chunk', 'fact', 'job', 'asset'] loop
        execute format('create policy loader on evenhand.%I to evenhand_loader using (org_id = (select ctx.org()))
                        with check (org_id = (select ctx.org()))', name);
    end loop;
end
$$;
revoke update on evenhand.fact, evenhand.import_chunk, evenhand.callback_try, evenhand.job_step from evenhand_app;
grant delete on evenhand.queue, evenhand.seat, evenhand.draft, evenhand.setting, evenhand.worker_group to evenhand_app;
grant insert on evenhand.task, evenhand.queue, evenhand.fact, evenhand.job, evenhand.asset to evenhand_loader;
grant select (org_id, task_id, unique_mac) on evenhand.task to evenhand_loader;
grant select, insert on evenhand.import_chunk to evenhand_loader;  -- line numbers and faults of its own earlier chunks

-- Narrow roles: columns only, never a body.
create policy scheduler on evenhand.seat for select to evenhand_scheduler using (true);
create policy scheduler on evenhand.queue for select to evenhand_scheduler using (true);
create policy scheduler on evenhand.project for select to evenhand_scheduler using (true);
create policy scheduler on evenhand.assignment for select to evenhand_scheduler using (true);
create policy scheduler on evenhand.batch for select to evenhand_scheduler using (true);
-- The gate says who holds a session and, in the same call, where work waits for that person.
create policy heads on evenhand.seat for select to evenhand_gate using (true);
create policy heads on evenhand.queue for select to evenhand_gate using (true);
create policy heads on evenhand.project for select to evenhand_gate using (true);
grant select (org_id, project_id, person_id, role, served_at) on evenhand.seat to evenhand_gate;
grant select (org_id, project_id, state, rank) on evenhand.queue to evenhand_gate;
grant select (org_id, project_id, state) on evenhand.project to evenhand_gate;
grant select (org_id, project_id, person_id, role, served_at) on evenhand.seat to evenhand_scheduler;
grant select (org_id, project_id, batch_id, state, rank) on evenhand.queue to evenhand_scheduler;
grant select (org_id, project_id, state) on evenhand.project to evenhand_scheduler;
grant select (org_id, state, lease_until) on evenhand.assignment to evenhand_scheduler;
grant select (org_id, batch_id, state) on evenhand.batch to evenhand_scheduler;
create policy picker on evenhand.job to evenhand_picker using (true) with check (true);
grant select (org_id, job_id, kind, state, run_at, lease_until, fence, attempts, most) on evenhand.job to evenhand_picker;
grant update (state, run_at, lease_until, ended_at, fence, attempts) on evenhand.job to evenhand_picker;
create policy sequencer on evenhand.fact for select to evenhand_sequencer using (true);
grant select (org_id, fact_id, xid, at, digest) on evenhand.fact to evenhand_sequencer;

-- The cleaner takes away what has served its time, in every space. How long that is stands in its policies, so it can
-- neither see nor delete anything younger, whatever it is told to do.
grant usage on schema evenhand to evenhand_cleaner;
create policy cleaner on evenhand.idempotency to evenhand_cleaner using (created_at < now() - interval '24 hours');
create policy cleaner on evenhand.job to evenhand_cleaner
    using (ended_at < now() - interval '7 days' and (state = 'done' or ended_at < now() - interval '30 days'));
create policy cleaner on evenhand.session to evenhand_cleaner using (expires_at < now());
create policy cleaner on evenhand.link to evenhand_cleaner
    using (expires_at < now() - interval '7 days' or used_at < now() - interval '7 days');
create policy cleaner on evenhand.signin_attempt to evenhand_cleaner using (window_at < now() - interval '24 hours');
grant select (org_id, actor_id, key_mac, created_at), delete on evenhand.idempotency to evenhand_cleaner;
grant select (org_id, job_id, state, ended_at), delete on evenhand.job to evenhand_cleaner;  -- its steps go with it
grant select (expires_at), delete on evenhand.session to evenhand_cleaner;
grant select (expires_at, used_at), delete on evenhand.link to evenhand_cleaner;
grant select (window_at), delete on evenhand.signin_attempt to evenhand_cleaner;
