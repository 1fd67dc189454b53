-- How long a session stays, and whom a role in a customer's console keeps off its rivals. docs/decisions/0022-contracts.md and
-- 0023-access.md.

-- `expires_at` is the nearer of two ends from now on: of a session that nobody uses, and of one that has lived long enough. Whoever
-- asked whether a session lives asks nothing more.
alter table evenhand.session no force row level security;
alter table evenhand.session
    add column ends_at timestamptz,         -- at the latest, whatever is done with it
    add column sid_mac bytea;               -- the provider's own name of the session, for when it ends there
update evenhand.session set ends_at = expires_at;
alter table evenhand.session alter column ends_at set not null, add check (expires_at <= ends_at);
alter table evenhand.session force row level security;

-- A provider's word that somebody has signed out is taken once.
alter table evenhand.ceremony drop constraint ceremony_kind_check;
alter table evenhand.ceremony
    add check (kind in ('enrol', 'app', 'passkey_add', 'passkey', 'provider', 'logout'));
grant update (ended_at) on evenhand.entrance to evenhand_gate;

grant update (console_from, console_until) on evenhand.tie to evenhand_gate;

-- gate: until when a role that somebody has in this console shows nothing, or null. A wall shuts no console that was there before
-- the other's: else a rival could shut one by giving its owner work, or a role. Of two roles the older one stays.
create function evenhand.console_shut(p_org text, p_person text) returns timestamptz
    language sql stable
as $$
    select max(t.console_until + make_interval(days => r.cool_off_d))
      from evenhand.tie mine
      join evenhand.rivalry r on r.org_id = mine.org_id
      join evenhand.tie t on t.org_id = r.rival_id and t.person_id = mine.person_id
     where mine.org_id = p_org and mine.person_id = p_person
       and t.console_until + make_interval(days => r.cool_off_d) > clock_timestamp()
       and (t.console_from, t.org_id) < (mine.console_from, mine.org_id)
$$;
-- A role in the console begins, unless a wall is in the way: gives until when it is. Whoever writes `member` calls this before, in
-- the same transaction.
create function evenhand.console_begins(p_org text, p_person text) returns timestamptz
    language plpgsql volatile
as $$
declare
    v_kept timestamptz;
begin
    -- the lock that each lease takes: of a lease here and a role there, one comes first
    perform pg_advisory_xact_lock(hashtextextended('wall' || p_person, 0));
    if exists (select from evenhand.tie t
                where t.org_id = p_org and t.person_id = p_person and t.console_until = 'infinity') then
        return null;  -- another role of the same console
    end if;
    select max(greatest(t.worked_until, t.console_until) + make_interval(days => r.cool_off_d)) into v_kept
      from evenhand.rivalry r join evenhand.tie t on t.org_id = r.rival_id and t.person_id = p_person
     where r.org_id = p_org;
    if v_kept > clock_timestamp() then return v_kept; end if;
    insert into evenhand.tie as t (org_id, person_id, console_from, console_until)
    values (p_org, p_person, clock_timestamp(), 'infinity')
        on conflict (org_id, person_id) do update
           set console_from = excluded.console_from, console_until = excluded.console_until;
    return null;
end
$$;
create function evenhand.console_ends(p_org text, p_person text) returns void
    language sql volatile
as $$
    update evenhand.tie t set console_until = clock_timestamp()
     where t.org_id = p_org and t.person_id = p_person and t.console_until = 'infinity'
$$;
-- gate: an invitation is taken up. No row: there is none; with a time, a wall keeps them from it until then, and nothing was done.
create function evenhand.activate_member(p_org text, p_person text, p_body bytea)
    returns table (role text, kept_until timestamptz)
    language plpgsql volatile
as $$
declare
    v_role text;
    v_kept timestamptz;
begin
    select m.role into v_role from evenhand.member m
     where m.org_id = p_org and m.person_id = p_person and m.state = 'invited';
    if not found then return; end if;
    if v_role in ('owner', 'manager', 'viewer') then
        v_kept := evenhand.console_begins(p_org, p_person);
    end if;
    if v_kept is null then
        update evenhand.member m
           set state = 'active', body = case m.source when 'own' then p_body else m.body end
         where m.org_id = p_org and m.person_id = p_person and m.state = 'invited' and m.role = v_role;
        if not found then
            raise exception 'the invitation has changed' using errcode = '40001';
        end if;
    end if;
    return query select v_role, v_kept;
end
$$;
-- app: another role or state of a member. Gives until when a wall keeps them from it, or null where it was done.
create function evenhand.set_member(p_ctx text, p_person text, p_role text, p_state text) returns timestamptz
    language plpgsql volatile security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_org text;
    v_kept timestamptz;
begin
    v_org := ctx.enter(p_ctx);
    if p_state = 'active' and p_role in ('owner', 'manager', 'viewer') then
        v_kept := evenhand.console_begins(v_org, p_person);
        if v_kept is not null then return v_kept; end if;
    else
        perform evenhand.console_ends(v_org, p_person);
    end if;
    update evenhand.member m set role = p_role, state = p_state where m.org_id = v_org and m.person_id = p_person;
    return null;
end
$$;
-- Only that function changes what somebody is in a space.
revoke update on evenhand.member from evenhand_app;
grant update (body) on evenhand.member to evenhand_app;
revoke all on function evenhand.console_shut(text, text), evenhand.console_begins(text, text),
    evenhand.console_ends(text, text), evenhand.activate_member(text, text, bytea),
    evenhand.set_member(text, text, text, text) from public;
grant execute on function evenhand.console_shut(text, text), evenhand.console_begins(text, text),
    evenhand.console_ends(text, text), evenhand.activate_member(text, text, bytea) to evenhand_gate;
grant execute on function evenhand.set_member(text, text, text, text) to evenhand_app;
