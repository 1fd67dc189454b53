"""SQL of assets."""

from evenhand.infra.sql import Sql

ASSET_ADD = Sql(
    "asset_add",
    """insert into evenhand.asset (org_id, asset_id, state, media_type, size, width, height, ref_mac, object, object_key, body)
       values (%(org)s, %(asset)s, %(state)s, %(type)s, %(size)s, %(width)s, %(height)s, %(ref_mac)s, %(object)s, %(object_key)s,
               %(body)s)
       on conflict (org_id, ref_mac) do nothing returning asset_id""",
)
_ASSET = """select asset_id, state, media_type, size, width, height, created_at, updated_at, body from evenhand.asset"""
ASSET_GET = Sql("asset_get", _ASSET + " where org_id = %(org)s and asset_id = %(asset)s")
ASSET_FILE = Sql(
    "asset_file",
    """select object, object_key, media_type from evenhand.asset
        where org_id = %(org)s and asset_id = %(asset)s and state = 'ready'""",
)
ASSET_BY_REF = Sql("asset_by_ref", _ASSET + " where org_id = %(org)s and ref_mac = %(ref_mac)s")
ASSET_LIST = Sql(
    "asset_list",
    _ASSET
    + """ where org_id = %(org)s and (%(after)s::text is null or asset_id < %(after)s)
          order by asset_id desc limit %(limit)s""",
)
ASSET_READY = Sql(
    "asset_ready",
    """update evenhand.asset
          set state = %(state)s, media_type = %(type)s, size = %(size)s, width = %(width)s, height = %(height)s,
              object = %(object)s, object_key = %(object_key)s, body = %(body)s, updated_at = now()
        where org_id = %(org)s and asset_id = %(asset)s""",
)
ASSET_BYTES = Sql("asset_bytes", "select coalesce(sum(size), 0)::bigint from evenhand.asset where org_id = %(org)s")
OBJECTS_KNOWN = Sql(
    "objects_known",
    "select object from evenhand.asset where org_id = %(org)s and object = any(%(objects)s::text[])",
)
SWEPT_GET = Sql("swept_get", "select body from evenhand.setting where org_id = %(org)s and name = 'unused_files'")
SWEPT_PUT = Sql(
    "swept_put",
    """insert into evenhand.setting (org_id, name, body) values (%(org)s, 'unused_files', %(body)s)
       on conflict (org_id, name) do update set body = excluded.body""",
)
