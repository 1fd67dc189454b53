-- The public neutrality figures: one publication a day and class of work, made once and never altered (docs/decisions/0025-neutrality.md).
-- A platform table, and public: nothing in it names a customer.
create table evenhand.neutrality (
    day          date not null,                      -- of the batches that ended on it, UTC
    class        text collate "C" not null,
    published_at timestamptz not null default now(),
    publication  text not null,
    -- what a page says about every day: no line of a customer, which are read for the day that somebody looks at
    summary      text not null generated always as (((publication::jsonb - 'lines') #- '{figures,shares}')::text) stored,
    primary key (day, class)
);
alter table evenhand.neutrality enable row level security;
alter table evenhand.neutrality force row level security;
create policy reporter on evenhand.neutrality to evenhand_reporter using (true) with check (true);
grant select, insert on evenhand.neutrality to evenhand_reporter;
