-- Contracts, and what keeps people and customers apart: docs/decisions/0022-contracts.md.

-- The rate card: price classes that are open to all. Platform tables, and public: nothing in them names a customer.
create table evenhand.rate_card (
    card         integer primary key check (card > 0),
    currency     text not null check (currency ~ '^[A-Z]{3}$'),
    standard     text not null,                 -- the class of everybody whose contract does not say another
    from_at      timestamptz not null,
    published_at timestamptz not null default now(),
    told_at      timestamptz,                   -- since when every customer has its event: before that it is not in force
    -- known a day before it counts; the first one, which no contract was older than, from the beginning
    check (card = 1 or from_at >= published_at + interval '24 hours')
);
create table evenhand.price_class (
    card       integer not null references evenhand.rate_card,
    class      text not null check (class ~ '^[a-z][a-z0-9-]{0,39}$'),
    place      smallint not null,               -- its line on the card
    weight     integer not null check (weight between 1 and 1000000),
    hour_cents integer not null check (hour_cents >= 0),    -- of a worker's hour
    primary key (card, class)
);
insert into evenhand.rate_card (card, currency, standard, from_at) values (1, 'EUR', 'standard', '2000-01-01');
insert into evenhand.price_class (card, class, place, weight, hour_cents)
values (1, 'standard', 1, 1, 1800), (1, 'double', 2, 2, 2000), (1, 'fourfold', 3, 4, 2200);
-- One row a version: what was agreed is never rewritten. A customer without a row has the card's standard class.
create table evenhand.contract (
    org_id     text collate "C" not null references evenhand.org,
    version    integer not null check (version > 0),
    class      text not null,
    capacity_h integer check (capacity_h > 0),  -- worker-hours a week that are agreed; null: as there are
    from_at    timestamptz not null,
    until_at   timestamptz,
    created_at timestamptz not null default now(),
    body       bytea not null,                  -- support terms
    primary key (org_id, version),
    check (until_at > from_at)
);
-- Which customer of a space was told of which card, with an event.
create table evenhand.rate_told (
    org_id  text collate "C" not null references evenhand.org,
    card    integer not null,
    told_at timestamptz not null default now(),
    primary key (org_id, card)
);
-- The affiliate mark: a customer who owns a stake. Reports read it by a role of their own; whoever serves does not see it, the
-- scheduler least of all.
create table evenhand.affiliate (
    org_id   text collate "C" primary key references evenhand.org,
    since_at timestamptz not null default now()
);

do $$
declare name text;
declare who text;
begin
    foreach name in array array['rate_card', 'price_class', 'contract', 'rate_told', 'affiliate'] loop
        execute format('alter table evenhand.%I enable row level security', name);
        execute format('alter table evenhand.%I force row level security', name);
    end loop;
    foreach name in array array['rate_card', 'price_class'] loop
        foreach who in array array['app', 'gate', 'scheduler', 'reporter'] loop
            execute format('create policy public_%s on evenhand.%I for select to evenhand_%s using (true)', who, name, who);
            execute format('grant select on evenhand.%I to evenhand_%s', name, who);
        end loop;
        execute format('create policy gate on evenhand.%I to evenhand_gate using (true) with check (true)', name);
    end loop;
    foreach name in array array['contract', 'rate_told'] loop
        execute format('create policy wall on evenhand.%I to evenhand_app using (org_id = (select ctx.org()))
                        with check (org_id = (select ctx.org()))', name);
        execute format('grant select, insert on evenhand.%I to evenhand_app', name);
        execute format('create policy gate on evenhand.%I for select to evenhand_gate using (true)', name);
    end loop;
end
$$;
grant usage on schema evenhand to evenhand_reporter;
grant insert on evenhand.rate_card, evenhand.price_class to evenhand_gate;
grant update (told_at) on evenhand.rate_card to evenhand_gate;
grant select (org_id, version, class, capacity_h, from_at, until_at) on evenhand.contract to evenhand_gate, evenhand_scheduler;
grant select (org_id, card) on evenhand.rate_told to evenhand_gate;
create policy scheduler on evenhand.contract for select to evenhand_scheduler using (true);
create policy reporter on evenhand.affiliate to evenhand_reporter using (true) with check (true);
grant select, insert, delete on evenhand.affiliate to evenhand_reporter;

-- Every role: the card in force at a time.
create function evenhand.card_at(p_at timestamptz) returns integer
    language sql stable
as $$
    select c.card from evenhand.rate_card c
     where c.told_at is not null and greatest(c.from_at, c.told_at) <= p_at or c.card = 1 and c.from_at <= p_at
     order by greatest(c.from_at, c.told_at) desc nulls last, c.card desc limit 1
$$;
-- scheduler, app: the weight of a space's contract at a time, from the rate card: a number, and no name. A class that the card no
-- longer has can't be: a card keeps the classes of the one before.
create function evenhand.weight_of(p_org text, p_at timestamptz default now()) returns integer
    language sql stable
as $$
    select p.weight
      from evenhand.rate_card r
      join evenhand.price_class p on p.card = r.card and p.class = coalesce(
           (select k.class from evenhand.contract k
             where k.org_id = p_org and k.from_at <= p_at and (k.until_at is null or k.until_at > p_at)
             order by k.version desc limit 1), r.standard)
     where r.card = (select evenhand.card_at(p_at))
$$;
-- scheduler: the same for every space that has a contract, in one call; whoever is missing has the weight of `weight_of('')`.
create function evenhand.weights(p_at timestamptz default now())
    returns table (org_id text, weight integer, capacity_h integer)
    language sql stable
as $$
    select distinct on (k.org_id) k.org_id, p.weight, k.capacity_h
      from evenhand.contract k
      join evenhand.price_class p on p.card = (select evenhand.card_at(p_at)) and p.class = k.class
     where k.from_at <= p_at and (k.until_at is null or k.until_at > p_at)
     order by k.org_id, k.version desc
$$;
grant execute on function evenhand.card_at(timestamptz), evenhand.weight_of(text, timestamptz)
    to evenhand_app, evenhand_gate, evenhand_scheduler;
grant execute on function evenhand.weights(timestamptz) to evenhand_gate, evenhand_scheduler;

-- Walls between customers, for people who work for several. A customer's own list is its own; what follows from it for others is
-- derived, and says nobody whose wall it is.
create table evenhand.wall (
    org_id     text collate "C" not null references evenhand.org,
    wall_id    text collate "C" not null,
    target     bytea not null,                  -- the platform's MAC of a customer's name, or of a group's
    kind       text not null check (kind in ('customer', 'group')),
    cool_off_d integer not null check (cool_off_d between 0 and 3650),
    created_at timestamptz not null default now(),
    body       bytea not null,                  -- the name, as it was written: it may be nobody's here
    primary key (org_id, wall_id),
    unique (org_id, target)
);
create table evenhand.conflict_group (
    org_id text collate "C" not null references evenhand.org,
    mark   bytea not null,                      -- the platform's MAC of the group's name
    body   bytea not null,
    primary key (org_id, mark)
);
-- Derived by evenhand.rivals_anew(), the same in both directions.
create table evenhand.rivalry (
    org_id     text collate "C" not null,
    rival_id   text collate "C" not null,
    cool_off_d integer not null,
    primary key (org_id, rival_id)
);
-- What ties a person to a customer: until when they had its work on their screen, and until when an interest bars them from it.
create table evenhand.tie (
    org_id       text collate "C" not null,
    person_id    text collate "C" not null,
    worked_until timestamptz not null default '-infinity',
    barred_until timestamptz not null default '-infinity',
    -- A role in the console ties as work does, for as long as it lasts and the rivals' days after it (0021).
    console_from  timestamptz not null default 'infinity',   -- when the last such role began
    console_until timestamptz not null default '-infinity',  -- 'infinity' while there is one, its end afterwards
    primary key (org_id, person_id),
    check (console_until = '-infinity' or console_from <= console_until)
) with (fillfactor = 80);
create index tie_person on evenhand.tie (person_id);
do $$
declare name text;
begin
    foreach name in array array['wall', 'conflict_group', 'rivalry', 'tie'] loop
        execute format('alter table evenhand.%I enable row level security', name);
        execute format('alter table evenhand.%I force row level security', name);
        execute format('create policy gate on evenhand.%I to evenhand_gate using (true) with check (true)', name);
    end loop;
    foreach name in array array['rivalry', 'tie'] loop
        execute format('create policy scheduler on evenhand.%I for select to evenhand_scheduler using (true)', name);
        execute format('grant select on evenhand.%I to evenhand_scheduler, evenhand_gate', name);
    end loop;
end
$$;
create policy wall on evenhand.wall to evenhand_app using (org_id = (select ctx.org()))
    with check (org_id = (select ctx.org()));
grant select, insert, update (cool_off_d, body), delete on evenhand.wall to evenhand_app;
grant select (org_id, target, kind, cool_off_d) on evenhand.wall to evenhand_gate;
grant select, insert, delete on evenhand.conflict_group to evenhand_gate;
grant insert, delete, update (cool_off_d) on evenhand.rivalry to evenhand_gate;
grant insert, update (barred_until) on evenhand.tie to evenhand_gate;
-- The desk sees the ties of the space that was proved and, of its rivals', what a wall needs.
create policy desk on evenhand.rivalry to current_user using (org_id = current_setting('evenhand.org', true))
    with check (org_id = current_setting('evenhand.org', true));
create policy desk on evenhand.tie to current_user
    using (org_id = current_setting('evenhand.org', true)
           or org_id in (select r.rival_id from evenhand.rivalry r where r.org_id = current_setting('evenhand.org', true)));

-- gate: what all walls mean, from the lists of all customers. Called whenever a wall, a group or a customer is new.
create function evenhand.rivals_anew() returns void
    language plpgsql volatile
as $$
begin
    perform pg_advisory_xact_lock(hashtext('evenhand rivals'));
    with said as (
        select a.org_id, a.sibling_id, w.target, w.kind, w.cool_off_d
          from evenhand.wall w join evenhand.org a on a.org_id = w.org_id),
    pairs as (
        select side.org_id as one, b.org_id as two, s.cool_off_d
          from said s
          join evenhand.org side on side.org_id in (s.org_id, s.sibling_id)
          join evenhand.org b on b.org_id not in (s.org_id, s.sibling_id)
           and (s.kind = 'customer' and b.name_mac = s.target
                or s.kind = 'group' and exists (select from evenhand.conflict_group g
                                                 where g.org_id in (b.org_id, b.sibling_id) and g.mark = s.target))),
    wanted as (
        select x.one, x.two, max(x.cool_off_d) as days
          from (select one, two, cool_off_d from pairs union all select two, one, cool_off_d from pairs) x
         group by x.one, x.two),
    gone as (
        delete from evenhand.rivalry r
         where not exists (select from wanted w where w.one = r.org_id and w.two = r.rival_id))
    insert into evenhand.rivalry as r (org_id, rival_id, cool_off_d)
    select w.one, w.two, w.days from wanted w
        on conflict (org_id, rival_id) do update set cool_off_d = excluded.cool_off_d
        where r.cool_off_d <> excluded.cool_off_d;
end
$$;
grant execute on function evenhand.rivals_anew() to evenhand_gate;

-- scheduler, gate, and the desk's functions: until when somebody is kept off a space, or null. A date, and not whose wall it is.
create function evenhand.kept_off(p_org text, p_person text) returns timestamptz
    language sql stable
as $$
    select max(x.until_at)
      from (select t.barred_until as until_at from evenhand.tie t where t.org_id = p_org and t.person_id = p_person
            union all
            select greatest(t.worked_until, t.console_until) + make_interval(days => r.cool_off_d)
              from evenhand.rivalry r join evenhand.tie t on t.org_id = r.rival_id and t.person_id = p_person
             where r.org_id = p_org) x
     where x.until_at > clock_timestamp()
$$;
grant execute on function evenhand.kept_off(text, text) to evenhand_scheduler, evenhand_gate;

-- app: whoever is about to see a customer's content as a worker is tied to that customer from now on. Gives until when they are
-- kept off it instead, or null.
create function evenhand.admit(p_ctx text, p_person text) returns timestamptz
    language plpgsql volatile security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_org text;
    v_kept timestamptz;
    v_until timestamptz;
begin
    v_org := ctx.enter(p_ctx);
    perform pg_advisory_xact_lock(hashtextextended('wall' || p_person, 0));
    v_kept := evenhand.kept_off(v_org, p_person);
    select max(a.lease_until) into v_until from evenhand.assignment a
     where a.org_id = v_org and a.person_id = p_person and a.state = 'leased';
    -- what somebody held when a wall went up is theirs to finish, and counts
    if v_kept is not null and v_until is null then return v_kept; end if;
    v_until := greatest(v_until, clock_timestamp());
    insert into evenhand.tie as t (org_id, person_id, worked_until) values (v_org, p_person, v_until + interval '1 hour')
        on conflict (org_id, person_id) do update set worked_until = excluded.worked_until where t.worked_until < v_until;
    return v_kept;
end
$$;

-- app: seats, to whomever no wall keeps off. Without a person everybody's who has none, without a project in each that is open to
-- all of the space; with both, this one. Gives which were given: each is an event.
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
-- Only that function gives seats, and nobody moves one to somebody else.
revoke insert, update on evenhand.seat from evenhand_app;
grant update (served_at, cursor_rank, cursor_task, cursor_until) on evenhand.seat to evenhand_app;
grant execute on function evenhand.admit(text, text), evenhand.give_seats(text, text, text, text) to evenhand_app;

-- scheduler: the queue heads of a person, without a word about what is in them. Who is kept off a customer has none there.
create function evenhand.queue_heads(p_person text, p_role text)
    returns table (org_id text, project_id text, served_at timestamptz, waiting boolean)
    language sql stable
as $$
    select s.org_id, s.project_id, s.served_at,
           -- by the index that holds nothing else: another one would be read past all that is not open. From its end: what was done
           -- since the last vacuum has left its entries at the head
           case when p_role = 'label'
                then (select true from evenhand.queue q
                       where q.org_id = s.org_id and q.project_id = s.project_id and q.state = 'open'
                       order by q.rank desc limit 1) is not null
                else (select true from evenhand.queue q
                       where q.org_id = s.org_id and q.project_id = s.project_id and q.state = 'review'
                       order by q.rank desc limit 1) is not null end
      from evenhand.seat s
     where s.person_id = p_person and s.role = p_role
       -- few are not active: their index has a page or two, and the project itself need not be found for each seat
       and not exists (select from evenhand.project p
                        where p.org_id = s.org_id and p.project_id = s.project_id and p.state <> 'active')
       and not exists (select from evenhand.tie t where t.org_id = s.org_id and t.person_id = p_person
                          and t.barred_until > now())
       and not exists (select from evenhand.rivalry r
                         join evenhand.tie t on t.org_id = r.rival_id and t.person_id = p_person
                        where r.org_id = s.org_id
                          and greatest(t.worked_until, t.console_until) + make_interval(days => r.cool_off_d) > now())
$$;
grant execute on function evenhand.queue_heads(text, text) to evenhand_scheduler, evenhand_gate;

-- app: lease the first open task that this person, or the person of a session, has not had. Nobody waits: a row that another call
-- holds is passed over.
-- The comparison (select ...) is null keeps the check a subplan for each candidate; "not exists" may turn into a hash of
-- every assignment there is.
-- A task with a known answer is shown under another id, and its body is bound to the true one, so that is said as well.
create function evenhand.lease(
    p_ctx text, p_hash bytea, p_person text, p_project text, p_role text, p_assignment text, p_fact text, p_salt bytea,
    p_event text, p_fact_body bytea, p_empty bytea, p_most integer, p_draw double precision default 1)
    returns table (task_id text, lease_until timestamptz, lease_s integer, version integer, body bytea, own_task text,
                   changed_at timestamptz)
    language plpgsql volatile security definer
    set search_path = pg_catalog, pg_temp
    -- Without statistics, right after an import, the planner would read all open rows and sort them.
    set enable_sort = off
    -- Where a search begins is another place each time; a plan made for that place would seem cheaper, and be made at each call.
    set plan_cache_mode = force_generic_plan
as $$
declare
    v_org text;
    v_person text;
    v_head record;
    v_task record;
    v_now timestamptz := clock_timestamp();
    v_until timestamptz;
    v_begun timestamptz;
    v_from_rank smallint := -32768;
    v_from_task text := '';
    v_gold text;
    v_shown text;
    v_wait boolean;
begin
    v_org := ctx.enter(p_ctx);
    -- Whoever shows a session must be the person whom the event names.
    if p_hash is not null and ctx.person(p_hash) is distinct from p_person then return; end if;
    v_person := p_person;
    -- Two calls of one person wait for each other, whatever the customers, so that of two rivals each finds the other's work;
    -- what follows counts after the wait.
    perform pg_advisory_xact_lock(hashtextextended('wall' || v_person, 0));
    update evenhand.seat s set served_at = v_now
      from evenhand.project p left join evenhand.tie w on w.org_id = v_org and w.person_id = v_person
     where s.org_id = v_org and s.project_id = p_project and s.person_id = v_person and s.role = p_role
       and p.org_id = v_org and p.project_id = p_project and p.state = 'active'
       and exists (select from evenhand.member m
                    where m.org_id = v_org and m.person_id = v_person and m.state = 'active')
    returning p.lease_s, p.version, p.updated_at, p.gold, p.gold_share, s.cursor_rank, s.cursor_task, s.cursor_at, s.cursor_until,
              w.worked_until, w.barred_until,
              exists (select from evenhand.rivalry r where r.org_id = v_org) as rivals,
              (select count(*) from evenhand.assignment a
                where a.org_id = v_org and a.person_id = v_person and a.state = 'leased') as held
         into v_head;
    if not found or v_head.held >= p_most then return; end if;
    if (v_head.rivals or v_head.barred_until > v_now) and evenhand.kept_off(v_org, v_person) is not null then return; end if;
    if v_head.gold then  -- 0006: a task with a known answer instead, or nothing before the course is passed
        select g.task_id, g.shown, g.wait into v_gold, v_shown, v_wait
          from evenhand.gold_next(v_org, p_project, v_person, p_role, v_head.gold_share, p_draw, right(p_fact, 12)) g;
        if v_wait then return; end if;
    end if;
    -- The index keeps the entries of what is no longer open for a while, and a person's own tasks with places for others stay
    -- open: a search begins where the last one ended, and every now and then at the head; the longer that takes, the more seldom.
    v_begun := clock_timestamp();
    if v_head.cursor_until > v_now then
        v_from_rank := v_head.cursor_rank;
        v_from_task := v_head.cursor_task;
    end if;
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
        v_head.cursor_until := '-infinity';
        v_from_rank := -32768;  -- past the end: once more from the head
        v_from_task := '';
    end loop;
    if v_task.task_id is null then return; end if;
    if v_gold is null and (v_head.cursor_until <= v_now or v_head.cursor_at <= v_now - interval '2 seconds') then
        update evenhand.seat s
           set cursor_rank = v_task.rank, cursor_task = v_task.task_id, cursor_at = v_now,
               cursor_until = case when v_head.cursor_until > v_now then v_head.cursor_until
                                   when v_task.overlap > 1 then v_now + interval '1 minute'
                                   else v_now + least(interval '1 minute', interval '2 seconds' + 500 * (clock_timestamp() - v_begun))
                              end
         where s.org_id = v_org and s.project_id = p_project and s.person_id = v_person and s.role = p_role;
    end if;
    v_until := v_now + make_interval(secs => v_head.lease_s);
    if v_head.worked_until is null or v_head.worked_until < v_until then  -- once an hour
        insert into evenhand.tie as t (org_id, person_id, worked_until) values (v_org, v_person, v_until + interval '1 hour')
            on conflict (org_id, person_id) do update set worked_until = greatest(t.worked_until, excluded.worked_until);
    end if;
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
        select coalesce(v_shown, t.task_id), v_until, v_head.lease_s, v_head.version, t.body, t.task_id, v_head.updated_at
          from evenhand.task t where t.org_id = v_org and t.task_id = v_task.task_id;
end
$$;
grant execute on function evenhand.lease(
    text, bytea, text, text, text, text, text, bytea, text, bytea, bytea, integer, double precision)
    to evenhand_app;

-- Access of the operator's people to a customer's content. A row is a grant that was begun; only its end can be changed, so nothing
-- is made longer. `second_id`: with break-glass, the other of the two people.
create table evenhand.access_grant (
    org_id     text collate "C" not null references evenhand.org,
    grant_id   text collate "C" not null,
    kind       text not null check (kind in ('support', 'break_glass')),
    staff_id   text collate "C" not null,
    second_id  text collate "C",
    project_id text collate "C",                -- null: the whole organisation
    from_at    timestamptz not null default now(),
    until_at   timestamptz not null,
    ended_at   timestamptz,
    body       bytea not null,                  -- the reason
    primary key (org_id, grant_id),
    check (until_at > from_at and until_at <= from_at + case kind when 'support' then interval '72 hours'
                                                                  else interval '4 hours' end),
    check ((kind = 'break_glass') = (second_id is not null)),
    check (second_id <> staff_id)
);
create index grant_staff on evenhand.access_grant (staff_id) where ended_at is null;
-- The first of two people asks; it lapses within the hour.
create table evenhand.glass_ask (
    org_id     text collate "C" not null references evenhand.org,
    ask_id     text collate "C" not null,
    staff_id   text collate "C" not null,
    project_id text collate "C",
    minutes    integer not null check (minutes between 1 and 240),
    created_at timestamptz not null default now(),
    done_at    timestamptz,
    body       bytea not null,
    primary key (org_id, ask_id)
);
alter table evenhand.person add column director boolean not null default false;   -- sees figures of all together, and nothing else
do $$
declare name text;
begin
    foreach name in array array['access_grant', 'glass_ask'] loop
        execute format('alter table evenhand.%I enable row level security', name);
        execute format('alter table evenhand.%I force row level security', name);
        execute format('create policy gate on evenhand.%I for select to evenhand_gate using (true)', name);
        execute format('create policy wall on evenhand.%I to evenhand_app using (org_id = (select ctx.org()))
                        with check (org_id = (select ctx.org()))', name);
        execute format('grant select, insert on evenhand.%I to evenhand_app', name);
    end loop;
end
$$;
grant update (ended_at) on evenhand.access_grant to evenhand_app;
grant update (done_at) on evenhand.glass_ask to evenhand_app;
grant select (org_id, grant_id, kind, staff_id, second_id, project_id, from_at, until_at, ended_at)
    on evenhand.access_grant to evenhand_gate;
grant select (org_id, ask_id, staff_id, project_id, minutes, created_at, done_at) on evenhand.glass_ask to evenhand_gate;
grant update (director) on evenhand.person to evenhand_gate;
-- Figures of all customers together: ids to be counted and not shown, states and times, never a body.
create policy reporter on evenhand.assignment for select to evenhand_reporter using (true);
create policy reporter on evenhand.org for select to evenhand_reporter using (true);
grant select (org_id, state, role, closed_at, paid_s) on evenhand.assignment to evenhand_reporter;
grant select (org_id, mode, sibling_id) on evenhand.org to evenhand_reporter;
