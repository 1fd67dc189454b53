-- Wrapped keys; see docs/decisions/0014-keys.md. Nothing here opens anything without the key service.
create table evenhand.org_key (
    org_id     text collate "C" not null references evenhand.org,
    version    integer not null check (version > 0),
    key_id     text not null,                  -- the customer's key at its service, which wrapped this one
    wrapped    bytea not null,
    created_at timestamptz not null default now(),
    primary key (org_id, version)
);
create table evenhand.data_key (
    org_id     text collate "C" not null,
    project_id text collate "C" not null,      -- '' for what belongs to the organisation as a whole
    version    integer not null check (version > 0),
    under      integer not null,               -- the version of the organisation key that wrapped it
    wrapped    bytea not null,
    created_at timestamptz not null default now(),
    primary key (org_id, project_id, version),
    foreign key (org_id, under) references evenhand.org_key (org_id, version)
);
do $$
declare name text;
begin
    foreach name in array array['org_key', 'data_key'] loop
        execute format('alter table evenhand.%I enable row level security', name);
        execute format('alter table evenhand.%I force row level security', name);
        -- the gate makes an organisation together with its keys, and can't read them afterwards
        execute format('create policy gate on evenhand.%I for insert to evenhand_gate with check (true)', name);
        execute format('create policy wall on evenhand.%I to evenhand_app using (org_id = (select ctx.org()))
                        with check (org_id = (select ctx.org()))', name);
    end loop;
end
$$;
grant insert on evenhand.org_key, evenhand.data_key to evenhand_gate;
grant select on evenhand.org_key, evenhand.data_key to evenhand_app;
