"""Everybody who can read something: what the sentence beside a writing field is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.core.permissions import BUNDLES, Permission, Role


@dataclass(frozen=True, slots=True)
class Readers:
    """Everybody but the writer who can read something. `members` counts the others; `names` are facilitators, and
    in a pair the buddies. `reviewers` read only what is held, reported or speaks of danger, and with `context` the few
    lines before it; `outsiders` only through broken glass.
    """

    members: int = 0
    names: tuple[str, ...] = ()
    reviewers: frozenset[Role] = field(default_factory=frozenset)
    outsiders: frozenset[Role] = field(default_factory=frozenset)
    context: bool = False

    @property
    def nobody(self) -> bool:
        return not (self.members or self.names or self.reviewers or self.outsiders)


NOBODY = Readers()


def holders(permission: Permission) -> frozenset[Role]:
    """The roles that hold a permission."""
    return frozenset(role for role, bundle in BUNDLES.items() if permission in bundle)
