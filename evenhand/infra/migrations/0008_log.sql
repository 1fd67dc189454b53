-- The transparency log (docs/decisions/0015-log.md): digests of facts get a place, a counter and a time. No content is here, nor
-- anything that tells one: who has a member's tag can recognise its leaves, so a member sees its own row only.
create table evenhand.log_member (
    org_id    text collate "C" primary key references evenhand.org,
    tag       bytea not null check (length(tag) = 32),
    slot      integer not null unique,
    count     bigint not null,
    opened_at bigint not null,                  -- microseconds since 1970: the member's first event, `log.opened`
    salt      bytea not null,                   -- of that event
    index     bigint not null                   -- of its leaf
);
-- No foreign key and no second index: this is one row an event. Facts are never deleted, and a bundle sorts what it reads.
create table evenhand.log_place (
    org_id    text collate "C" not null,
    fact_id   text collate "C" not null,
    counter   bigint not null,
    index     bigint not null,
    sequenced bigint not null,                  -- microseconds since 1970
    primary key (org_id, fact_id)
);
-- What tiles and bundles of entries are made from.
create table evenhand.log_batch (
    start   bigint primary key,
    entries bytea not null check (length(entries) >= 512 and length(entries) % 32 = 0)
);
create table evenhand.log_epoch (
    epoch      bigint primary key,
    size       bigint not null,
    salt       bytea not null,
    record     bytea not null,                  -- told to everybody
    slots      integer not null,                -- of its map
    held       bytea not null,                  -- of the map: slot (4 bytes) and count (8) of each member
    checkpoint bytea not null
);
create table evenhand.log_state (
    one       boolean primary key default true check (one),
    system_id bigint not null default 0,        -- of the cluster whose transaction numbers `xid` counts
    xid       xid8 not null default '0',        -- what is below has its place
    -- After a restore into another cluster facts have numbers that the new one has yet to reach, and most have their place. Until
    -- `xid` is past the highest of them, every fact is looked up before it gets one; then none from `xid` on has a place.
    strange   xid8 not null default '0',
    size      bigint not null default 0,
    roots     bytea not null default '',        -- of the complete subtrees, from left to right
    epoch     bigint not null default 0,
    ended     bigint not null default 0,        -- the size at its end
    batch_at  bigint not null default 0,        -- microseconds since 1970: no batch is older than the one before
    epoch_at  bigint not null default 0,
    published bigint not null default 0,        -- how much of it the tiles show
    wanted    boolean not null default false    -- somebody waits for the end of an epoch
);
insert into evenhand.log_state default values;

do $$
declare name text;
begin
    foreach name in array array['log_member', 'log_place', 'log_batch', 'log_epoch', 'log_state'] loop
        execute format('alter table evenhand.%I enable row level security', name);
        execute format('alter table evenhand.%I force row level security', name);
        execute format('create policy sequencer on evenhand.%I to evenhand_sequencer using (true) with check (true)', name);
    end loop;
    foreach name in array array['log_member', 'log_place'] loop
        execute format('create policy wall on evenhand.%I to evenhand_app using (org_id = (select ctx.org()))
                        with check (org_id = (select ctx.org()))', name);
    end loop;
end
$$;
grant select, insert on evenhand.log_member, evenhand.log_place, evenhand.log_batch, evenhand.log_epoch to evenhand_sequencer;
grant select on evenhand.log_state to evenhand_sequencer;
grant update (count) on evenhand.log_member to evenhand_sequencer;
grant update (system_id, xid, strange, size, roots, epoch, ended, batch_at, epoch_at, published, wanted)
    on evenhand.log_state to evenhand_sequencer;
grant select on evenhand.log_member, evenhand.log_place to evenhand_app;
