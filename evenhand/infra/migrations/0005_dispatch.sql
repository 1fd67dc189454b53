-- Dispatch: each step a single call. The desk's functions (lease, submission, submit) run as the owner, who is under forced
-- row security too: its policies show what belongs to the organisation that ctx.enter proved, and nothing before.
do $$
declare name text;
begin
    foreach name in array array['member', 'project', 'seat', 'task', 'queue', 'assignment', 'answer', 'fact', 'job'] loop
        execute format('create policy desk on evenhand.%I to current_user
                        using (org_id = current_setting(''evenhand.org'', true))
                        with check (org_id = current_setting(''evenhand.org'', true))', name);
    end loop;
end
$$;
-- The one session that is shown, and its person.
create policy desk on evenhand.session for select to current_user
    using (token_hash = decode(current_setting('evenhand.session', true), 'hex'));
create policy desk on evenhand.person for select to current_user
    using (person_id = (select s.person_id from evenhand.session s
                         where s.token_hash = decode(current_setting('evenhand.session', true), 'hex')));
create function ctx.person(p_hash bytea) returns text
    language plpgsql volatile
as $$
declare
    shown text := set_config('evenhand.session', encode(p_hash, 'hex'), true);
begin
    return (select s.person_id from evenhand.session s join evenhand.person p using (person_id)
             where s.token_hash = p_hash and s.expires_at > now() and p.state = 'active');
end
$$;

-- The commitment to an event whose task and time are known here only: their places in the canonical text are %s
-- (docs/decisions/0015-log.md; infra/facts.py writes the text).
create function ctx.event_digest(p_salt bytea, p_event text, p_about text, p_at timestamptz) returns bytea
    language sql immutable
as $$
    select sha256(convert_to(E'evenhand-event-v1\n', 'UTF8') || p_salt
                  || convert_to(format(p_event, p_about, (extract(epoch from p_at) * 1000000)::bigint), 'UTF8'))
$$;

-- gate: who holds this session.
create function evenhand.session_person(p_hash bytea)
    returns table (person_id text, operator boolean, expires_at timestamptz)
    language sql stable
as $$
    select s.person_id, p.operator, s.expires_at
      from evenhand.session s join evenhand.person p using (person_id)
     where s.token_hash = p_hash and s.expires_at > now() and p.state = 'active'
$$;
grant execute on function evenhand.session_person(bytea) to evenhand_gate;

-- scheduler: the queue heads of a person, without a word about what is in them.
create function evenhand.queue_heads(p_person text, p_role text)
    returns table (org_id text, project_id text, served_at timestamptz, waiting boolean)
    language sql stable
as $$
    select s.org_id, s.project_id, s.served_at,
           -- in the order of the index that holds nothing else: another one would be read past all that is not open
           case when p_role = 'label'
                then (select true from evenhand.queue q
                       where q.org_id = s.org_id and q.project_id = s.project_id and q.state = 'open'
                       order by q.rank limit 1) is not null
                else (select true from evenhand.queue q
                       where q.org_id = s.org_id and q.project_id = s.project_id and q.state = 'review'
                       order by q.rank limit 1) is not null end
      from evenhand.seat s join evenhand.project p using (org_id, project_id)
     where s.person_id = p_person and s.role = p_role and p.state = 'active'
$$;
grant execute on function evenhand.queue_heads(text, text) to evenhand_scheduler, evenhand_gate;

-- gate: who holds this session, and the queue heads of that person. No row: nobody; a row without a project: no seat.
create function evenhand.waiting(p_hash bytea, p_role text)
    returns table (person_id text, org_id text, project_id text, served_at timestamptz, waiting boolean)
    language sql stable
as $$
    select s.person_id, h.org_id, h.project_id, h.served_at, h.waiting
      from evenhand.session_person(p_hash) s left join lateral evenhand.queue_heads(s.person_id, p_role) h on true
$$;
grant execute on function evenhand.waiting(bytea, text) to evenhand_gate;

-- app: lease the first open task that this person, or the person of a session, has not had. Nobody waits: a row that another call holds is passed over.
-- The comparison (select ...) is null keeps the check a subplan for each candidate; "not exists" may turn into a hash of
-- every assignment there is.
create function evenhand.lease(
    p_ctx text, p_hash bytea, p_person text, p_project text, p_role text, p_assignment text, p_fact text, p_salt bytea,
    p_event text, p_fact_body bytea, p_empty bytea, p_most integer, p_draw double precision default 1)
    returns table (task_id text, lease_until timestamptz, lease_s integer, version integer, body bytea)
    language plpgsql volatile security definer
    set search_path = pg_catalog, pg_temp
    -- Without statistics, right after an import, the planner would read all open rows and sort them.
    set enable_sort = off
as $$
declare
    v_org text;
    v_person text;
    v_head record;
    v_task record;
    v_now timestamptz := clock_timestamp();
    v_until timestamptz;
    v_from_rank smallint;
    v_from_task text;
    v_gold text;
    v_shown text;
    v_wait boolean;
begin
    v_org := ctx.enter(p_ctx);
    -- Whoever shows a session must be the person whom the event names.
    if p_hash is not null and ctx.person(p_hash) is distinct from p_person then return; end if;
    v_person := p_person;
    -- Two calls of one person wait for each other, in every project of the space; what follows counts after the wait.
    perform pg_advisory_xact_lock(hashtextextended(v_org || v_person, 0));
    update evenhand.seat s set served_at = v_now
      from evenhand.project p
     where s.org_id = v_org and s.project_id = p_project and s.person_id = v_person and s.role = p_role
       and p.org_id = v_org and p.project_id = p_project and p.state = 'active'
       and exists (select from evenhand.member m
                    where m.org_id = v_org and m.person_id = v_person and m.state = 'active')
    returning p.lease_s, p.version, p.gold, p.gold_share, s.cursor_rank, s.cursor_task,
              (select count(*) from evenhand.assignment a
                where a.org_id = v_org and a.person_id = v_person and a.state = 'leased') as held
         into v_head;
    if not found or v_head.held >= p_most then return; end if;
    if v_head.gold then  -- 0006: a task with a known answer instead, or nothing before the course is passed
        select g.task_id, g.shown, g.wait into v_gold, v_shown, v_wait
          from evenhand.gold_next(v_org, p_project, v_person, p_role, v_head.gold_share, p_draw, right(p_fact, 12)) g;
        if v_wait then return; end if;
    end if;
    v_from_rank := coalesce(v_head.cursor_rank, -32768);
    v_from_task := coalesce(v_head.cursor_task, '');
    loop
        if v_gold is not null then
            select v_gold as task_id, 0::smallint as rank, 1::smallint as overlap into v_task;
            exit;
        end if;
        if p_role = 'label' then
            update evenhand.queue u
               set taken = u.taken + 1, state = case when u.taken + 1 >= u.overlap then 'full' else 'open' end
             where u.org_id = v_org and u.task_id = (
                   select q.task_id from evenhand.queue q
                    where q.org_id = v_org and q.project_id = p_project and q.state = 'open'
                      and (q.rank, q.task_id) > (v_from_rank, v_from_task)
                      and (select 1 from evenhand.assignment a
                            where a.org_id = v_org and a.task_id = q.task_id and a.person_id = v_person
                              and a.state in ('leased', 'submitted', 'skipped') limit 1) is null
                    order by q.rank, q.task_id limit 1 for update of q skip locked)
            returning u.task_id, u.rank, u.overlap into v_task;
        else
            update evenhand.queue u set state = 'reviewing'
             where u.org_id = v_org and u.task_id = (
                   select q.task_id from evenhand.queue q
                    where q.org_id = v_org and q.project_id = p_project and q.state = 'review'
                      and (q.rank, q.task_id) > (v_from_rank, v_from_task)
                      -- Nobody reviews their own work. Whoever rejected a task may see it again once it is mended.
                      and (select 1 from evenhand.assignment a
                            where a.org_id = v_org and a.task_id = q.task_id and a.person_id = v_person
                              and (a.state in ('leased', 'skipped') or a.state = 'submitted' and a.role <> 'review')
                            limit 1) is null
                    order by q.rank, q.task_id limit 1 for update of q skip locked)
            returning u.task_id, u.rank, u.overlap into v_task;
        end if;
        exit when found or v_from_task = '';
        v_from_rank := -32768;  -- past the end: once more from the head
        v_from_task := '';
    end loop;
    -- With one place a task, nothing of one's own stays in the open queue: only wider projects keep a cursor.
    if v_gold is null and (v_task.overlap > 1 or v_head.cursor_task is not null) then
        update evenhand.seat s
           set cursor_rank = case when v_task.overlap > 1 then v_task.rank end,
               cursor_task = case when v_task.overlap > 1 then v_task.task_id end
         where s.org_id = v_org and s.project_id = p_project and s.person_id = v_person and s.role = p_role;
    end if;
    if v_task.task_id is null then return; end if;
    v_until := v_now + make_interval(secs => v_head.lease_s);
    return query
        with leased as (
            insert into evenhand.assignment (org_id, assignment_id, task_id, project_id, person_id, role, state,
                                             leased_at, lease_until, lease_s, version, shown_task, body)
            values (v_org, p_assignment, v_task.task_id, p_project, v_person, p_role, 'leased', v_now, v_until,
                    v_head.lease_s, v_head.version, v_shown, p_empty)),
        told as (
            insert into evenhand.fact (org_id, fact_id, kind, actor_kind, actor_id, about_id, at, salt, digest, body)
            values (v_org, p_fact, 'TaskLeased', 'person', v_person, v_task.task_id, v_now, p_salt,
                    ctx.event_digest(p_salt, p_event, v_task.task_id, v_now), p_fact_body))
        select coalesce(v_shown, t.task_id), v_until, v_head.lease_s, v_head.version, t.body
          from evenhand.task t where t.org_id = v_org and t.task_id = v_task.task_id;
end
$$;
grant execute on function evenhand.lease(
    text, bytea, text, text, text, text, text, bytea, text, bytea, bytea, integer, double precision)
    to evenhand_app;

-- app: what the rules need to check an answer before it is taken in, for the person of a session or one that the signed
-- context vouches for. Always one row: without a person nobody is signed in, without a task the person has no such
-- assignment.
create function evenhand.submission(p_ctx text, p_hash bytea, p_person text, p_assignment text)
    returns table (person_id text, task_id text, project_id text, role text, state text, version integer, body bytea)
    language plpgsql volatile security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_org text;
    v_person text;
    a record;
begin
    v_org := ctx.enter(p_ctx);
    v_person := case when p_hash is null then p_person else ctx.person(p_hash) end;
    select x.task_id, x.project_id, x.role, x.state, x.version into a
      from evenhand.assignment x
     where x.org_id = v_org and x.assignment_id = p_assignment and x.person_id = v_person;
    if not found then return query select v_person, null, null, null, null, null::integer, null::bytea; return; end if;
    return query
        select v_person, case when m.person_id is not null then a.task_id end, a.project_id, a.role::text, a.state::text, a.version,
               t.body
          from evenhand.task t
          left join evenhand.member m on m.org_id = v_org and m.person_id = v_person and m.state = 'active'
         where t.org_id = v_org and t.task_id = a.task_id;
end
$$;
grant execute on function evenhand.submission(text, bytea, text, text) to evenhand_app;

-- app: take an answer in. The task is locked first, then what hangs on it: everyone locks in this order. Late work is never
-- thrown away: it gets its place back while that is free, else it is extra. The outcome is 'nobody' for a session that is none,
-- and there is no row where the person has no such assignment.
create function evenhand.submit(
    p_ctx text, p_hash bytea, p_person text, p_task text, p_assignment text, p_key bytea, p_answer text, p_fact text, p_job text,
    p_salt bytea, p_event text, p_body bytea, p_fact_body bytea, p_job_body bytea, p_labels integer, p_classes bigint[], p_seconds real)
    returns table (outcome text, task_id text, project_id text, late boolean, extra boolean, paid_s real, settled boolean)
    language plpgsql volatile security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_org text;
    v_person text;
    v_now timestamptz := clock_timestamp();
    a record;
    q record;
    v_late boolean;
    v_extra boolean := false;
    v_paid real;
    v_mine boolean := false;
    v_full boolean := false;
begin
    v_org := ctx.enter(p_ctx);
    v_person := p_person;
    if p_hash is not null and ctx.person(p_hash) is distinct from p_person then
        return query select 'nobody'::text, null::text, null::text, false, false, 0::real, false;
        return;
    end if;
    select x.task_id, x.project_id, x.state, x.lease_until, x.leased_at, x.late, x.extra, x.paid_s, x.key_mac,
           k.state as task_state, k.callback, p.review into a
      from evenhand.task k
      join evenhand.assignment x on x.org_id = v_org and x.assignment_id = p_assignment
      join evenhand.project p on p.org_id = v_org and p.project_id = x.project_id
      join evenhand.member m on m.org_id = v_org and m.person_id = v_person and m.state = 'active'
     where k.org_id = v_org and k.task_id = p_task
       and x.task_id = p_task and x.person_id = v_person and x.role = 'label'
       for no key update of k for update of x;
    if not found then return; end if;
    if a.state = 'submitted' or a.key_mac = p_key then  -- whatever happened since: a repeat is no new work
        return query select case when a.key_mac = p_key then 'repeated' else 'conflict' end,
                            a.task_id, a.project_id, a.late, a.extra, a.paid_s, false;
        return;
    end if;
    select x.state, x.overlap, x.taken, x.answered into q
      from evenhand.queue x where x.org_id = v_org and x.task_id = a.task_id for update;
    v_late := v_now > a.lease_until or a.state <> 'leased';
    if a.task_state = 'todo' and a.state <> 'leased' then
        update evenhand.assignment x set state = 'withdrawn', closed_at = v_now
         where x.org_id = v_org and x.task_id = a.task_id and x.person_id = v_person and x.role = 'label'
           and x.state = 'leased';
        v_mine := found;
    end if;
    v_paid := least(greatest(p_seconds, 0), extract(epoch from v_now - a.leased_at))::real;
    if a.task_state <> 'todo' or q.state is null then
        v_extra := true;
    elsif a.state = 'leased' then
        null;  -- its place is still its own
    elsif exists (select from evenhand.assignment x
                   where x.org_id = v_org and x.task_id = a.task_id and x.person_id = v_person and x.role = 'label'
                     and x.state = 'submitted' and not x.extra) then
        v_extra := true;  -- the same person has answered since
    elsif v_mine then
        null;  -- the same person has leased it again since: this answer takes that place
    elsif q.taken < q.overlap and q.state in ('open', 'held') then
        update evenhand.queue x
           set taken = x.taken + 1, state = case when x.taken + 1 >= x.overlap then 'full' else 'open' end
         where x.org_id = v_org and x.task_id = a.task_id;
    else
        v_extra := true;
    end if;
    with given as (
        insert into evenhand.answer (org_id, answer_id, task_id, project_id, assignment_id, person_id, origin, state, late,
                                     seconds, labels, classes, body)
        values (v_org, p_answer, a.task_id, a.project_id, p_assignment, v_person, 'label',
                case when v_extra then 'extra' else 'current' end, v_late, v_paid, p_labels, p_classes, p_body)),
    closed as (
        update evenhand.assignment x
           set state = 'submitted', closed_at = v_now, closed_xid = pg_current_xact_id(), late = v_late, extra = v_extra,
               paid_s = v_paid, key_mac = p_key
         where x.org_id = v_org and x.assignment_id = p_assignment)
    insert into evenhand.fact (org_id, fact_id, kind, actor_kind, actor_id, about_id, at, salt, digest, body)
    values (v_org, p_fact, 'AnnotationSubmitted', 'person', v_person, a.task_id, v_now, p_salt,
            ctx.event_digest(p_salt, p_event, a.task_id, v_now), p_fact_body);
    if not v_extra then
        v_full := q.answered + 1 >= q.overlap;
        if v_full and q.overlap = 1 and a.review = 'none' and not a.callback then
            with gone as (delete from evenhand.queue x where x.org_id = v_org and x.task_id = a.task_id)
            update evenhand.task x
               set state = 'done', result_id = p_answer, labels = p_labels, completed_at = v_now, updated_at = v_now
             where x.org_id = v_org and x.task_id = a.task_id;
        else
            update evenhand.queue x set answered = x.answered + 1 where x.org_id = v_org and x.task_id = a.task_id;
            if v_full then  -- merging, sampling for review and telling the customer are a job's work
                insert into evenhand.job (org_id, job_id, kind, body)
                values (v_org, p_job, 'annotations.settle', p_job_body);
            end if;
        end if;
    end if;
    return query select 'submitted'::text, a.task_id, a.project_id, v_late, v_extra, v_paid, v_full;
end
$$;
grant execute on function evenhand.submit(text, bytea, text, text, text, bytea, text, text, text, bytea, text, bytea, bytea, bytea,
    integer, bigint[], real) to evenhand_app;

-- app: the locks of a change to a task with its places, in the order that everyone keeps: its batch (shared: whoever pauses or
-- cancels it at this moment goes first, or waits), the task, and then what hangs on it. Gives the batch's state.
create function evenhand.hold_task(p_org text, p_task text) returns text
    language plpgsql volatile
as $$
declare
    v_batch text;
begin
    select b.state into v_batch from evenhand.batch b
     where b.org_id = p_org and b.batch_id = (select t.batch_id from evenhand.task t
                                               where t.org_id = p_org and t.task_id = p_task)
       for share;
    perform 1 from evenhand.task t where t.org_id = p_org and t.task_id = p_task for no key update;
    return v_batch;
end
$$;
grant execute on function evenhand.hold_task(text, text) to evenhand_app;

-- app: whoever had passed a task that has opened again may see it again. Seats come last in the order of locks, after everything
-- that a transaction does with tasks, and in one order among themselves: who waits for a seat is then waited for by nobody.
create function evenhand.reset_cursors(p_org text, p_projects text[]) returns void
    language sql volatile
as $$
    with held as (
        select s.project_id, s.person_id, s.role from evenhand.seat s
         where s.org_id = p_org and s.project_id = any(p_projects) and s.cursor_task is not null
         order by s.project_id, s.person_id, s.role for no key update)
    update evenhand.seat s set cursor_rank = null, cursor_task = null from held h
     where s.org_id = p_org and s.project_id = h.project_id and s.person_id = h.person_id and s.role = h.role;
$$;
grant execute on function evenhand.reset_cursors(text, text[]) to evenhand_app;

-- app: give back what nobody holds any more. Returns how many leases ended.
create function evenhand.expire(p_ctx text, p_limit integer) returns integer
    language plpgsql volatile
as $$
declare
    v_org text;
    v_projects text[] := '{}';
    a record;
    n integer := 0;
begin
    perform set_config('evenhand.ctx', p_ctx, true);
    v_org := ctx.org();
    for a in select y.* from (select x.assignment_id, x.task_id, x.project_id, x.role from evenhand.assignment x
                               where x.org_id = v_org and x.state = 'leased' and x.lease_until < clock_timestamp()
                               order by x.lease_until limit p_limit) y
              order by y.task_id loop
        perform evenhand.hold_task(v_org, a.task_id);
        update evenhand.assignment x set state = 'expired', closed_at = clock_timestamp()
         where x.org_id = v_org and x.assignment_id = a.assignment_id and x.state = 'leased'
           and x.lease_until < clock_timestamp();
        if not found then continue; end if;  -- it came in, was given back or kept alive meanwhile
        perform evenhand.free_place(v_org, a.task_id, a.role);
        v_projects := v_projects || a.project_id;
        n := n + 1;
    end loop;
    perform evenhand.reset_cursors(v_org, v_projects);
    return n;
end
$$;

-- app: one place of a task becomes free again; `reset_cursors` has to follow. Nobody has begun a task whose last place is given
-- back: with a batch that was paused meanwhile it waits, with one that was cancelled it is cancelled.
create function evenhand.free_place(p_org text, p_task text, p_role text) returns void
    language plpgsql volatile
as $$
declare
    v_batch text;
    v_left smallint;
begin
    if p_role = 'label' then
        v_batch := evenhand.hold_task(p_org, p_task);
        update evenhand.queue q
           set taken = q.taken - 1,
               state = case when q.state not in ('full', 'open') then q.state
                            when q.taken = 1 and v_batch in ('staging', 'paused') then 'held'
                            else 'open' end
         where q.org_id = p_org and q.task_id = p_task and q.taken > q.answered
        returning q.taken into v_left;
        if v_batch = 'cancelled' and v_left = 0 then
            delete from evenhand.queue q where q.org_id = p_org and q.task_id = p_task;
            update evenhand.task t set state = 'canceled', updated_at = clock_timestamp()
             where t.org_id = p_org and t.task_id = p_task and t.state = 'todo';
        end if;
    elsif p_role = 'review' then
        update evenhand.queue q set state = 'review'
         where q.org_id = p_org and q.task_id = p_task and q.state = 'reviewing';
    end if;
end
$$;
grant execute on function evenhand.expire(text, integer), evenhand.free_place(text, text, text) to evenhand_app;
