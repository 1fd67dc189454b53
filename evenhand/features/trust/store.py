"""SQL of the log. The sequencer sees ids, numbers and digests."""

from evenhand.infra.sql import Sql

STATE_LOCK = Sql(
    "log_state_lock",
    """select s.system_id, s.xid::text, s.strange::text, s.xid <= s.strange as mixed, s.size, s.roots, s.epoch, s.ended,
              s.batch_at, s.epoch_at, s.published, s.wanted,
              (select c.system_identifier from pg_catalog.pg_control_system() c) as cluster,
              pg_snapshot_xmin(pg_current_snapshot())::text as horizon,
              pg_snapshot_xmax(pg_current_snapshot())::text as highest
         from evenhand.log_state s for update""",
    role="sequencer",
)
STATE_GET = Sql("log_state_get", "select size, published, batch_at from evenhand.log_state", role="sequencer")
# `oldest`: of what is committed and has no place yet.
HEALTH = Sql(
    "log_health",
    """select s.size, s.epoch, s.batch_at, s.epoch_at,
              (select min(f.at) from evenhand.fact f
                where f.xid >= s.xid and f.xid < pg_snapshot_xmax(pg_current_snapshot())
                  and (s.xid > s.strange or not exists
                       (select from evenhand.log_place p where p.org_id = f.org_id and p.fact_id = f.fact_id))) as oldest
         from evenhand.log_state s""",
    role="sequencer",
)
STATE_SET = Sql(
    "log_state_set",
    """update evenhand.log_state
          set system_id = %(system)s, xid = %(xid)s::text::xid8, strange = %(strange)s::text::xid8,
              size = %(size)s, roots = %(roots)s, epoch = %(epoch)s, ended = %(ended)s,
              batch_at = %(batch_at)s, epoch_at = %(epoch_at)s, wanted = %(wanted)s""",
    role="sequencer",
)
PUBLISHED_SET = Sql("log_published_set", "update evenhand.log_state set published = %(size)s", role="sequencer")
WANT_EPOCH = Sql("log_want_epoch", "update evenhand.log_state set wanted = true where not wanted", role="sequencer")
# The transaction number up to which there are not too many for one batch.
CUT = Sql(
    "log_cut",
    """select f.xid::text from evenhand.fact f
        where f.xid >= %(from)s::text::xid8 and f.xid < %(to)s::text::xid8 order by f.xid offset %(most)s limit 1""",
    role="sequencer",
)
# The highest transaction number of all, which may be another cluster's.
NEWEST = Sql("log_newest", "select f.xid::text from evenhand.fact f order by f.xid desc limit 1", role="sequencer")
# A batch in one row, as lists in the order of transactions: the driver takes half a microsecond for every value of every row. An
# aggregate reads a sorted subquery in its order.
_BATCH = """select max(p.at) as latest, string_agg(p.org_id, ',') as orgs, string_agg(p.fact_id, ',') as facts,
              string_agg(p.digest, '') as digests
         from (select f.org_id, f.fact_id, f.at, f.digest from evenhand.fact f"""
# What is finished: `to` is not above the oldest transaction that runs. Nothing from `from` on has a place: each batch moves it.
PENDING = Sql(
    "log_pending",
    f"""{_BATCH} where f.xid >= %(from)s::text::xid8 and f.xid < %(to)s::text::xid8 order by f.xid, f.fact_id) p""",
    role="sequencer",
)
# The same where that does not hold: after a restore into another cluster, whose transaction numbers start anew. `beyond`: older
# rows have numbers that this one will not reach for long.
PENDING_MIXED = Sql(
    "log_pending_mixed",
    f"""{_BATCH}
        where (f.xid >= %(from)s::text::xid8 and f.xid < %(to)s::text::xid8 or f.xid >= %(beyond)s::text::xid8)
          and not exists (select from evenhand.log_place o where o.org_id = f.org_id and o.fact_id = f.fact_id)
        order by f.xid, f.fact_id) p""",
    role="sequencer",
)
MEMBERS = Sql("log_members", "select org_id, tag, slot, count from evenhand.log_member", role="sequencer")
MEMBER_ADD = Sql(
    "log_member_add",
    """insert into evenhand.log_member (org_id, tag, slot, count, opened_at, salt, index)
       values (%(org)s, %(tag)s, %(slot)s, %(count)s, %(opened_at)s, %(salt)s, %(index)s)""",
    role="sequencer",
)
MEMBER_COUNTS = Sql(
    "log_member_counts",
    """update evenhand.log_member m set count = n.count
         from unnest(%(orgs)s::text[], %(counts)s::bigint[]) as n (org_id, count) where m.org_id = n.org_id""",
    role="sequencer",
)
# Lists as text: the driver takes a microsecond for each element of an array.
PLACES_ADD = Sql(
    "log_places_add",
    """insert into evenhand.log_place (org_id, fact_id, counter, index, sequenced)
       select n.org_id, n.fact_id, n.counter, n.index, %(sequenced)s
         from unnest(string_to_array(%(orgs)s::text, ','), string_to_array(%(facts)s::text, ','),
                     string_to_array(%(counters)s::text, ',')::bigint[], string_to_array(%(indices)s::text, ',')::bigint[])
              as n (org_id, fact_id, counter, index)""",
    role="sequencer",
)
BATCH_ADD = Sql(
    "log_batch_add",
    "insert into evenhand.log_batch (start, entries) values (%(start)s, %(entries)s)",
    role="sequencer",
)
BATCHES = Sql(
    "log_batches",
    "select start, entries from evenhand.log_batch where start >= %(from)s order by start limit %(most)s",
    role="sequencer",
)
EPOCH_ADD = Sql(
    "log_epoch_add",
    """insert into evenhand.log_epoch (epoch, size, salt, record, slots, held, checkpoint)
       values (%(epoch)s, %(size)s, %(salt)s, %(record)s, %(slots)s, %(held)s, %(checkpoint)s)""",
    role="sequencer",
)
EPOCHS = Sql(
    "log_epochs",
    """select epoch, size, salt, record, slots, held, checkpoint from evenhand.log_epoch
        where size > %(after)s and epoch <= %(upto)s order by epoch""",
    role="sequencer",
)
LAST_EPOCH = Sql(
    "log_last_epoch",
    "select epoch, size, record, checkpoint from evenhand.log_epoch where size <= %(published)s order by epoch desc limit 1",
    role="sequencer",
)

EPOCH_GET = Sql(
    "log_epoch_get",
    "select epoch, size, record, checkpoint from evenhand.log_epoch where epoch = %(epoch)s",
    role="sequencer",
)
EPOCH_LOCK = Sql(
    "log_epoch_lock",
    "select checkpoint from evenhand.log_epoch where size = %(size)s order by epoch desc limit 1 for update",
    role="sequencer",
)
EPOCH_COSIGN = Sql(
    "log_epoch_cosign",
    "update evenhand.log_epoch set checkpoint = %(checkpoint)s where size = %(size)s",
    role="sequencer",
)
POLICY_GET = Sql(
    "log_policy_get",
    "select version, words from evenhand.log_policy order by version desc limit 1",
    role="sequencer",
)
POLICY_ADD = Sql(
    "log_policy_add",
    """insert into evenhand.log_policy (version, words)
       select coalesce(max(version), 0) + 1, %(words)s::text from evenhand.log_policy""",
    role="sequencer",
)

# --- a customer's own part

MINE = Sql(
    "log_mine",
    "select tag, slot, count, opened_at, salt, index from evenhand.log_member where org_id = %(org)s",
)
EVENTS = Sql(
    "log_events",
    """select p.counter, p.index, p.sequenced, p.fact_id, f.kind, f.at, f.about_id, f.salt, f.digest, f.body
         from evenhand.log_place p join evenhand.fact f on f.org_id = p.org_id and f.fact_id = p.fact_id
        where p.org_id = %(org)s and p.index >= %(from)s and p.index < %(size)s order by p.index""",
)
CERTIFICATES = Sql(
    "log_certificates",
    "select note from evenhand.erasure where org_id = %(org)s and note is not null order by ended_at, erasure_id",
)
MY_COUNT = Sql("log_my_count", "select count from evenhand.log_member where org_id = %(org)s")

# --- feeds

FEEDS = Sql(
    "feeds",
    "select feed_id, sent, next_at, tries, sent_at, body from evenhand.feed where org_id = %(org)s order by feed_id",
)
FEED_GET = Sql(
    "feed_get",
    "select feed_id, sent, next_at, tries, body from evenhand.feed where org_id = %(org)s and feed_id = %(feed)s",
)
FEED_ADD = Sql(
    "feed_add",
    """insert into evenhand.feed (org_id, feed_id, sent, next_at, body)
       values (%(org)s, %(feed)s, %(sent)s, clock_timestamp(), %(body)s)""",
)
FEED_SWITCH = Sql(
    "feed_switch",
    """update evenhand.feed set next_at = case when %(wanted)s then clock_timestamp() end, tries = 0
        where org_id = %(org)s and feed_id = %(feed)s""",
)
FEED_DROP = Sql("feed_drop", "delete from evenhand.feed where org_id = %(org)s and feed_id = %(feed)s")
FEED_CLAIM = Sql(
    "feed_claim",
    """update evenhand.feed set next_at = clock_timestamp() + make_interval(secs => %(claim_s)s)
        where org_id = %(org)s and feed_id = %(feed)s and next_at <= clock_timestamp() returning feed_id""",
)
# Switched off meanwhile it stays off.
FEED_SENT = Sql(
    "feed_sent",
    """update evenhand.feed
          set sent = %(sent)s, tries = %(tries)s, sent_at = coalesce(%(sent_at)s, sent_at), body = %(body)s,
              next_at = case when next_at is not null then %(next_at)s::timestamptz end
        where org_id = %(org)s and feed_id = %(feed)s""",
)
FEEDS_DUE = Sql(
    "feeds_due",
    "select org_id, feed_id from evenhand.feed where next_at <= clock_timestamp() order by next_at limit 500",
    role="scheduler",
)
EVENTS_AFTER = Sql(
    "log_events_after",
    """select p.counter, p.index, f.fact_id, f.kind, f.at, f.about_id, f.body
         from evenhand.log_place p join evenhand.fact f on f.org_id = p.org_id and f.fact_id = p.fact_id
        where p.org_id = %(org)s and p.counter > %(sent)s order by p.counter limit %(most)s""",
)
