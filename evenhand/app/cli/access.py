"""Commands on walls, on names in pictures, on support grants and break-glass, and on people who leave."""

import argparse
from typing import Any

from evenhand.app.cli import show
from evenhand.app.cli.api import open_api
from evenhand.app.cli.people import moment_in, with_services
from evenhand.app.services import Services
from evenhand.features.contracts import walls
from evenhand.features.grants import actions as grants
from evenhand.features.grants import figures, leaving
from evenhand.features.people import actions as people


def list_walls(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        items = api.get("/walls")["items"]
    if given.json:
        show.as_json(items)
    else:
        rows = [(w["id"], w["name"], w["kind"], w["cool_off_days"]) for w in items]
        show.table(
            ("id", "against", "kind", "days"), rows, empty="No walls. Put one up: evenhand wall set NAME --days 90"
        )
    return 0


def set_wall(given: argparse.Namespace) -> int:
    kind = "group" if given.group else "customer"
    with open_api(given) as api:
        made = api.put("/walls", {"name": given.name, "cool_off_days": given.days, "kind": kind})
    if given.json:
        show.as_json(made)
    else:
        show.line(
            f"Who has worked for you is kept off {made['name']} for {made['cool_off_days']} days, and the other way round."
        )
    return 0


def end_wall(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        done = api.delete(f"/walls/{given.wall}")
    if given.json:
        show.as_json(done)
    else:
        show.line("The wall is down.")
    return 0


def kept_off(given: argparse.Namespace) -> int:
    async def work(s: Services) -> Any:
        names = {org.id: org.name for org in await people.list_orgs(s.db)}
        known = {p.id: p.email for p, _ in await people.people_overview(s.db)}
        return [
            {"person": person, "email": known.get(person, ""), "organisation": names.get(org, org), "until": until}
            for org, person, until in await walls.kept_off(s.db)
        ]

    rows = with_services(work)
    if given.json:
        show.as_json(rows)
    else:
        cells = [(r["email"], r["organisation"], "no end yet" if r["until"].year > 9000 else r["until"]) for r in rows]
        show.table(("who", "kept off", "until"), cells, empty="Nobody is kept off anything.")
    return 0


def bar(given: argparse.Namespace) -> int:
    until = moment_in(given.until)

    async def work(s: Services) -> Any:
        person = await people.get_person(s.db, given.email)
        return await walls.bar(s.db, given.org, person, until=until)

    end = with_services(work)
    if given.json:
        show.as_json({"email": given.email, "organisation": given.org, "until": end})
    else:
        show.line(f"{given.email} gets no work of {given.org}{'' if end.year > 9000 else f' until {end:%Y-%m-%d}'}.")
    return 0


def change_group(given: argparse.Namespace) -> int:
    with_services(lambda s: walls.set_group(s.db, given.org, given.group, member=not given.end))
    if given.json:
        show.as_json({"organisation": given.org, "group": given.group, "member": not given.end})
    else:
        show.line(f"{given.org} {'left' if given.end else 'is in'} the group {given.group}; walls against it follow.")
    return 0


# --- pictures


def watermark(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        found = (
            api.put("/settings/media", {"watermark": given.watermark})
            if given.watermark
            else api.get("/settings/media")
        )
    if given.json:
        show.as_json(found)
    else:
        said = {
            "off": "Pictures are shown as they are.",
            "people": "Pictures carry the name of whoever looks; what API keys read does not.",
            "all": "Pictures carry the name of whoever looks, and the beginning of the API key that reads them.",
        }
        show.line(said[found["watermark"]])
    return 0


# --- grants


def _print_grants(found: Any, as_json: bool) -> None:
    if as_json:
        show.as_json(found)
        return
    show.line("Of the operator: " + (", ".join(one["name"] for one in found["staff"]) or "nobody") + ".")
    show.table(
        ("id", "who", "kind", "until", "looks", ""),
        [
            (g["id"], g["staff"], g["kind"].replace("_", "-"), show.moment(g["until_at"]), g["uses"],
             "open" if g["live"] else "ended")
            for g in found["grants"]
        ],
        empty="Nobody of the operator has had access. Let somebody read: evenhand grant give NAME --minutes 60",
    )  # fmt: skip


def list_grants(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        _print_grants(api.get("/support"), given.json)
    return 0


def give_grant(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        project = api.project(given.project)["id"] if given.project else None
        body = {"staff": given.staff, "minutes": given.minutes, "reason": given.reason, "project": project}
        _print_grants(api.post("/support/grants", body), given.json)
    return 0


def end_grant(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        _print_grants(api.delete(f"/support/grants/{given.grant}"), given.json)
    return 0


def list_glass(given: argparse.Namespace) -> int:
    asks = with_services(lambda s: grants.access(s.db, "")).asks
    if given.json:
        show.as_json(asks)
    else:
        show.table(
            ("id", "organisation", "asked by", "minutes", "at"),
            [(a.id, a.org_name, a.staff, a.minutes, a.created_at) for a in asks],
            empty="No break-glass waits. It is asked for and confirmed on the page /operator, by two who are signed in.",
        )
    return 0


# --- people


def leave(given: argparse.Namespace) -> int:
    async def work(s: Services) -> Any:
        person = await people.get_person(s.db, given.email)
        return await leaving.leave(s.db, person)

    left = with_services(work)
    if given.json:
        show.as_json(left)
    else:
        show.line(
            f"{given.email} has left: {left.sessions} sessions, {left.leases} leases, {left.keys} keys and {left.grants} grants"
            f" ended. {left.customers} spaces have a report; walls hold."
        )
    return 0


def report(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        found = api.get(f"/people/{given.person}/report")
    if given.json:
        show.as_json(found)
        return 0
    show.pairs(
        [
            ("who", found["name"]), ("tasks", found["tasks"]), ("files", found["files"]), ("grants", found["grants"]),
            ("exports", found["exports"]), ("first", show.moment(found["first"])), ("last", show.moment(found["last"])),
            ("sha256", found["sha256"]),
        ]
    )  # fmt: skip
    show.table(
        ("when", "what", "about"),
        [(show.moment(s["at"]), s["what"], s["detail"] or s["about"]) for s in found["seen"][-50:]],
        empty="They have seen nothing.",
    )
    return 0


def list_leavers(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        items = api.get("/leavers")["items"]
    if given.json:
        show.as_json(items)
    else:
        show.table(
            ("person", "who", "left", "tasks", "files", "exports"),
            [(i["person"], i["name"], show.moment(i["at"]), i["tasks"], i["files"], i["exports"]) for i in items],
            empty="Nobody who had seen anything of yours has left.",
        )
    return 0


def director(given: argparse.Namespace) -> int:
    with_services(lambda s: figures.set_director(s.db, given.email, director=not given.end))
    if given.json:
        show.as_json({"email": given.email, "director": not given.end})
    else:
        what = (
            "no longer sees the figures"
            if given.end
            else "sees the figures of all customers together, and nothing else"
        )
        show.line(f"{given.email} {what}.")
    return 0
