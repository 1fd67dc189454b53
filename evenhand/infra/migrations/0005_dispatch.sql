-- Dispatch: each step a single call. Who may be served, and the lease itself, are in 0011, where the walls between customers are; whose
-- a session is, in 0015. The desk's functions (lease, submission, submit) run as the owner, who is under forced
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

-- The commitment to an event whose task and time are known here only: their places in the canonical text are %s
-- (docs/decisions/0015-log.md; infra/facts.py writes the text). Stable, as format() is: so it becomes part of the statement that
-- calls it, and costs no call.
create function ctx.event_digest(p_salt bytea, p_event text, p_about text, p_at timestamptz) returns bytea
    language sql stable
as $$
    select sha256(convert_to(E'evenhand-event-v1\n', 'UTF8') || p_salt
                  || convert_to(format(p_event, p_about, (extract(epoch from p_at) * 1000000)::bigint), 'UTF8'))
$$;

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
         where s.org_id = p_org and s.project_id = any(p_projects) and s.cursor_until > clock_timestamp()
         order by s.project_id, s.person_id, s.role for no key update)
    update evenhand.seat s set cursor_until = '-infinity' from held h
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
