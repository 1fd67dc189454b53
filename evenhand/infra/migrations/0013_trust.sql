-- Whose word is enough: the witnesses that the log asks, as c2sp.org/tlog-policy writes it, without the log's own line. The newest
-- version counts; the record of each epoch names its hash.
create table evenhand.log_policy (
    version integer primary key,
    at      timestamptz not null default clock_timestamp(),
    words   text not null check (octet_length(words) between 1 and 65536)
);
-- A security team's feed: each event of the organisation goes out, in the order of its counter, at least once.
create table evenhand.feed (
    org_id  text collate "C" not null,
    feed_id text collate "C" not null,
    sent    bigint not null,                    -- the counter up to which the receiver has everything
    next_at timestamptz,                        -- when there is something to look for; null while it is switched off
    tries   integer not null default 0,         -- in vain, one after another
    sent_at timestamptz,
    body    bytea not null,                     -- where to, how, and what went wrong last
    primary key (org_id, feed_id)
);
create index feed_due on evenhand.feed (next_at) where next_at is not null;
-- In the order of counters, and none twice.
create unique index log_place_counter on evenhand.log_place (org_id, counter);

-- What happens seldom is found without walking through the work: who came and left, keys, exports, deletions.
create index fact_rare on evenhand.fact (org_id, fact_id)
    where kind not in ('TaskLeased', 'AnnotationSubmitted', 'MediaServed', 'TaskDone', 'TaskViewed', 'ContentShown', 'TaskReady',
                       'TaskCreated', 'LeaseReleased', 'ReviewClosed');

alter table evenhand.log_policy enable row level security;
alter table evenhand.log_policy force row level security;
create policy sequencer on evenhand.log_policy to evenhand_sequencer using (true) with check (true);
grant select, insert on evenhand.log_policy to evenhand_sequencer;
grant update (checkpoint) on evenhand.log_epoch to evenhand_sequencer;  -- cosignatures come after it

alter table evenhand.feed enable row level security;
alter table evenhand.feed force row level security;
create policy wall on evenhand.feed to evenhand_app using (org_id = (select ctx.org())) with check (org_id = (select ctx.org()));
grant select, insert, update, delete on evenhand.feed to evenhand_app;
create policy due on evenhand.feed for select to evenhand_scheduler using (true);
grant select (org_id, feed_id, next_at) on evenhand.feed to evenhand_scheduler;
create policy erase on evenhand.feed to current_user
    using (org_id = current_setting('evenhand.org', true)) with check (org_id = current_setting('evenhand.org', true));
