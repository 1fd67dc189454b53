-- Files are sealed under keys of their own, and who sees them is written down. See docs/decisions/0019-media.md.
alter table evenhand.asset add column object_key bytea;   -- the file's own key, wrapped by the organisation's
-- Files from before are not sealed: they stay where they are, are not shown, and are uploaded again.
alter table evenhand.asset add constraint asset_sealed check (state <> 'ready' or object_key is not null) not valid;

-- One for each page or lease that lets somebody see files: an event when it is made, one when it has ended.
create table evenhand.viewing (
    org_id        text collate "C" not null references evenhand.org,
    viewing_id    text collate "C" not null,
    kind          text not null check (kind in ('lease', 'session', 'key')),
    assignment_id text collate "C",               -- of a lease
    actor_kind    evenhand.actor_kind not null,
    actor_id      text collate "C" not null,      -- who sees
    opened_at     timestamptz not null default clock_timestamp(),
    until         timestamptz not null,           -- when the last of its links ends
    ranges        bigint not null default 0,      -- how often something was read
    bytes         bigint not null default 0,      -- and how much
    closed_at     timestamptz,
    body          bytea not null,                 -- which files, and the salt of the commitment to them
    primary key (org_id, viewing_id),
    check ((kind = 'lease') = (assignment_id is not null))
);
create unique index viewing_lease on evenhand.viewing (org_id, assignment_id) where assignment_id is not null and closed_at is null;
create index viewing_open on evenhand.viewing (org_id, until) where closed_at is null;
alter table evenhand.viewing enable row level security;
alter table evenhand.viewing force row level security;
create policy wall on evenhand.viewing to evenhand_app using (org_id = (select ctx.org())) with check (org_id = (select ctx.org()));
create policy erase on evenhand.viewing to current_user using (org_id = current_setting('evenhand.org', true))
    with check (org_id = current_setting('evenhand.org', true));   -- 0010: with the organisation
-- the scheduler says which spaces have one to close, the cleaner takes away what was closed a quarter of a year ago
create policy scheduler on evenhand.viewing for select to evenhand_scheduler using (true);
create policy cleaner on evenhand.viewing to evenhand_cleaner using (closed_at < now() - interval '90 days');
grant select, insert, update (until, ranges, bytes, closed_at) on evenhand.viewing to evenhand_app;
grant select (org_id, closed_at) on evenhand.viewing to evenhand_scheduler;
grant select (org_id, viewing_id, closed_at), delete on evenhand.viewing to evenhand_cleaner;
