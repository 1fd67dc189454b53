"""What is kept of a person and of an organisation, in sealed bodies, and the form of names and addresses."""

import re
from typing import Any

import msgspec

from evenhand.features.people import store
from evenhand.infra.db import Narrow
from evenhand.infra.ids import new_id
from evenhand.infra.seal import At, Seal
from evenhand.pure.trouble import Invalid

_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}\Z")


class Profile(msgspec.Struct):
    name: str
    email: str


#: what an organisation keeps of somebody in the operator's pool: a name that is not there can't come out
NOBODY = Profile("", "")


class OrgBody(msgspec.Struct):
    name: str


def tidy_email(email: str) -> str:
    """The form in which an address is compared."""
    email = email.strip().lower()
    if not _EMAIL.match(email):
        raise Invalid(f"'{email[:80]}' is not an e-mail address.")
    return email


def tidy_name(name: str, what: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 200 or any(ord(c) < 32 for c in name):
        raise Invalid(f"The name of {what} must have 1 to 200 printable characters.")
    return name


def org_body(seal: Seal, row: Any) -> OrgBody:
    return seal.open_as(row["body"], OrgBody, At("org", row["org_id"]))


def profile_of(seal: Seal, person: str, body: bytes) -> Profile:
    return seal.open_as(body, Profile, At("person", person))


async def person_by_email(door: Narrow, email: str) -> tuple[str, str, Profile] | None:
    row = await store.PERSON_BY_EMAIL.maybe(door, email_mac=door.seal.mac("email", email))
    if row is None:
        return None
    return row["person_id"], row["state"], profile_of(door.seal, row["person_id"], row["body"])


async def ensure_person(door: Narrow, email: str, *, demo: bool = False) -> tuple[str, Profile]:
    found = await person_by_email(door, email)
    if found is not None:
        return found[0], found[2]
    person, profile = new_id(), Profile("", email)
    await store.PERSON_ADD.run(
        door,
        person=person,
        email_mac=door.seal.mac("email", email),
        hash=None,
        operator=False,
        demo=demo,
        state="invited",
        body=door.seal.shut(profile, At("person", person)),
    )
    return person, profile
