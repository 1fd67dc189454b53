-- What the log tells, whole (docs/decisions/0020-events.md): seats that are given by themselves, enrolments that a crash cut short; and
-- how long the scheduler's own record of what it decided is kept.

-- As in 0011, but that it says which seats it gave: each is an event.
drop function evenhand.give_seats(text, text, text, text);
create function evenhand.give_seats(p_ctx text, p_project text, p_person text, p_role text)
    returns table (project_id text, person_id text)
    language plpgsql volatile security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_org text;
begin
    v_org := ctx.enter(p_ctx);
    return query
    insert into evenhand.seat as given (org_id, project_id, person_id, role)
    select m.org_id, p.project_id, m.person_id, coalesce(p_role, case m.role when 'annotator' then 'label' else 'review' end)
      from evenhand.project p join evenhand.member m on m.org_id = p.org_id
     where p.org_id = v_org
       and (p_project is null and p.everyone and p.state <> 'archived' or p.project_id = p_project)
       and (p_person is null and m.state = 'active' and m.role in ('annotator', 'reviewer') or m.person_id = p_person)
       and not exists (select from evenhand.seat s where s.org_id = v_org and s.project_id = p.project_id
                          and s.person_id = m.person_id
                          and s.role = coalesce(p_role, case m.role when 'annotator' then 'label' else 'review' end))
       and evenhand.kept_off(v_org, m.person_id) is null
        on conflict do nothing
    returning given.project_id, given.person_id;
end
$$;
revoke all on function evenhand.give_seats(text, text, text, text) from public;
grant execute on function evenhand.give_seats(text, text, text, text) to evenhand_app;

-- Whether the customer's log has the event `FlowEnrolled`. Nothing is decided about a flow before.
alter table evenhand.sched_flow add column told boolean not null default true;
alter table evenhand.sched_flow alter column told set default false;
create index sched_flow_untold on evenhand.sched_flow (class, org_id) where not told;
grant update (told) on evenhand.sched_flow to evenhand_scheduler;

-- What was decided is kept for 35 days after it was sealed and told: longer than a day waits for its publication (30 days after a
-- pause), and than a customer needs to fetch its evidence. The cleaner sees nothing younger.
create policy cleaner on evenhand.sched_batch to evenhand_cleaner
    using (told and closed < clock_timestamp() - interval '35 days');
create policy cleaner on evenhand.sched_decision to evenhand_cleaner
    using (exists (select from evenhand.sched_batch b where b.class = sched_decision.class and b.batch = sched_decision.batch));
grant select (class, batch, closed, told), delete on evenhand.sched_batch to evenhand_cleaner;
grant select (class, batch), delete on evenhand.sched_decision to evenhand_cleaner;
create index sched_batch_closed on evenhand.sched_batch (closed);

-- Publications of the neutrality figures form one chain, whose head each epoch of the log names. A row of the class '' is a week.
alter table evenhand.neutrality add column number integer not null default 0;
alter table evenhand.neutrality add column head bytea not null default '';
create policy sequencer on evenhand.neutrality for select to evenhand_sequencer using (true);
grant select (number, head) on evenhand.neutrality to evenhand_sequencer;
