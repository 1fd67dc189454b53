"""Single-use links: they lead through the making of a second factor, and are no key to an account that there is."""

from dataclasses import dataclass

from evenhand.features.access import store
from evenhand.features.access.signin import Signed, begin_enrolment, sign_in
from evenhand.features.access.types import Held, Seen
from evenhand.features.people import actions as people
from evenhand.features.people import links
from evenhand.features.people.passwords import check_strength
from evenhand.infra.db import Database


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody gives who opens a link. `held`: the session that they have already."""

    name: str
    email: str | None
    password: str
    code: str
    held: Held | None = None


async def use_link(db: Database, token: str, answer: Answer, seen: Seen, *, demo_home: bool) -> Signed | None:
    """What the link leads to; None where the session that was shown goes on. Raises LinkUsed, WrongCredentials, Invalid."""
    link = await links.link_holder(db, token)
    if link.known and link.person is not None:
        held = answer.held
        if held is not None and held.bound is None and held.person == link.person:
            await links.join(db, token, link.person)
            return None
        signed = await sign_in(db, link.email, answer.password, answer.code, seen, demo_home=demo_home)
        await links.join(db, token, link.person)
        return signed
    if link.purpose == "reset" or answer.password:
        orgs = (await people.person_view(db, link.person))[1] if link.person is not None else []
        known = [answer.name, link.name, answer.email or link.email, link.org, *(org.name for org in orgs)]
        check_strength(answer.password, *known)
    person = await links.use_link(db, token, name=answer.name, email=answer.email, password=answer.password)
    async with db.narrow("gate") as door:
        factors = await store.FACTORS.one(door, person=person)
        if factors["app"] is None and not factors["passkeys"]:
            return Signed(await begin_enrolment(door, person), enrolling=True)
    # a new password opens nothing by itself where there is a second factor
    return await sign_in(db, link.email, answer.password, answer.code, seen, demo_home=demo_home)
