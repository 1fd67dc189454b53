-- The key service that a customer has chosen for a space; without a row it is the installation's own. See docs/decisions/0014-keys.md.
create table evenhand.key_service (
    org_id     text collate "C" not null references evenhand.org,
    kind       text not null check (kind in ('local', 'aws', 'vault')),
    changed_at timestamptz not null default now(),
    body       bytea not null,                 -- address, names and credentials; sealed by the installation, not by the customer
    primary key (org_id)
);
alter table evenhand.key_service enable row level security;
alter table evenhand.key_service force row level security;
create policy wall on evenhand.key_service to evenhand_app using (org_id = (select ctx.org()))
    with check (org_id = (select ctx.org()));
create policy erase on evenhand.key_service to current_user using (org_id = current_setting('evenhand.org', true))
    with check (org_id = current_setting('evenhand.org', true));
grant select, insert, update on evenhand.key_service to evenhand_app;

-- Rotation: further versions, and the same keys wrapped anew. A version under which nothing is left can be given up.
grant insert, delete, update (key_id, wrapped) on evenhand.org_key to evenhand_app;
grant update (under, wrapped) on evenhand.data_key to evenhand_app;
