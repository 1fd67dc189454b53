-- What the log tells, whole (docs/decisions/0020-events.md): seats that are given by themselves, enrolments that a crash cut short; and
-- how long the scheduler's own record of what it decided is kept.

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
