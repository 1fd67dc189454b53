"""SQL of people. Statements of the gate touch platform tables only: ids, times, states, MACs and ciphertext."""

from evenhand.infra.sql import Sql

ORG_ADD = Sql(
    "org_add",
    """insert into evenhand.org (org_id, mode, sibling_id, name_mac, demo, body)
       values (%(org)s, %(mode)s, %(sibling)s, %(name_mac)s, %(demo)s, %(body)s)""",
    role="gate",
)
ORG_KEY_ADD = Sql(
    "org_key_add",
    """insert into evenhand.org_key (org_id, version, key_id, wrapped)
       values (%(org)s, %(version)s, %(key_id)s, %(wrapped)s)""",
    role="gate",
)
DATA_KEY_ADD = Sql(
    "data_key_add",
    """insert into evenhand.data_key (org_id, project_id, version, under, wrapped)
       values (%(org)s, '', %(version)s, %(under)s, %(wrapped)s)""",
    role="gate",
)
#: who is whose rival: a new customer may stand in somebody's list already
RIVALS_ANEW = Sql("rivals_anew", "select evenhand.rivals_anew()", role="gate")
ORG_FIND = Sql(
    "org_find",
    """select org_id, mode, sibling_id, body from evenhand.org
        where (org_id = %(ref)s or name_mac = %(name_mac)s) and state = 'active' order by mode""",
    role="gate",
)
ORG_GET = Sql(
    "org_get", "select org_id, mode, sibling_id, body, demo from evenhand.org where org_id = %(org)s", role="gate"
)
ORG_LIST = Sql(
    "org_list",
    "select org_id, mode, sibling_id, body, demo from evenhand.org where state = 'active' order by org_id",
    role="gate",
)
#: nobody gets in any more, and the name is free
ORG_CLOSE = Sql(
    "org_close",
    "update evenhand.org set state = 'closed', name_mac = %(name_mac)s where org_id = %(org)s and state = 'active'",
    role="gate",
)
#: the rivals' days are counted from then on for everybody who had a role in its console
CONSOLES_END = Sql(
    "consoles_end",
    "update evenhand.tie set console_until = now() where org_id = %(org)s and console_until = 'infinity'",
    role="gate",
)
ORG_CLOSED = Sql("org_closed", "select org_id, sibling_id from evenhand.org where state = 'closed'", role="gate")
ORG_MINE = Sql("org_mine", "select org_id, mode, body from evenhand.org where org_id = %(org)s")

PERSON_ADD = Sql(
    "person_add",
    """insert into evenhand.person (person_id, email_mac, password_hash, operator, demo, state, body)
       values (%(person)s, %(email_mac)s, %(hash)s, %(operator)s, %(demo)s, %(state)s, %(body)s)""",
    role="gate",
)
PERSON_BY_EMAIL = Sql(
    "person_by_email",
    """select person_id, password_hash, operator, state, body from evenhand.person where email_mac = %(email_mac)s""",
    role="gate",
)
PERSON_GET = Sql(
    "person_get",
    "select person_id, operator, director, state, body from evenhand.person where person_id = %(person)s",
    role="gate",
)
PERSON_LOCK = Sql(
    "person_lock", "select state, body from evenhand.person where person_id = %(person)s for update", role="gate"
)
PERSON_LIST = Sql(
    "person_list",
    "select person_id, operator, director, state, body from evenhand.person order by person_id",
    role="gate",
)
PERSON_ACTIVATE = Sql(
    "person_activate",
    """update evenhand.person set password_hash = %(hash)s, state = 'active', body = %(body)s
        where person_id = %(person)s""",
    role="gate",
)
#: whoever comes by an organisation's own sign-in: active from now on, with nothing of their own to sign in with
PERSON_BEGIN = Sql(
    "person_begin",
    """update evenhand.person set state = 'active', body = %(body)s
        where person_id = %(person)s and state = 'invited'""",
    role="gate",
)
PERSON_OPERATOR = Sql(
    "person_operator", "update evenhand.person set operator = true where person_id = %(person)s", role="gate"
)
#: two set-up links that are used at the same moment: one goes first, and the other finds an operator
SETUP_LOCK = Sql("setup_lock", "select pg_advisory_xact_lock(hashtext('evenhand set-up'))", role="gate")
OPERATOR_EXISTS = Sql("operator_exists", "select exists (select from evenhand.person where operator)", role="gate")

#: `low` to `high` are the hashes that begin with the sixteen bytes that a link to media knows
SESSION_STARTING = Sql(
    "session_starting",
    """select s.person_id from evenhand.session s join evenhand.person p using (person_id)
        where s.token_hash between %(low)s and %(high)s and s.expires_at > now() and p.state = 'active'
          and (s.bound is null or %(org)s = any(s.bound)) and %(org)s <> all(s.barred)""",
    role="gate",
)
SESSION_END_ALL = Sql("session_end_all", "delete from evenhand.session where person_id = %(person)s", role="gate")
PASSKEYS_DROP = Sql("passkeys_drop", "delete from evenhand.passkey where person_id = %(person)s", role="gate")
TOTP_DROP = Sql("totp_drop", "delete from evenhand.totp where person_id = %(person)s", role="gate")
RECOVERY_DROP = Sql("recovery_drop", "delete from evenhand.recovery_code where person_id = %(person)s", role="gate")

LINK_ADD = Sql(
    "link_add",
    """insert into evenhand.link (token_hash, purpose, person_id, orgs, operator, factors, expires_at)
       values (%(hash)s, %(purpose)s, %(person)s, %(orgs)s, %(operator)s, %(factors)s,
               now() + make_interval(secs => %(life_s)s))
       returning expires_at""",
    role="gate",
)
LINK_GET = Sql(
    "link_get",
    """select l.purpose, l.person_id, l.orgs, p.state as person_state, p.body as person_body
         from evenhand.link l left join evenhand.person p using (person_id)
        where l.token_hash = %(hash)s and l.used_at is null and l.expires_at > now()""",
    role="gate",
)
LINK_USE = Sql(
    "link_use",
    """update evenhand.link set used_at = now()
        where token_hash = %(hash)s and used_at is null and expires_at > now()
       returning purpose, person_id, orgs, operator, factors""",
    role="gate",
)

MEMBER_PUT = Sql(
    "member_put",
    """insert into evenhand.member (org_id, person_id, role, source, state, body)
       values (%(org)s, %(person)s, %(role)s, %(source)s, %(state)s, %(body)s)
       on conflict (org_id, person_id) do update
          set role = excluded.role, source = excluded.source, body = excluded.body, state = excluded.state
        where evenhand.member.state <> 'active'""",
    role="gate",
)
MEMBER_ACTIVATE = Sql(
    "member_activate",
    "select role, kept_until from evenhand.activate_member(%(org)s, %(person)s, %(body)s)",
    role="gate",
)
MEMBER_ORGS = Sql(
    "member_orgs",
    """select m.org_id, m.role, m.state, o.mode, o.body from evenhand.member m join evenhand.org o using (org_id)
        where m.person_id = %(person)s and m.state <> 'removed' and o.state = 'active'
        order by least(o.org_id, o.sibling_id), o.mode""",
    role="gate",
)
#: a role that a wall shuts is none
MEMBER_ROLE = Sql(
    "member_role",
    """select m.role from evenhand.member m join evenhand.org o using (org_id)
        where m.org_id = %(org)s and m.person_id = %(person)s and m.state = 'active' and o.state = 'active'
          and (m.role not in ('owner', 'manager', 'viewer')
               or not exists (select from evenhand.rivalry r where r.org_id = m.org_id)
               or evenhand.console_shut(m.org_id, m.person_id) is null)""",
    role="gate",
)
MEMBER_STATE = Sql(
    "member_state",
    "select state from evenhand.member where org_id = %(org)s and person_id = %(person)s",
    role="gate",
)
MEMBER_COUNTS = Sql(
    "member_counts",
    "select org_id, count(*) as members from evenhand.member where state <> 'removed' group by org_id",
    role="gate",
)
MEMBER_LIST = Sql(
    "member_list",
    """select person_id, role, source, state, created_at, body from evenhand.member
        where org_id = %(org)s and state <> 'removed' order by created_at, person_id""",
)
MEMBER_IDS = Sql("member_ids", "select person_id from evenhand.member where org_id = %(org)s")
MEMBER_GET = Sql(
    "member_get",
    "select person_id, role, source, state, body from evenhand.member where org_id = %(org)s and person_id = %(person)s",
)
#: until when a wall keeps the person from it, or null where it was done
MEMBER_SET = Sql(
    "member_set", "select evenhand.set_member(current_setting('evenhand.ctx'), %(person)s, %(role)s, %(state)s)"
)
OWNERS = Sql(
    "member_owners",
    """select person_id from evenhand.member
        where org_id = %(org)s and role = 'owner' and state <> 'removed' for update""",
)

KEY_ADD = Sql(
    "key_add",
    """insert into evenhand.api_key (org_id, key_id, key_hash, prefix, scopes, expires_at, body)
       values (%(org)s, %(key)s, %(hash)s, %(prefix)s, %(scopes)s, %(expires_at)s, %(body)s)""",
)
KEY_BY_HASH = Sql(
    "key_by_hash",
    """select k.org_id, k.key_id, k.key_hash, k.scopes, o.mode,
              (select (%(address)s::text::inet <<= any (r.networks)) is not true
                 from evenhand.ip_rule r where r.org_id = k.org_id) as outside
         from evenhand.api_key k join evenhand.org o using (org_id)
        where k.key_hash = %(hash)s and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
          and o.state = 'active'""",
    role="gate",
)
KEY_LIVES = Sql(
    "key_lives",
    """select exists (select from evenhand.api_key k join evenhand.org o using (org_id)
                       where k.org_id = %(org)s and k.key_id = %(key)s and k.revoked_at is null
                         and (k.expires_at is null or k.expires_at > now()) and o.state = 'active')""",
    role="gate",
)
KEY_LIST = Sql(
    "key_list",
    """select key_id, prefix, scopes, created_at, expires_at, body from evenhand.api_key
        where org_id = %(org)s and revoked_at is null order by key_id desc""",
)
KEY_REVOKE = Sql(
    "key_revoke",
    """update evenhand.api_key set revoked_at = now()
        where org_id = %(org)s and key_id = %(key)s and revoked_at is null returning key_id""",
)
