"""SQL of signing in. Statements of the gate touch platform tables only."""

from evenhand.infra.sql import Sql

TRY_COUNT = Sql(
    "signin_try",
    """insert into evenhand.signin_attempt (subject_mac, window_at, tries)
       values (%(subject)s, date_bin('15 minutes', now(), timestamptz '2000-01-01'), 1)
       on conflict (subject_mac, window_at) do update set tries = evenhand.signin_attempt.tries + 1
       returning tries""",
    role="gate",
)
TRY_CLEAR = Sql("signin_clear", "delete from evenhand.signin_attempt where subject_mac = %(subject)s", role="gate")

SIGNIN_PERSON = Sql(
    "signin_person",
    """select p.person_id, p.password_hash, p.demo, p.state, p.body, t.body as totp_body, t.step as totp_step,
              exists (select from evenhand.passkey k where k.person_id = p.person_id) as has_passkey
         from evenhand.person p left join evenhand.totp t using (person_id)
        where p.email_mac = %(email_mac)s or p.person_id = %(person)s""",
    role="gate",
)
SET_PASSWORD = Sql(
    "set_password", "update evenhand.person set password_hash = %(hash)s where person_id = %(person)s", role="gate"
)

SESSION_ADD = Sql(
    "session_add",
    """insert into evenhand.session (token_hash, session_id, person_id, method, bound, sid_mac, expires_at, ends_at, body)
       values (%(hash)s, %(session)s, %(person)s, %(method)s, %(bound)s, %(sid)s,
               now() + make_interval(secs => least(%(idle_s)s::float8, %(life_s)s)),
               now() + make_interval(secs => %(life_s)s), %(body)s)""",
    role="gate",
)
SESSION_PERSON = Sql("session_person", "select * from evenhand.session_person(%(hash)s)", role="gate")
# The spaces, of those whose own the person is, that have rules about networks which leave this address out. Where somebody was
# there (`acts`), the session is used, and lives on.
SESSION_SEEN = Sql(
    "session_seen",
    """update evenhand.session s
          set seen_at = case when %(acts)s then now() else s.seen_at end,
              expires_at = case when %(acts)s then least(s.ends_at, now() + make_interval(secs => %(idle_s)s))
                                else s.expires_at end,
              barred = coalesce((
              select array_agg(r.org_id) from evenhand.member m join evenhand.ip_rule r using (org_id)
               where m.person_id = s.person_id and m.source = 'own' and m.state = 'active'
                 and (%(address)s::text::inet <<= any (r.networks)) is not true), '{}')
        where s.token_hash = %(hash)s returning s.barred""",
    role="gate",
)
SESSION_PROVED = Sql(
    "session_proved",
    "update evenhand.session set proved_at = now(), method = %(method)s where session_id = %(session)s",
    role="gate",
)
SESSION_END = Sql("session_end", "delete from evenhand.session where token_hash = %(hash)s", role="gate")
SESSION_END_ONE = Sql(
    "session_end_one",
    "delete from evenhand.session where person_id = %(person)s and session_id = %(session)s returning session_id",
    role="gate",
)
SESSION_END_OTHERS = Sql(
    "session_end_others",
    "delete from evenhand.session where person_id = %(person)s and session_id <> %(session)s",
    role="gate",
)
SESSION_LIST = Sql(
    "session_list",
    """select session_id, method, created_at, seen_at, expires_at, ends_at, bound is not null as bound, body
         from evenhand.session where person_id = %(person)s and expires_at > now() order by seen_at desc, session_id limit 200""",
    role="gate",
)

CEREMONY_ADD = Sql(
    "ceremony_add",
    """insert into evenhand.ceremony (token_hash, kind, person_id, expires_at, body)
       values (%(hash)s, %(kind)s, %(person)s, now() + make_interval(secs => %(life_s)s), %(body)s)""",
    role="gate",
)
CEREMONY_GET = Sql(
    "ceremony_get",
    """select person_id, body from evenhand.ceremony
        where token_hash = %(hash)s and kind = %(kind)s and expires_at > now()""",
    role="gate",
)
CEREMONY_END = Sql(
    "ceremony_end",
    """delete from evenhand.ceremony where token_hash = %(hash)s and kind = %(kind)s and expires_at > now()
       returning person_id, body""",
    role="gate",
)

#: a logout token is taken once
LOGOUT_ONCE = Sql(
    "logout_once",
    """insert into evenhand.ceremony (token_hash, kind, expires_at, body)
       values (%(hash)s, 'logout', now() + make_interval(secs => %(life_s)s), %(body)s) on conflict do nothing""",
    role="gate",
)
#: Of a person, of a session by the provider's name for it, or both. One whose name was not told when it began may be the one.
SESSIONS_OF_PROVIDER_END = Sql(
    "sessions_of_provider_end",
    """delete from evenhand.session s
        where s.method = 'provider' and %(org)s::text = any (s.bound)
          and (%(person)s::text is null or s.person_id = %(person)s)
          and (%(sid)s::bytea is null or s.sid_mac = %(sid)s or (s.sid_mac is null and %(person)s is not null))
       returning s.person_id, s.session_id""",
    role="gate",
)
ENTRANCES_END = Sql(
    "entrances_end",
    "update evenhand.entrance set ended_at = now() where session_id = any (%(sessions)s::text[]) and ended_at is null",
    role="gate",
)

TOTP_PUT = Sql(
    "totp_put",
    """insert into evenhand.totp (person_id, step, body) values (%(person)s, %(step)s, %(body)s)
       on conflict (person_id) do update set step = excluded.step, body = excluded.body, confirmed_at = now()""",
    role="gate",
)
# Of two that come with the same code at once, one finds it used.
TOTP_USE = Sql(
    "totp_use",
    "update evenhand.totp set step = %(step)s where person_id = %(person)s and step < %(step)s returning step",
    role="gate",
)
RECOVERY_ADD = Sql(
    "recovery_add",
    """insert into evenhand.recovery_code (person_id, code_mac)
       select %(person)s, unnest(%(macs)s::bytea[])""",
    role="gate",
)
RECOVERY_USE = Sql(
    "recovery_use",
    """update evenhand.recovery_code set used_at = now()
        where person_id = %(person)s and code_mac = %(mac)s and used_at is null returning person_id""",
    role="gate",
)
FACTORS = Sql(
    "factors",
    """select p.password_hash is not null as password, p.demo, p.body, t.confirmed_at as app,
              (select count(*) from evenhand.recovery_code r where r.person_id = p.person_id and r.used_at is null) as codes,
              (select count(*) from evenhand.passkey k where k.person_id = p.person_id) as passkeys
         from evenhand.person p left join evenhand.totp t using (person_id) where p.person_id = %(person)s""",
    role="gate",
)
FACTORS_LOCK = Sql("factors_lock", "select from evenhand.person where person_id = %(person)s for update", role="gate")

PASSKEY_ADD = Sql(
    "passkey_add",
    """insert into evenhand.passkey (passkey_id, person_id, credential, public_key, sign_count, body)
       values (%(passkey)s, %(person)s, %(credential)s, %(public_key)s, %(count)s, %(body)s)
       on conflict (credential) do nothing""",
    role="gate",
)
PASSKEY_LIST = Sql(
    "passkey_list",
    """select passkey_id, credential, public_key, sign_count, created_at, used_at, body from evenhand.passkey
        where person_id = %(person)s order by created_at, passkey_id""",
    role="gate",
)
PASSKEY_GET = Sql(
    "passkey_get",
    """select k.passkey_id, k.person_id, k.public_key, k.sign_count, p.state
         from evenhand.passkey k join evenhand.person p using (person_id)
        where k.credential = %(credential)s for update of k""",
    role="gate",
)
PASSKEY_USED = Sql(
    "passkey_used",
    "update evenhand.passkey set sign_count = %(count)s, used_at = now() where passkey_id = %(passkey)s",
    role="gate",
)
PASSKEY_NAME = Sql(
    "passkey_name",
    """update evenhand.passkey set body = %(body)s where person_id = %(person)s and passkey_id = %(passkey)s
       returning passkey_id""",
    role="gate",
)
PASSKEY_DROP = Sql(
    "passkey_drop",
    "delete from evenhand.passkey where person_id = %(person)s and passkey_id = %(passkey)s returning passkey_id",
    role="gate",
)

OWN_SPACES = Sql(
    "own_spaces",
    """select m.org_id, m.role from evenhand.member m join evenhand.org o using (org_id)
        where m.person_id = %(person)s and m.source = 'own' and m.state = 'active' and o.state = 'active'
        order by m.org_id""",
    role="gate",
)
ROLE_AT = Sql(
    "role_at",
    """select m.role, m.source, e.session_id is not null as entered, e.ended_at is not null as ended,
              (select (%(address)s::text::inet <<= any (r.networks)) is not true
                 from evenhand.ip_rule r where r.org_id = m.org_id) as outside,
              case when m.role in ('owner', 'manager', 'viewer')
                    and exists (select from evenhand.rivalry r where r.org_id = m.org_id)
                   then evenhand.console_shut(m.org_id, m.person_id) end as shut
         from evenhand.member m join evenhand.org o using (org_id)
         left join evenhand.entrance e on e.org_id = m.org_id and e.session_id = %(session)s
        where m.org_id = %(org)s and m.person_id = %(person)s and m.state = 'active' and o.state = 'active'""",
    role="gate",
)
ENTRANCE_ADD = Sql(
    "entrance_add",
    """insert into evenhand.entrance (org_id, session_id, person_id, expires_at, body)
       values (%(org)s, %(session)s, %(person)s, now() + make_interval(secs => %(life_s)s), %(body)s)
       on conflict do nothing""",
    role="gate",
)
ENTRANCE_LIST = Sql(
    "entrance_list",
    """select session_id, person_id, entered_at, body from evenhand.entrance
        where org_id = %(org)s and ended_at is null and expires_at > now() order by entered_at desc, session_id limit 500""",
)
ENTRANCE_END = Sql(
    "entrance_end",
    """update evenhand.entrance set ended_at = now()
        where org_id = %(org)s and session_id = %(session)s and ended_at is null returning person_id""",
)

MODE_HERE = Sql("mode_here", "select mode from evenhand.org where org_id = %(org)s")
PROVIDER_MINE = Sql("provider_mine", "select state, body from evenhand.provider where org_id = %(org)s")
PROVIDER_PUT = Sql(
    "provider_put",
    """insert into evenhand.provider (org_id, state, body) values (%(org)s, %(state)s, %(body)s)
       on conflict (org_id) do update set state = excluded.state, body = excluded.body""",
)
PROVIDER_DROP = Sql("provider_drop", "delete from evenhand.provider where org_id = %(org)s")
PROVIDER_OF = Sql(
    "provider_of",
    """select p.body from evenhand.provider p join evenhand.org o using (org_id)
        where p.org_id = %(org)s and p.state = 'on' and o.state = 'active'""",
    role="gate",
)
IDENTITIES_DROP = Sql("identities_drop", "delete from evenhand.identity where org_id = %(org)s")
IDENTITY_OF = Sql(
    "identity_of",
    "select person_id from evenhand.identity where org_id = %(org)s and subject_mac = %(mac)s",
    role="gate",
)
IDENTITY_ADD = Sql(
    "identity_add",
    """insert into evenhand.identity (org_id, subject_mac, person_id) values (%(org)s, %(mac)s, %(person)s)
       on conflict do nothing""",
    role="gate",
)
SPACES_OF = Sql(
    "spaces_of",
    "select org_id from evenhand.org where org_id = %(org)s or sibling_id = %(org)s order by org_id",
    role="gate",
)
DOMAINS_MINE = Sql(
    "domains_mine",
    "select domain_mac, verified_at, body from evenhand.email_domain where org_id = %(org)s order by created_at",
)
DOMAIN_MINE = Sql(
    "domain_mine", "select body from evenhand.email_domain where org_id = %(org)s and domain_mac = %(mac)s"
)
DOMAIN_ADD = Sql(
    "domain_add",
    """insert into evenhand.email_domain (org_id, domain_mac, body) values (%(org)s, %(mac)s, %(body)s)
       on conflict do nothing""",
)
DOMAIN_OWNED = Sql(
    "domain_owned",
    """select verified_at is not null from evenhand.email_domain
        where org_id = %(org)s and domain_mac = %(mac)s""",
)
DOMAIN_VERIFY = Sql(
    "domain_verify",
    "update evenhand.email_domain set verified_at = now() where org_id = %(org)s and domain_mac = %(mac)s",
)
DOMAIN_DROP = Sql("domain_drop", "delete from evenhand.email_domain where org_id = %(org)s and domain_mac = %(mac)s")
DOMAIN_OWNER = Sql(
    "domain_owner",
    "select org_id from evenhand.email_domain where domain_mac = %(mac)s and verified_at is not null",
    role="gate",
)

RULES_MINE = Sql(
    "ip_rules_mine", "select networks::text[] as networks, changed_at from evenhand.ip_rule where org_id = %(org)s"
)
RULES_PUT = Sql(
    "ip_rules_put",
    """insert into evenhand.ip_rule (org_id, networks) values (%(org)s, %(networks)s::text[]::cidr[])
       on conflict (org_id) do update set networks = excluded.networks, changed_at = now()""",
)
RULES_DROP = Sql("ip_rules_drop", "delete from evenhand.ip_rule where org_id = %(org)s")
# Sessions that are open at the desk just now have to be looked at again.
SESSIONS_BAR = Sql(
    "sessions_bar",
    """update evenhand.session s set barred = array_append(array_remove(s.barred, %(org)s), %(org)s)
         from evenhand.member m
        where m.org_id = %(org)s and m.person_id = s.person_id and m.source = 'own' and m.state = 'active'""",
    role="gate",
)

KEYS_ENDING = Sql(
    "keys_ending",
    """select org_id, key_id from evenhand.api_key
        where revoked_at is null and warned_at is null and expires_at > now()
          and expires_at < now() + make_interval(days => %(days)s) order by expires_at limit 500""",
    role="gate",
)
KEY_WARNED = Sql(
    "key_warned",
    """update evenhand.api_key set warned_at = now()
        where org_id = %(org)s and key_id = %(key)s and warned_at is null and revoked_at is null
       returning prefix, expires_at, body""",
)
