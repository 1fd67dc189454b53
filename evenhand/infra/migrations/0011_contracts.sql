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
