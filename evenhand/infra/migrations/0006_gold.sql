-- Tasks whose answer is known: gold tasks mixed into the live work, and the training course of a project. They are rows of
-- "task" as well, but never of "queue": nothing that counts, exports or settles work sees them.
create table evenhand.gold_task (
    org_id     text collate "C" not null,
    task_id    text collate "C" not null,
    project_id text collate "C" not null,
    purpose    text not null check (purpose in ('evaluation', 'training')),
    role       text not null check (role in ('label', 'review')),   -- review: it comes with an answer that is to be judged
    state      text not null check (state in ('fetching', 'open', 'closed')),
    created_at timestamptz not null default now(),
    primary key (org_id, task_id),
    foreign key (org_id, task_id) references evenhand.task,
    foreign key (org_id, project_id) references evenhand.project,
    check (purpose = 'evaluation' or role = 'label')
);
create index gold_open on evenhand.gold_task (org_id, project_id, purpose, role, task_id) where state = 'open';
create index gold_project on evenhand.gold_task (org_id, project_id, task_id) where project_id is not null;
-- What somebody's answer to one was worth. The second cycle is the second try of a course.
create table evenhand.gold_score (
    org_id        text collate "C" not null,
    task_id       text collate "C" not null,
    person_id     text collate "C" not null,
    cycle         smallint not null default 1 check (cycle >= 1),
    project_id    text collate "C" not null,
    assignment_id text collate "C" not null,
    score         real not null check (score between 0 and 1),
    created_at    timestamptz not null default now(),
    primary key (org_id, task_id, person_id, cycle),
    foreign key (org_id, task_id) references evenhand.gold_task
);
create index gold_score_project on evenhand.gold_score (org_id, project_id, person_id) where project_id is not null;
-- How far somebody is in the course of a project. No row: not begun.
create table evenhand.course (
    org_id     text collate "C" not null,
    project_id text collate "C" not null,
    person_id  text collate "C" not null,
    cycle      smallint not null default 1 check (cycle >= 1),
    tries      smallint not null default 2 check (tries >= cycle),  -- a manager may allow more
    state      text not null default 'open' check (state in ('open', 'passed', 'failed')),
    score      real check (score between 0 and 1),                  -- of the cycle that ended last
    updated_at timestamptz not null default now(),
    primary key (org_id, project_id, person_id),
    foreign key (org_id, project_id) references evenhand.project
);
do $$
declare name text;
begin
    foreach name in array array['gold_task', 'gold_score', 'course'] loop
        execute format('alter table evenhand.%I enable row level security', name);
        execute format('alter table evenhand.%I force row level security', name);
        execute format('create policy wall on evenhand.%I to evenhand_app using (org_id = (select ctx.org()))
                        with check (org_id = (select ctx.org()))', name);
        execute format('create policy desk on evenhand.%I to current_user
                        using (org_id = current_setting(''evenhand.org'', true))
                        with check (org_id = current_setting(''evenhand.org'', true))', name);
        execute format('grant select, insert, update on evenhand.%I to evenhand_app', name);
    end loop;
end
$$;

-- What a person is given instead of live work, in a project that has gold tasks. `wait`: nothing at all for now, since the
-- course is not passed. No row: live work, as ever. p_draw is a random number from 0 to 1, p_tail twelve random digits.
-- Ids tell when a task was made, so another is shown for a gold task: of the age of the live work, with p_tail.
create function evenhand.gold_next(
    p_org text, p_project text, p_person text, p_role text, p_share real, p_draw double precision, p_tail text)
    returns table (task_id text, shown text, wait boolean)
    language plpgsql stable
as $$
declare
    v_course record;
    v_task text;
    v_near text;
begin
    if p_role = 'label' and exists (
        select from evenhand.gold_task g
         where g.org_id = p_org and g.project_id = p_project and g.purpose = 'training' and g.role = 'label'
           and g.state = 'open') then
        select c.state, c.cycle into v_course from evenhand.course c
         where c.org_id = p_org and c.project_id = p_project and c.person_id = p_person;
        if v_course.state is distinct from 'passed' then
            if v_course.state is distinct from 'failed' then
                select g.task_id into v_task from evenhand.gold_task g
                 where g.org_id = p_org and g.project_id = p_project and g.purpose = 'training' and g.role = 'label'
                   and g.state = 'open'
                   and not exists (select from evenhand.gold_score s
                                    where s.org_id = p_org and s.task_id = g.task_id and s.person_id = p_person
                                      and s.cycle = coalesce(v_course.cycle, 1))
                   and not exists (select from evenhand.assignment a
                                    where a.org_id = p_org and a.task_id = g.task_id and a.person_id = p_person
                                      and a.state = 'leased')
                 order by g.task_id limit 1;
            end if;
            return query select v_task, null::text, v_task is null;
            return;
        end if;
    end if;
    if p_draw < p_share then
        -- each person meets them in another order
        select g.task_id into v_task from evenhand.gold_task g
         where g.org_id = p_org and g.project_id = p_project and g.purpose = 'evaluation' and g.role = p_role
           and g.state = 'open'
           and not exists (select from evenhand.assignment a
                            where a.org_id = p_org and a.task_id = g.task_id and a.person_id = p_person
                              and a.state in ('leased', 'submitted', 'skipped'))
         order by md5(g.task_id || p_person) limit 1;
        if not found then return; end if;
        if p_role = 'label' then
            select q.task_id into v_near from evenhand.queue q
             where q.org_id = p_org and q.project_id = p_project and q.state = 'open' order by q.rank, q.task_id limit 1;
        else
            select q.task_id into v_near from evenhand.queue q
             where q.org_id = p_org and q.project_id = p_project and q.state = 'review' order by q.rank, q.task_id limit 1;
        end if;
        return query select v_task, left(coalesce(v_near, v_task), 12) || p_tail, false;
    end if;
end
$$;

-- Progress. How much was done is counted from one side of this index, and the past of a project is remembered by who counts;
-- only when a task is done no longer has some minute of the past to be counted anew.
create index task_done on evenhand.task (org_id, project_id, completed_at) where state = 'done' and purpose = 'work';
create index task_ended on evenhand.task (org_id, project_id, state) where state in ('canceled', 'error') and purpose = 'work';
create table evenhand.undone (
    org_id     text collate "C" not null,
    project_id text collate "C" not null,
    undone_at  timestamptz not null default clock_timestamp(),
    task_id    text collate "C" not null,
    done_at    timestamptz not null,              -- when it had been done
    primary key (org_id, project_id, undone_at, task_id),
    foreign key (org_id, task_id) references evenhand.task
);
alter table evenhand.undone enable row level security;
alter table evenhand.undone force row level security;
create policy wall on evenhand.undone to evenhand_app using (org_id = (select ctx.org())) with check (org_id = (select ctx.org()));
grant select, insert on evenhand.undone to evenhand_app;
