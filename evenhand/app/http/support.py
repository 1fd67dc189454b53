"""What the operator's people may read under a customer's grant: this list, read only, each time an event.

Not on it: exports, evidence, keys, people, walls. Whoever stands on the list of a project's grant is kept to that project.
"""

from typing import Any

from evenhand.app.http.call import Call
from evenhand.features.grants import actions as grants
from evenhand.features.people.staff import names_of_staff
from evenhand.infra.db import Tx
from evenhand.pure.trouble import Concern, Denied

#: routes that show content to support
SHOWN = {
    "/projects", "/projects/{project}", "/projects/{project}/versions", "/projects/{project}/progress",
    "/projects/{project}/quality", "/projects/{project}/views", "/projects/{project}/seats", "/projects/{project}/batches",
    "/batches/{batch}", "/tasks", "/tasks/{task}", "/tasks/{task}/history", "/callbacks", "/deliveries", "/questions",
    "/members", "/contract",
}  # fmt: skip
#: lists that are read by project under a grant for one
BY_PROJECT = {"/tasks", "/questions", "/deliveries"}
#: what a grant for one project covers: the project, its batches, tasks, questions and deliveries; of all projects that one
OF_A_PROJECT = {path for path in SHOWN if "{" in path} | BY_PROJECT | {"/projects"}


class NotUnderGrant(Denied):
    hint = "A grant is for reading projects, batches and tasks. The customer can do the rest, or read it out to you."


def check_route(call: Call, path: str) -> None:
    """Raises NotUnderGrant for a route that a support grant does not open."""
    if call.grant is None:
        return
    concern = Concern(call.org_id, "person", call.actor.id, "right")
    if call.request.method not in ("GET", "HEAD") or path not in SHOWN:
        raise NotUnderGrant("This can't be done under a support grant.").concerning(concern)
    if call.grant["project_id"] is not None and path not in OF_A_PROJECT:
        raise NotUnderGrant("This grant is for one project, and this shows more than that.").concerning(concern)


async def record_use(call: Call, tx: Tx, path: str) -> None:
    """The event of what is about to be read, once it is known to lie inside the grant."""
    grant: Any = call.grant
    if grant is None:
        return
    ids = {name: str(value) for name, value in call.request.path_params.items()}
    if path in BY_PROJECT and call.query.project:
        ids["project"] = call.query.project
    elif path == "/projects" and grant["project_id"] is not None:
        ids["project"] = grant["project_id"]  # the list has nothing else in it
    await grants.inside(tx, grant["project_id"], ids)
    name = (await names_of_staff(call.db)).get(call.actor.id, "?")
    await grants.use(tx, grant, name, call.request.url.path)
