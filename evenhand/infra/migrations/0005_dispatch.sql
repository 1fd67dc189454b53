-- Dispatch: each a single call, security invoker, so the wall holds inside as outside.

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
           case when p_role = 'label'
                then exists (select from evenhand.queue q
                              where q.org_id = s.org_id and q.project_id = s.project_id and q.state = 'open')
                else exists (select from evenhand.queue q
                              where q.org_id = s.org_id and q.project_id = s.project_id and q.state = 'review') end
      from evenhand.seat s join evenhand.project p using (org_id, project_id)
     where s.person_id = p_person and s.role = p_role and p.state = 'active'
$$;
grant execute on function evenhand.queue_heads(text, text) to evenhand_scheduler;

-- app: lease the first open task that this person has not had. Nobody waits: a row that another call holds is passed over.
-- The comparison (select ...) is null keeps the check a subplan for each candidate; "not exists" may turn into a hash of
-- every assignment there is.
create function evenhand.lease(
    p_ctx text, p_project text, p_person text, p_role text, p_assignment text, p_fact text, p_empty bytea,
    p_most integer)
    returns table (task_id text, lease_until timestamptz, lease_s integer, version integer, body bytea)
    language plpgsql volatile
    -- Without statistics, right after an import, the planner would read all open rows and sort them.
    set enable_sort = off
as $$
declare
    v_org text;
    v_head record;
    v_task record;
    v_now timestamptz := clock_timestamp();
    v_until timestamptz;
    v_from_rank smallint;
    v_from_task text;
begin
    perform set_config('evenhand.ctx', p_ctx, true);
    v_org := ctx.org();
    -- Two calls of one person wait for each other, in every project of the space; what follows counts after the wait.
    perform pg_advisory_xact_lock(hashtextextended(v_org || p_person, 0));
    update evenhand.seat s set served_at = v_now
      from evenhand.project p
     where s.org_id = v_org and s.project_id = p_project and s.person_id = p_person and s.role = p_role
       and p.org_id = v_org and p.project_id = p_project and p.state = 'active'
       and exists (select from evenhand.member m
                    where m.org_id = v_org and m.person_id = p_person and m.state = 'active')
    returning p.lease_s, p.version, s.cursor_rank, s.cursor_task,
              (select count(*) from evenhand.assignment a
                where a.org_id = v_org and a.person_id = p_person and a.state = 'leased') as held
         into v_head;
    if not found or v_head.held >= p_most then return; end if;
    v_from_rank := coalesce(v_head.cursor_rank, -32768);
    v_from_task := coalesce(v_head.cursor_task, '');
    loop
        if p_role = 'label' then
            update evenhand.queue u
               set taken = u.taken + 1, state = case when u.taken + 1 >= u.overlap then 'full' else 'open' end
             where u.org_id = v_org and u.task_id = (
                   select q.task_id from evenhand.queue q
                    where q.org_id = v_org and q.project_id = p_project and q.state = 'open'
                      and (q.rank, q.task_id) > (v_from_rank, v_from_task)
                      and (select 1 from evenhand.assignment a
                            where a.org_id = v_org and a.task_id = q.task_id and a.person_id = p_person
                              and a.state in ('leased', 'submitted', 'skipped') limit 1) is null
                    order by q.rank, q.task_id limit 1 for update of q skip locked)
            returning u.task_id, u.rank, u.overlap into v_task;
        else
            update evenhand.queue u set state = 'reviewing'
             where u.org_id = v_org and u.task_id = (
                   select q.task_id from evenhand.queue q
                    where q.org_id = v_org and q.project_id = p_project and q.state = 'review'
                      and (q.rank, q.task_id) > (v_from_rank, v_from_task)
                      and (select 1 from evenhand.assignment a
                            where a.org_id = v_org and a.task_id = q.task_id and a.person_id = p_person
                              and a.state in ('leased', 'submitted', 'skipped') limit 1) is null
                    order by q.rank, q.task_id limit 1 for update of q skip locked)
            returning u.task_id, u.rank, u.overlap into v_task;
        end if;
        exit when found or v_from_task = '';
        v_from_rank := -32768;  -- past the end: once more from the head
        v_from_task := '';
    end loop;
    -- With one place a task, nothing of one's own stays in the open queue: only wider projects keep a cursor.
    if v_task.overlap > 1 or v_head.cursor_task is not null then
        update evenhand.seat s
           set cursor_rank = case when v_task.overlap > 1 then v_task.rank end,
               cursor_task = case when v_task.overlap > 1 then v_task.task_id end
         where s.org_id = v_org and s.project_id = p_project and s.person_id = p_person and s.role = p_role;
    end if;
    if v_task.task_id is null then return; end if;
    v_until := v_now + make_interval(secs => v_head.lease_s);
    insert into evenhand.assignment (org_id, assignment_id, task_id, project_id, person_id, role, state,
                                     leased_at, lease_until, lease_s, body)
    values (v_org, p_assignment, v_task.task_id, p_project, p_person, p_role, 'leased', v_now, v_until,
            v_head.lease_s, p_empty);
    insert into evenhand.fact (org_id, fact_id, kind, actor_kind, actor_id, about_id, body)
    values (v_org, p_fact, 'TaskLeased', 'person', p_person, v_task.task_id, p_empty);
    return query
        select t.task_id, v_until, v_head.lease_s, v_head.version, t.body
          from evenhand.task t where t.org_id = v_org and t.task_id = v_task.task_id;
end
$$;
grant execute on function evenhand.lease(text, text, text, text, text, text, bytea, integer) to evenhand_app;

-- app: what the rules need to check an answer before it is taken in.
create function evenhand.submission(p_ctx text, p_assignment text, p_person text)
    returns table (task_id text, project_id text, role text, state text, version integer, body bytea)
    language plpgsql volatile
as $$
begin
    perform set_config('evenhand.ctx', p_ctx, true);
    return query
        select a.task_id, a.project_id, a.role, a.state, p.version, t.body
          from evenhand.assignment a
          join evenhand.task t on t.org_id = a.org_id and t.task_id = a.task_id
          join evenhand.project p on p.org_id = a.org_id and p.project_id = a.project_id
         where a.org_id = ctx.org() and a.assignment_id = p_assignment and a.person_id = p_person
           and exists (select from evenhand.member m
                        where m.org_id = a.org_id and m.person_id = p_person and m.state = 'active');
end
$$;
grant execute on function evenhand.submission(text, text, text) to evenhand_app;

-- app: take an answer in. Late work is never thrown away: it gets its place back while that is free, else it is extra.
create function evenhand.submit(
    p_ctx text, p_assignment text, p_person text, p_key bytea, p_answer text, p_fact text, p_job text,
    p_body bytea, p_fact_body bytea, p_job_body bytea, p_labels integer, p_classes bigint[], p_seconds real)
    returns table (outcome text, task_id text, project_id text, late boolean, extra boolean, paid_s real, settled boolean)
    language plpgsql volatile
as $$
declare
    v_org text;
    v_now timestamptz := clock_timestamp();
    a record;
    q record;
    v_late boolean;
    v_extra boolean := false;
    v_paid real;
    v_mine boolean := false;
    v_full boolean := false;
begin
    perform set_config('evenhand.ctx', p_ctx, true);
    v_org := ctx.org();
    -- the assignment, the task, then its queue row: everyone locks in this order
    select x.task_id, x.project_id, x.state, x.lease_until, x.leased_at, x.late, x.extra, x.paid_s, x.key_mac,
           k.state as task_state, k.callback, p.review into a
      from evenhand.assignment x
      join evenhand.task k on k.org_id = v_org and k.task_id = x.task_id
      join evenhand.project p on p.org_id = v_org and p.project_id = x.project_id
     where x.org_id = v_org and x.assignment_id = p_assignment and x.person_id = p_person and x.role = 'label'
       for update of x for no key update of k;
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
         where x.org_id = v_org and x.task_id = a.task_id and x.person_id = p_person and x.role = 'label'
           and x.state = 'leased';
        v_mine := found;
    end if;
    v_paid := least(greatest(p_seconds, 0), extract(epoch from v_now - a.leased_at))::real;
    if a.task_state <> 'todo' or q.state is null then
        v_extra := true;
    elsif a.state = 'leased' then
        null;  -- its place is still its own
    elsif exists (select from evenhand.assignment x
                   where x.org_id = v_org and x.task_id = a.task_id and x.person_id = p_person and x.role = 'label'
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
    insert into evenhand.answer (org_id, answer_id, task_id, project_id, assignment_id, person_id, origin, state, late,
                                 seconds, labels, classes, body)
    values (v_org, p_answer, a.task_id, a.project_id, p_assignment, p_person, 'label',
            case when v_extra then 'extra' else 'current' end, v_late, v_paid, p_labels, p_classes, p_body);
    update evenhand.assignment x
       set state = 'submitted', closed_at = v_now, late = v_late, extra = v_extra, paid_s = v_paid, key_mac = p_key
     where x.org_id = v_org and x.assignment_id = p_assignment;
    insert into evenhand.fact (org_id, fact_id, kind, actor_kind, actor_id, about_id, body)
    values (v_org, p_fact, 'AnnotationSubmitted', 'person', p_person, a.task_id, p_fact_body);
    if not v_extra then
        v_full := q.answered + 1 >= q.overlap;
        if v_full and q.overlap = 1 and a.review = 'none' and not a.callback then
            delete from evenhand.queue x where x.org_id = v_org and x.task_id = a.task_id;
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
grant execute on function evenhand.submit(text, text, text, bytea, text, text, text, bytea, bytea, bytea, integer, bigint[], real)
    to evenhand_app;

-- app: give back what nobody holds any more. Returns how many leases ended.
create function evenhand.expire(p_ctx text, p_limit integer) returns integer
    language plpgsql volatile
as $$
declare
    v_org text;
    a record;
    n integer := 0;
begin
    perform set_config('evenhand.ctx', p_ctx, true);
    v_org := ctx.org();
    for a in select x.assignment_id, x.task_id, x.project_id, x.role, x.person_id from evenhand.assignment x
              where x.org_id = v_org and x.state = 'leased' and x.lease_until < clock_timestamp()
              order by x.lease_until limit p_limit for update skip locked loop
        update evenhand.assignment x set state = 'expired', closed_at = clock_timestamp()
         where x.org_id = v_org and x.assignment_id = a.assignment_id;
        perform evenhand.free_place(v_org, a.task_id, a.project_id, a.role);
        n := n + 1;
    end loop;
    return n;
end
$$;

-- app: one place of a task becomes free again; whoever had passed it may see it again. Nobody has begun a task whose last
-- place is given back: with a batch that was paused meanwhile it waits, with one that was cancelled it is cancelled.
create function evenhand.free_place(p_org text, p_task text, p_project text, p_role text) returns void
    language plpgsql volatile
as $$
declare
    v_batch text;
    v_left smallint;
begin
    if p_role = 'label' then
        -- a share of the batch: whoever pauses it at this moment goes first or sees this row
        select b.state into v_batch from evenhand.batch b
         where b.org_id = p_org and b.batch_id = (select t.batch_id from evenhand.task t
                                                   where t.org_id = p_org and t.task_id = p_task)
           for share;
        if v_batch = 'cancelled' then
            perform 1 from evenhand.task t where t.org_id = p_org and t.task_id = p_task for no key update;
        end if;
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
    update evenhand.seat s set cursor_rank = null, cursor_task = null
     where s.org_id = p_org and s.project_id = p_project and s.cursor_task is not null;
end
$$;
grant execute on function evenhand.expire(text, integer), evenhand.free_place(text, text, text, text) to evenhand_app;
