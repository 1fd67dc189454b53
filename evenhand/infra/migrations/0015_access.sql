-- Signing in and staying in; see docs/decisions/0023-access.md. All of it belongs to a person before a space is known, or is asked
-- for before one is, so the gate has it: ids, times, hashes, public keys and ciphertext.

-- A person may be active with a passkey alone, or come from an organisation's own provider: then there is no password.
alter table evenhand.person drop constraint person_check;
alter table evenhand.person add column demo boolean not null default false;  -- a password alone is enough, on a loopback home

-- A session tells what proved it. Those of before this release knew no second factor, and end with it.
alter table evenhand.session no force row level security;
alter table evenhand.person no force row level security;
alter table evenhand.org no force row level security;
delete from evenhand.session;
update evenhand.person set demo = true where password_hash is not null and exists (select from evenhand.org o where o.demo);
alter table evenhand.session force row level security;
alter table evenhand.person force row level security;
alter table evenhand.org force row level security;
alter table evenhand.session
    add column session_id text collate "C" not null unique,
    add column method     text not null check (method in ('passkey', 'code', 'recovery', 'password', 'provider')),
    add column proved_at  timestamptz not null default now(),   -- when somebody last showed that it is still them
    add column seen_at    timestamptz not null default now(),   -- by the minute
    add column bound      text[] collate "C",                   -- the only spaces that it opens; null: all of the person's
    add column barred     text[] collate "C" not null default '{}',  -- spaces whose networks it was not seen in
    add column body       bytea not null;                       -- the address and the browser
create table evenhand.passkey (
    passkey_id text collate "C" primary key,
    person_id  text collate "C" not null references evenhand.person,
    credential bytea not null unique,
    public_key bytea not null,                   -- a COSE key (RFC 9053)
    sign_count bigint not null,
    created_at timestamptz not null default now(),
    used_at    timestamptz,
    body       bytea not null                    -- its name
);
create index passkey_person on evenhand.passkey (person_id);
create table evenhand.totp (
    person_id    text collate "C" primary key references evenhand.person,
    confirmed_at timestamptz not null default now(),
    step         bigint not null,                -- of the last code that was taken: none is taken twice
    body         bytea not null                  -- the secret
);
create table evenhand.recovery_code (
    person_id text collate "C" not null references evenhand.person,
    code_mac  bytea not null,
    used_at   timestamptz,
    primary key (person_id, code_mac)
);
-- What was begun and must be ended once, within minutes: an enrolment, a challenge, a trip to a provider.
create table evenhand.ceremony (
    token_hash bytea primary key,
    kind       text not null check (kind in ('enrol', 'app', 'passkey_add', 'passkey', 'provider')),
    person_id  text collate "C" references evenhand.person,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    body       bytea not null
);
-- An invitation may be taken up, and an account mended, only by making a second factor too.
alter table evenhand.link add column factors boolean not null default false;  -- a reset that takes passkeys and app away as well

-- An organisation's own sign-in: its OpenID provider, the mail domains that it showed to be its own, and who came that way.
create table evenhand.provider (
    org_id     text collate "C" primary key references evenhand.org,
    state      text not null check (state in ('on', 'off')),
    created_at timestamptz not null default now(),
    body       bytea not null                    -- issuer, client and its secret
);
create table evenhand.email_domain (
    org_id      text collate "C" not null references evenhand.org,
    domain_mac  bytea not null,
    verified_at timestamptz,
    created_at  timestamptz not null default now(),
    body        bytea not null,                  -- its name, and the word that must stand there
    primary key (org_id, domain_mac)
);
create unique index email_domain_owner on evenhand.email_domain (domain_mac) where verified_at is not null;
create table evenhand.identity (
    org_id      text collate "C" not null references evenhand.org,
    subject_mac bytea not null,                  -- of issuer and subject
    person_id   text collate "C" not null references evenhand.person,
    created_at  timestamptz not null default now(),
    primary key (org_id, subject_mac)
);
-- Networks that an organisation's own people and its keys may come from. No row: any.
create table evenhand.ip_rule (
    org_id     text collate "C" primary key references evenhand.org,
    networks   cidr[] not null check (cardinality(networks) > 0),
    changed_at timestamptz not null default now()
);
-- A key that ends soon is told of once.
alter table evenhand.api_key add column warned_at timestamptz;
grant select (warned_at) on evenhand.api_key to evenhand_gate;
grant update (warned_at) on evenhand.api_key to evenhand_app;
-- Which sessions have been in which space: what its owner sees of them, and where they end for that space.
create table evenhand.entrance (
    org_id     text collate "C" not null references evenhand.org,
    session_id text collate "C" not null,
    person_id  text collate "C" not null references evenhand.person,
    entered_at timestamptz not null default now(),
    ended_at   timestamptz,
    expires_at timestamptz not null,
    body       bytea not null,                   -- how, whence and with what, as this organisation may know
    primary key (org_id, session_id)
);

do $$
declare name text;
begin
    foreach name in array array['passkey', 'totp', 'recovery_code', 'ceremony', 'provider', 'email_domain', 'identity',
                                'ip_rule', 'entrance'] loop
        execute format('alter table evenhand.%I enable row level security', name);
        execute format('alter table evenhand.%I force row level security', name);
        execute format('create policy gate on evenhand.%I to evenhand_gate using (true) with check (true)', name);
    end loop;
    foreach name in array array['provider', 'email_domain', 'identity', 'ip_rule', 'entrance'] loop
        execute format('create policy wall on evenhand.%I to evenhand_app using (org_id = (select ctx.org()))
                        with check (org_id = (select ctx.org()))', name);
        execute format('create policy erase on evenhand.%I to current_user
                        using (org_id = current_setting(''evenhand.org'', true))', name);  -- 0010: when it leaves
    end loop;
end
$$;
grant update (proved_at, method, seen_at, barred) on evenhand.session to evenhand_gate;
grant select, insert, delete on evenhand.passkey, evenhand.totp, evenhand.recovery_code, evenhand.ceremony to evenhand_gate;
grant update (sign_count, used_at, body) on evenhand.passkey to evenhand_gate;
grant update (step, confirmed_at, body) on evenhand.totp to evenhand_gate;
grant update (used_at) on evenhand.recovery_code to evenhand_gate;
grant select on evenhand.provider, evenhand.email_domain, evenhand.ip_rule to evenhand_gate;
grant select, insert on evenhand.identity, evenhand.entrance to evenhand_gate;
grant select, insert, update, delete on evenhand.provider, evenhand.email_domain, evenhand.ip_rule to evenhand_app;
grant select, delete on evenhand.identity to evenhand_app;
grant select, update (ended_at) on evenhand.entrance to evenhand_app;
create policy cleaner on evenhand.ceremony to evenhand_cleaner using (expires_at < now());
create policy cleaner on evenhand.entrance to evenhand_cleaner using (expires_at < now());
grant select (expires_at), delete on evenhand.ceremony, evenhand.entrance to evenhand_cleaner;

-- The person of a session that is shown at the desk: not where it is bound to other spaces, or was seen outside their networks.
create function ctx.person(p_hash bytea) returns text
    language plpgsql volatile
as $$
declare
    shown text := set_config('evenhand.session', encode(p_hash, 'hex'), true);
    here  text := current_setting('evenhand.org', true);
begin
    return (select s.person_id from evenhand.session s join evenhand.person p using (person_id)
             where s.token_hash = p_hash and s.expires_at > now() and p.state = 'active'
               and (s.bound is null or here = any (s.bound)) and not here = any (s.barred));
end
$$;

-- gate: who holds this session, what it opens, and how long ago it was proved.
create function evenhand.session_person(p_hash bytea)
    returns table (person_id text, operator boolean, expires_at timestamptz, session_id text, method text, bound text[],
                   barred text[], proved_s double precision, seen_s double precision)
    language sql stable
as $$
    select s.person_id, p.operator and s.bound is null, s.expires_at, s.session_id, s.method, s.bound, s.barred,
           extract(epoch from now() - s.proved_at)::float8, extract(epoch from now() - s.seen_at)::float8
      from evenhand.session s join evenhand.person p using (person_id)
     where s.token_hash = p_hash and s.expires_at > now() and p.state = 'active'
$$;
grant execute on function evenhand.session_person(bytea) to evenhand_gate;

-- gate: who holds this session, and the queue heads of that person. No row: nobody; a row without a project: no seat.
create function evenhand.waiting(p_hash bytea, p_role text)
    returns table (person_id text, org_id text, project_id text, served_at timestamptz, waiting boolean)
    language sql stable
as $$
    select s.person_id, h.org_id, h.project_id, h.served_at, h.waiting
      from evenhand.session_person(p_hash) s left join lateral evenhand.queue_heads(s.person_id, p_role) h on true
$$;
grant execute on function evenhand.waiting(bytea, text) to evenhand_gate;
