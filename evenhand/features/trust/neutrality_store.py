"""SQL of the neutrality figures. What was decided is the scheduler's; what is published is the reporter's."""

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
    """insert into evenhand.neutrality (day, class, publication) values (%(day)s, %(class)s, %(publication)s)
       on conflict do nothing""",
    role="reporter",
)
PUBLISHED = Sql(
    "neutrality_published",
    "select publication from evenhand.neutrality order by day desc, class limit %(most)s",
    role="reporter",
)
