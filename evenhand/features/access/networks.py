"""Networks that an organisation's own people and its keys may come from, space by space. Workers of the operator's pool come from
where the operator says; a rule of one customer's would tell them apart."""

import ipaddress

from evenhand.features.access import store
from evenhand.features.access.types import NetworksChanged, Seen
from evenhand.features.people.rules import Verb, require
from evenhand.infra.db import Database, Tx
from evenhand.infra.facts import record
from evenhand.pure.trouble import Conflict, Invalid

MOST = 200
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class LocksYouOut(Conflict):
    hint = "Add a network that your own address is in, then take it away from there."


def tidy_networks(given: list[str]) -> list[Network]:
    """Raises Invalid, naming the first that is none. A bare address is a network of one."""
    out: list[Network] = []
    if len(given) > MOST:
        raise Invalid(f"There are more than {MOST} networks.", hint="Write neighbours as one, such as 10.1.0.0/16.")
    for text in given:
        try:
            found = ipaddress.ip_network(text.strip(), strict=True)
        except ValueError as err:
            raise Invalid(
                f"'{text[:80]}' is not a network: {err}.", hint="Such as 192.0.2.0/24 or 2001:db8::/32."
            ) from err
        if found not in out:
            out.append(found)
    return out


def inside(address: str, networks: list[Network]) -> bool:
    """Whether an address lies in one of them. No address lies in none."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found.version == network.version and found in network for network in networks)


async def list_networks(tx: Tx) -> list[str]:
    require(tx, Verb.MANAGE)
    row = await store.RULES_MINE.maybe(tx, org=tx.org_id)
    return list(row["networks"]) if row is not None else []


async def set_networks(db: Database, tx: Tx, given: list[str], seen: Seen) -> None:
    """The rule from now on; an empty list lets everybody in again. Raises Invalid, LocksYouOut.

    Whoever sets it must be inside: nobody else could take it back."""
    require(tx, Verb.MANAGE)
    networks = tidy_networks(given)
    if networks and not inside(seen.address, networks):
        raise LocksYouOut(f"Your own address, {seen.address or 'which is not known'}, is in none of these networks.")
    if networks:
        await store.RULES_PUT.run(tx, org=tx.org_id, networks=[str(network) for network in networks])
    else:
        await store.RULES_DROP.run(tx, org=tx.org_id)
    await record(tx, NetworksChanged(tx.org_id, [str(network) for network in networks]))

    async def look_again() -> None:
        async with db.narrow("gate") as door:
            await store.SESSIONS_BAR.run(door, org=tx.org_id)

    tx.after_commit.append(look_again)
