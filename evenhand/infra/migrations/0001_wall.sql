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
create function ctx.proved(token text) returns text
    language plpgsql stable parallel restricted
as $$
declare
    org text;
    mine boolean;
    fresh boolean;
begin
    if token is null or token = '' then
        return null;
    end if;
    -- One query does it all: each further statement here costs more than the hashing, and this runs once a statement.
    -- Comparing digests of digests leaves nothing for a timing attack to learn. What is read was signed, so it is
    -- well formed: the select list is only computed for a row that the signature let through.
    select split_part(token, '.', 1), split_part(token, '.', 3) = pg_backend_pid()::text,
           split_part(token, '.', 4)::float8 >= date_part('epoch', clock_timestamp())
      into org, mine, fresh
      from ctx.secret s
     where sha256(convert_to(
               encode(sha256(s.outer_pad || sha256(s.inner_pad || convert_to(left(token, -65), 'UTF8'))), 'hex'), 'UTF8'))
         = sha256(convert_to(right(token, 64), 'UTF8'))
     limit 1;
    if not found then
        raise exception 'context is forged' using errcode = '28000';
    end if;
    if not mine then
        raise exception 'context belongs to another connection' using errcode = '28000';
    end if;
    if not fresh then
        raise exception 'context has expired' using errcode = '28000';
    end if;
    return org;
end
$$;
create function ctx.org() returns text
    language plpgsql stable parallel restricted security definer
    set search_path = pg_catalog, pg_temp
as $$ begin return ctx.proved(current_setting('evenhand.ctx', true)); end $$;
revoke all on function ctx.org() from public;
grant execute on function ctx.org() to evenhand_app, evenhand_loader;

-- For the desk: functions of 0005 and 0011 that run as the owner, who sees nothing but the organisation that was proved at their
-- beginning. One proof for a whole function, where a policy of the app's asks for it in every statement.
create function ctx.enter(p_ctx text) returns text
    language plpgsql volatile
as $$
declare
    org text := ctx.proved(p_ctx);
begin
    if org is null then
        raise exception 'context is missing' using errcode = '28000';
    end if;
    return set_config('evenhand.org', org, true);
end
$$;
