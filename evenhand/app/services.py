"""What every door needs, made once at start-up."""

from dataclasses import dataclass, field

from evenhand.app.limits import Limits
from evenhand.app.settings import Settings
from evenhand.app.upload_memory import UploadMemory
from evenhand.features.access.refusals import Refusals
from evenhand.infra.db import Database
from evenhand.infra.objects import Objects


@dataclass(slots=True)
class Services:
    settings: Settings
    db: Database
    objects: Objects
    uploads: UploadMemory = field(default_factory=UploadMemory)
    refusals: Refusals = field(default_factory=Refusals)
    limits: Limits = field(init=False)

    def __post_init__(self) -> None:
        self.limits = Limits(self.settings.requests_per_s)
