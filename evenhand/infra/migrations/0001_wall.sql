-- The wall's own floor: who asks, proved once a statement. See docs/decisions/0003-wall.md.
create schema ctx;
create schema evenhand;
revoke all on schema ctx, evenhand from public;
alter default privileges revoke execute on functions from public;
grant usage on schema ctx, evenhand to evenhand_app, evenhand_loader;
grant usage on schema evenhand to evenhand_gate, evenhand_scheduler, evenhand_picker, evenhand_sequencer;

-- HMAC-SHA256 key, already xored with the inner and outer pads (RFC 2104): sha256() is built in, pgcrypto is not.
create table ctx.secret (
    slot      smallint primary key check (slot in (1, 2)),
    inner_pad bytea not null check (length(inner_pad) = 64),
    outer_pad bytea not null check (length(outer_pad) = 64)
);
alter table ctx.secret enable row level security;
alter table ctx.secret force row level security;
create policy owner_only on ctx.secret to current_user using (true) with check (true);

-- The organisation of the signed context "org.actor.pid.expiry.mac", or NULL when none is set.
-- A forged, expired or foreign context is an error: a silent NULL would look like an empty table.
create function ctx.org() returns text
    language plpgsql stable parallel restricted security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    token text := current_setting('evenhand.ctx', true);
    parts text[];
    signed bytea;
    given bytea;
    inner_pad bytea;
    outer_pad bytea;
begin
    if token is null or token = '' then
        return null;
    end if;
    parts := string_to_array(token, '.');
    if array_length(parts, 1) is distinct from 5 then
        raise exception 'context is malformed' using errcode = '28000';
    end if;
    signed := convert_to(parts[1] || '.' || parts[2] || '.' || parts[3] || '.' || parts[4], 'UTF8');
    -- comparing digests of digests leaves nothing for a timing attack to learn
    given := sha256(convert_to(parts[5], 'UTF8'));
    for slot_no in 1 .. 2 loop
        select s.inner_pad, s.outer_pad into inner_pad, outer_pad from ctx.secret s where s.slot = slot_no;
        if found and sha256(convert_to(encode(sha256(outer_pad || sha256(inner_pad || signed)), 'hex'), 'UTF8')) = given then
            if parts[3] <> pg_backend_pid()::text then
                raise exception 'context belongs to another connection' using errcode = '28000';
            end if;
            if parts[4]::bigint < extract(epoch from clock_timestamp()) then
                raise exception 'context has expired' using errcode = '28000';
            end if;
            return parts[1];
        end if;
    end loop;
    raise exception 'context is forged' using errcode = '28000';
end
$$;
revoke all on function ctx.org() from public;
grant execute on function ctx.org() to evenhand_app, evenhand_loader;
