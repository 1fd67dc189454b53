"""SQL of rate cards and contracts."""

from evenhand.infra.sql import Sql

_CARD = "select r.card, r.currency, r.standard, r.from_at, r.published_at, r.told_at from evenhand.rate_card r"
CARD_NOW = Sql("card_now", _CARD + " where r.card = evenhand.card_at(now())", role="gate")
CARDS_NEXT = Sql(
    "cards_next",
    _CARD + " where r.told_at is null and r.card > evenhand.card_at(now()) or greatest(r.from_at, r.told_at) > now()"
    " order by r.from_at, r.card",
    role="gate",
)
CARD_GET = Sql("card_get", _CARD + " where r.card = %(card)s", role="gate")
CARD_NEWEST = Sql("card_newest", _CARD + " order by r.card desc limit 1", role="gate")
CARD_LOCK = Sql("card_lock", "select pg_advisory_xact_lock(hashtext('evenhand rate card'))", role="gate")
CARD_ADD = Sql(
    "card_add",
    """insert into evenhand.rate_card (card, currency, standard, from_at)
       values (%(card)s, %(currency)s, %(standard)s, %(from_at)s)""",
    role="gate",
)
CLASS_ADD = Sql(
    "price_class_add",
    """insert into evenhand.price_class (card, class, place, weight, hour_cents)
       values (%(card)s, %(name)s, %(place)s, %(weight)s, %(hour_cents)s)""",
    role="gate",
)
_CLASSES = "select p.class, p.weight, p.hour_cents from evenhand.price_class p where p.card = %(card)s order by p.place"
CLASSES = Sql("price_classes", _CLASSES, role="gate")
CARD_TOLD = Sql(
    "card_told",
    "update evenhand.rate_card set told_at = now() where card = %(card)s and told_at is null",
    role="gate",
)
#: (space, card) that still lacks its event: of the card in force and of those to come
UNTOLD = Sql(
    "rate_untold",
    """select o.org_id, r.card from evenhand.org o join evenhand.rate_card r
           on r.card >= (select evenhand.card_at(now()))
        where o.state = 'active'
          and not exists (select from evenhand.rate_told t where t.org_id = o.org_id and t.card = r.card)
        order by r.card, o.org_id""",
    role="gate",
)
TOLD_ADD = Sql(
    "rate_told_add",
    """insert into evenhand.rate_told (org_id, card) values (%(org)s, %(card)s)
       on conflict do nothing returning card""",
)

TERMS = Sql(
    "contract_terms",
    """select r.card, r.currency, r.standard, r.from_at from evenhand.rate_card r
        where r.card = (select evenhand.card_at(now()))""",
)
TERMS_CLASSES = Sql("contract_classes", _CLASSES)
VERSIONS = Sql(
    "contract_versions",
    """select version, class, capacity_h, from_at, until_at, created_at, body from evenhand.contract
        where org_id = %(org)s order by version desc""",
)
CONTRACT_LOCK = Sql("contract_lock", "select pg_advisory_xact_lock(hashtextextended('contract' || %(org)s::text, 0))")
CONTRACT_ADD = Sql(
    "contract_add",
    """insert into evenhand.contract (org_id, version, class, capacity_h, from_at, until_at, body)
       values (%(org)s, %(version)s, %(class)s, %(capacity_h)s, %(from_at)s, %(until_at)s, %(body)s)""",
)
#: for the operator: what holds in each live space, without the sealed terms
IN_FORCE = Sql(
    "contracts_in_force",
    """select o.org_id, coalesce(k.version, 0) as version, coalesce(k.class, r.standard) as class, p.weight,
              k.capacity_h, coalesce(k.from_at, o.created_at) as from_at, k.until_at
         from evenhand.org o
         join evenhand.rate_card r on r.card = (select evenhand.card_at(now()))
         left join lateral (select c.version, c.class, c.capacity_h, c.from_at, c.until_at from evenhand.contract c
                             where c.org_id = o.org_id and c.from_at <= now() and (c.until_at is null or c.until_at > now())
                             order by c.version desc limit 1) k on true
         join evenhand.price_class p on p.card = r.card and p.class = coalesce(k.class, r.standard)
        where o.mode = 'live' and o.state = 'active' order by o.org_id""",
    role="gate",
)
#: what the scheduler asks for: numbers by space, and no name
WEIGHT_OF = Sql("weight_of", "select evenhand.weight_of(%(org)s, now())", role="scheduler")
WEIGHTS = Sql("weights", "select * from evenhand.weights(now())", role="scheduler")

# --- walls

SPACE_MODE = Sql("space_mode", "select mode from evenhand.org where org_id = %(org)s")
WALL_LIST = Sql(
    "wall_list",
    """select wall_id, kind, cool_off_d, created_at, body from evenhand.wall
        where org_id = %(org)s order by created_at, wall_id""",
)
WALL_PUT = Sql(
    "wall_put",
    """insert into evenhand.wall (org_id, wall_id, target, kind, cool_off_d, body)
       values (%(org)s, %(wall)s, %(target)s, %(kind)s, %(days)s, %(body)s)
       on conflict (org_id, wall_id) do update set cool_off_d = excluded.cool_off_d, body = excluded.body""",
)
WALL_AGAINST = Sql(
    "wall_against", "select wall_id from evenhand.wall where org_id = %(org)s and target = %(target)s for update"
)
WALL_DROP = Sql("wall_drop", "delete from evenhand.wall where org_id = %(org)s and wall_id = %(wall)s returning body")
GROUP_ADD = Sql(
    "conflict_group_add",
    """insert into evenhand.conflict_group (org_id, mark, body) values (%(org)s, %(mark)s, %(body)s)
       on conflict do nothing""",
    role="gate",
)
GROUP_DROP = Sql(
    "conflict_group_drop",
    "delete from evenhand.conflict_group where org_id = %(org)s and mark = %(mark)s",
    role="gate",
)
TIE_BAR = Sql(
    "tie_bar",
    """insert into evenhand.tie (org_id, person_id, barred_until) values (%(org)s, %(person)s, %(until)s)
       on conflict (org_id, person_id) do update set barred_until = excluded.barred_until""",
    role="gate",
)
KEPT_UNTIL = Sql("kept_until", "select evenhand.kept_off(%(org)s, %(person)s)", role="gate")
#: where a person has a role, or an interest was declared: the live spaces only, since the test space is kept off with it
KEPT_OFF = Sql(
    "kept_off_list",
    """select o.org_id, w.person_id, evenhand.kept_off(o.org_id, w.person_id) as until_at
         from evenhand.org o
         join (select m.org_id, m.person_id from evenhand.member m where m.state <> 'removed'
               union select t.org_id, t.person_id from evenhand.tie t where t.barred_until > now()) w on w.org_id = o.org_id
        where o.mode = 'live' and o.state = 'active' and evenhand.kept_off(o.org_id, w.person_id) is not null
        order by w.person_id, o.org_id""",
    role="gate",
)
KEPT_ANYWHERE = Sql(
    "kept_anywhere",
    """select max(evenhand.kept_off(s.org_id, s.person_id)) from evenhand.seat s where s.person_id = %(person)s""",
    role="scheduler",
)
ADMIT = Sql("admit", "select evenhand.admit(current_setting('evenhand.ctx'), %(person)s)")
