"""Mail to the owners of an organisation about what they have to know at once. Without SMTP the event and the banner remain."""

import msgspec

from evenhand.app.mail import send_mail
from evenhand.app.settings import Settings
from evenhand.features.people.members import list_members
from evenhand.infra.db import SYSTEM
from evenhand.infra.jobs import Job


class _Opened(msgspec.Struct):
    staff: str
    second: str
    until_at: str


async def tell_owners(job: Job, settings: Settings) -> None:
    """Break-glass: somebody of the operator's may read what is yours. The reason stays inside: mail is no place for content."""
    if not settings.smtp_url:
        return
    fact = msgspec.convert(job.params, _Opened)
    async with job.db.tx(job.org_id, SYSTEM) as tx:
        owners = [m.email for m in await list_members(tx) if m.role == "owner" and m.state == "active" and m.email]
    text = (
        f"{fact.staff} of the operator may read what is yours until {fact.until_at}, without a grant of yours;\n"
        f"{fact.second} confirmed it. The reason, everything that is looked at, and a button that ends it are on the page\n\n"
        f"  {settings.public_url}/console/support\n"
    )
    for email in owners:
        await send_mail(settings, email, "Somebody of the operator can read your data now", text)
