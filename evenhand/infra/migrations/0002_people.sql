-- Platform tables of the gate: what must be found before an organisation is known. Ids, times, states, MACs and ciphertext.
create table evenhand.org (
    org_id     text collate "C" primary key,
    mode       text not null check (mode in ('live', 'test')),
    sibling_id text collate "C" not null,       -- the other mode of the same organisation
    name_mac   bytea not null,
    state      text not null default 'active' check (state in ('active', 'closed')),
    demo       boolean not null default false,
    created_at timestamptz not null default now(),
    body       bytea not null,
    unique (name_mac, mode)
);
create table evenhand.person (
    person_id     text collate "C" primary key,
    email_mac     bytea not null unique,
    password_hash text,
    operator      boolean not null default false,
    state         text not null default 'invited' check (state in ('invited', 'active', 'left')),
    created_at    timestamptz not null default now(),
    body          bytea not null,
    check (state <> 'active' or password_hash is not null)
);
create table evenhand.session (
    token_hash bytea primary key,
    person_id  text collate "C" not null references evenhand.person,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index session_person on evenhand.session (person_id);
create table evenhand.link (
    token_hash bytea primary key,
    purpose    text not null check (purpose in ('setup', 'invite', 'reset')),
    person_id  text collate "C" references evenhand.person,
    orgs       text[] collate "C" not null default '{}',    -- the spaces that this invitation joins, and no others
    operator   boolean not null default false,               -- makes an operator, when it is used
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at    timestamptz,
    check ((purpose = 'setup') = (person_id is null))
);
create table evenhand.signin_attempt (
    subject_mac bytea not null,
    window_at   timestamptz not null,
    tries       integer not null,
    primary key (subject_mac, window_at)
);
create table evenhand.member (
    org_id     text collate "C" not null references evenhand.org,
    person_id  text collate "C" not null references evenhand.person,
    role       text not null check (role in ('owner', 'manager', 'viewer', 'annotator', 'reviewer')),
    source     text not null check (source in ('own', 'pool')),    -- invited by the customer, or shared by the operator
    state      text not null default 'active' check (state in ('active', 'invited', 'removed')),
    created_at timestamptz not null default now(),
    body       bytea not null,                                      -- name and address; of the pool: neither
    primary key (org_id, person_id),
    check (source = 'own' or role in ('annotator', 'reviewer'))
);
create index member_person on evenhand.member (person_id);
create table evenhand.api_key (
    org_id     text collate "C" not null references evenhand.org,
    key_id     text collate "C" not null,
    key_hash   bytea not null unique,
    prefix     text not null,
    scopes     text[] not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    body       bytea not null,
    primary key (org_id, key_id)
);

do $$
declare name text;
begin
    foreach name in array array['org', 'person', 'session', 'link', 'signin_attempt', 'member', 'api_key'] loop
        execute format('alter table evenhand.%I enable row level security', name);
        execute format('alter table evenhand.%I force row level security', name);
        execute format('create policy gate on evenhand.%I to evenhand_gate using (true) with check (true)', name);
    end loop;
    foreach name in array array['org', 'member', 'api_key'] loop
        execute format('create policy wall on evenhand.%I to evenhand_app using (org_id = (select ctx.org()))
                        with check (org_id = (select ctx.org()))', name);
    end loop;
end
$$;
grant select, insert on evenhand.org, evenhand.person, evenhand.session, evenhand.link, evenhand.signin_attempt,
    evenhand.member to evenhand_gate;
grant select (org_id, key_id, key_hash, scopes, expires_at, revoked_at) on evenhand.api_key to evenhand_gate;
grant update (state, body, name_mac) on evenhand.org to evenhand_gate;
grant update (password_hash, operator, state, body) on evenhand.person to evenhand_gate;
grant update (expires_at), delete on evenhand.session to evenhand_gate;
grant update (used_at) on evenhand.link to evenhand_gate;
grant update (tries), delete on evenhand.signin_attempt to evenhand_gate;
grant update (role, source, state, body) on evenhand.member to evenhand_gate;
grant select on evenhand.org to evenhand_app;
grant select, update (role, state, body) on evenhand.member to evenhand_app;
grant select, insert, update (revoked_at) on evenhand.api_key to evenhand_app;
