"""What happens to an account or a place, and matters to buddies: leaving a group, a new code to come back in with."""

from __future__ import annotations

from app.core.work import Work
from app.notify import outbox
from groups.models import Membership
from matching import buddies, outreach


def follow(w: Work, membership: Membership) -> None:
    """End the pair and pass on what was asked of them. What they asked of others stays asked: who leaves in danger
    must not be forgotten. Called by `groups.people.leaving`, in its transaction.
    """
    buddies.step_out(w, membership.id)
    outreach.pass_on(w, membership.person_id, membership.group_id)


def tell_buddies(w: Work, person_id: int, ref: str) -> None:
    """A facilitator made a code with which this person comes back in: their buddies hear of it too, so that two people
    know to look if somebody else came in with it. Called by `app.accounts.recovery`, in its transaction.
    """
    for buddy in buddies.of_person(w, person_id):
        outbox.queue(w, buddy, "buddy_access_renewed", ref, f"access:{ref}:{buddy}")
