"""SQL of the neutrality figures. What was decided is the scheduler's; what is published is the reporter's. A row without a class is
a week, by its Monday."""

from evenhand.infra.sql import Sql

DAYS = Sql(
    "neutrality_days",
    """select distinct (closed at time zone 'UTC')::date as day, class from evenhand.sched_batch
        where closed >= %(from)s and closed < %(to)s order by 1, 2""",
    role="scheduler",
)
BATCHES = Sql(
    "neutrality_batches",
    """select batch, limits from evenhand.sched_batch
        where class = %(class)s and closed >= %(from)s and closed < %(to)s order by batch""",
    role="scheduler",
)
WEIGHTS = Sql(
    "neutrality_weights",
    """select n.org_id, evenhand.weight_of(n.org_id, %(at)s) as weight from unnest(%(orgs)s::text[]) as n (org_id)""",
    role="scheduler",
)
LIVE = Sql(
    "neutrality_live",
    "select org_id from evenhand.org where mode = 'live' and org_id = any(%(orgs)s::text[])",
    role="reporter",
)
DONE = Sql("neutrality_done", "select day, class from evenhand.neutrality where day >= %(since)s", role="reporter")
PUBLISH = Sql(
    "neutrality_publish",
    """insert into evenhand.neutrality (day, class, publication, number, head)
       values (%(day)s, %(class)s, %(publication)s, %(number)s, %(head)s)
       on conflict do nothing""",
    role="reporter",
)
LOCK = Sql("neutrality_lock", "select pg_advisory_xact_lock(%(lock)s)", role="reporter")
HEAD = Sql(
    "neutrality_head", "select number, head from evenhand.neutrality order by number desc limit 1", role="reporter"
)
TOLD_HEAD = Sql(
    "neutrality_told_head",
    "select number, head from evenhand.neutrality order by number desc limit 1",
    role="sequencer",
)
PUBLISHED = Sql(
    "neutrality_published",
    "select publication from evenhand.neutrality where class <> '' order by day desc, class limit %(most)s",
    role="reporter",
)
BETWEEN = Sql(
    "neutrality_between",
    """select publication from evenhand.neutrality
        where class <> '' and day >= %(from)s and day < %(to)s order by day desc, class""",
    role="reporter",
)
ONE_DAY = Sql(
    "neutrality_one_day",
    """select publication from evenhand.neutrality
        where day = %(day)s and class <> '' and (%(class)s::text is null or class = %(class)s) order by class""",
    role="reporter",
)
SUMMARIES = Sql(
    "neutrality_summaries",
    "select summary from evenhand.neutrality where class <> '' order by day desc, class limit %(most)s",
    role="reporter",
)
WEEKS = Sql(
    "neutrality_weeks",
    """select publication from evenhand.neutrality where class = '' and (%(week)s::date is null or day = %(week)s)
        order by day desc limit %(most)s""",
    role="reporter",
)
CHAIN = Sql(
    "neutrality_chain",
    """select day, class, number, head, encode(sha256(convert_to(publication, 'UTF8')), 'hex') as sha256
         from evenhand.neutrality where %(day)s::date is null or day = %(day)s order by number desc limit %(most)s""",
    role="reporter",
)
