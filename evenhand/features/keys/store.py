"""SQL of wrapped keys and of the choice of a key service."""

from evenhand.infra.sql import Sql

LOCK = Sql(
    "keys_lock",
    """select version, key_id, wrapped, created_at from evenhand.org_key
        where org_id = %(org)s order by version for update""",
)
ORG_KEYS = Sql(
    "keys_org", "select version, created_at from evenhand.org_key where org_id = %(org)s order by version desc"
)
DATA_KEYS = Sql(
    "keys_data",
    """select project_id, version, under, created_at from evenhand.data_key
        where org_id = %(org)s order by project_id, version desc""",
)
CHOICE = Sql("keys_choice", "select body, changed_at from evenhand.key_service where org_id = %(org)s")
CHOOSE = Sql(
    "keys_choose",
    """insert into evenhand.key_service (org_id, kind, body) values (%(org)s, %(kind)s, %(body)s)
       on conflict (org_id) do update set kind = excluded.kind, body = excluded.body, changed_at = now()""",
)
ORG_KEY_SET = Sql(
    "keys_org_set",
    """update evenhand.org_key set key_id = %(key_id)s, wrapped = %(wrapped)s
        where org_id = %(org)s and version = %(version)s""",
)
ORG_KEY_ADD = Sql(
    "keys_org_add",
    """insert into evenhand.org_key (org_id, version, key_id, wrapped)
       values (%(org)s, %(version)s, %(key_id)s, %(wrapped)s)""",
)
# Nothing lies under it, and no process can still wrap by it: those that knew no newer one have read again since.
ORG_KEYS_UNUSED = Sql(
    "keys_org_unused",
    """delete from evenhand.org_key k
        where k.org_id = %(org)s
          and exists (select from evenhand.org_key n where n.org_id = k.org_id and n.version > k.version
                         and n.created_at < now() - make_interval(secs => %(older_s)s))
          and not exists (select from evenhand.data_key d where d.org_id = k.org_id and d.under = k.version)""",
)
DATA_KEY_SET = Sql(
    "keys_data_set",
    """update evenhand.data_key set under = %(under)s, wrapped = %(wrapped)s
        where org_id = %(org)s and project_id = %(project)s and version = %(version)s""",
)
USES = Sql(
    "keys_uses",
    """select fact_id, at, body from evenhand.fact
        where org_id = %(org)s and about_id = %(org)s and kind = 'KeyUnwrapped' order by fact_id desc limit %(limit)s""",
)
