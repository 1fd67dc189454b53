-- Projects have data keys of their own: the app makes one together with the project. See docs/decisions/0014-keys.md.
grant insert on evenhand.data_key to evenhand_app;

-- As in 0005, and it says the true id of the task as well: a task with a known answer is shown under another one, and its body
-- is bound to the true one.
drop function evenhand.lease(
    text, bytea, text, text, text, text, text, bytea, text, bytea, bytea, integer, double precision);
create function evenhand.lease(
    p_ctx text, p_hash bytea, p_person text, p_project text, p_role text, p_assignment text, p_fact text, p_salt bytea,
    p_event text, p_fact_body bytea, p_empty bytea, p_most integer, p_draw double precision default 1)
    returns table (task_id text, lease_until timestamptz, lease_s integer, version integer, body bytea, own_task text)
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
        select coalesce(v_shown, t.task_id), v_until, v_head.lease_s, v_head.version, t.body, t.task_id
          from evenhand.task t where t.org_id = v_org and t.task_id = v_task.task_id;
end
$$;
grant execute on function evenhand.lease(
    text, bytea, text, text, text, text, text, bytea, text, bytea, bytea, integer, double precision)
    to evenhand_app;
