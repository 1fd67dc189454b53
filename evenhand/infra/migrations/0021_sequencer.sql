-- The sequencer takes a batch in at one piece (docs/decisions/0015-log.md).

-- It reads the digests of a batch one after another: one that is shorter or longer would push all others aside.
alter table evenhand.fact add constraint fact_digest_check check (length(digest) = 32);
-- After a restore into another cluster facts have numbers that the new one has yet to reach, and most have their place. Until
-- `xid` is past the highest of them, every fact is looked up before it gets one; then none from `xid` on has a place.
alter table evenhand.log_state add column strange xid8 not null default '0';
grant update (strange) on evenhand.log_state to evenhand_sequencer;
