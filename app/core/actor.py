"""Who is acting, as the doors establish it anew for every request and every live event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.core.permissions import BUNDLES, Permission, Role


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person. `person_id` never leaves the server; `session` is the hash of the session token.

    `confirmed`: they proved again, minutes ago, to be who they are. `last_on` is the last day the session was used.
    """

    person_id: int
    organisation_id: int
    role: Role
    session: str = ""
    language: str = "nl"
    timezone: str = "Europe/Amsterdam"
    theme: str = "system"
    name: str = ""  # staff only: the name they chose to show
    confirmed: bool = False
    last_on: date | None = None

    def may(self, permission: Permission) -> bool:
        """Does this person's role hold `permission` at all? Whose data it is, the use-case still asks."""
        return permission in BUNDLES[self.role]

    @property
    def staff(self) -> bool:
        return self.role is not Role.CLIENT
