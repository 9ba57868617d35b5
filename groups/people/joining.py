"""Getting a place in a group: somebody new, a client with a second code, who lost their words, and who leads."""

from __future__ import annotations

from sqlalchemy import select

from app.accounts import accounts, aliases, invitations, recovery
from app.accounts.slips import Slip
from app.core import audit, ids
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.permissions import Role
from app.core.work import Work
from app.notify import outbox
from groups import rooms
from groups.models import Group, Membership
from groups.people import waiting
from groups.programme import curriculum
from groups.rules import FACILITATOR, MEMBER
from moderation.screening import screen

LONGEST_NAME = 60
# Parts of words that say on a screen or a slip what a group is about.
_TELLING = ("porn", "seks", "sex", "verslav", "verslaaf", "addict", "masturb", "terugval", "relapse", "lust")
AGREE_FIRST = N_("Vink eerst aan dat je je aan de afspraken houdt. Er is nog niets vastgelegd.")


def look_up(w: Work, code: str) -> Group:
    """The group that a code opens to somebody new. Uses nothing. Raises `NotFound`, alike for every other code."""
    welcome = invitations.look_up(w, code)
    if welcome.role is not Role.CLIENT:
        raise NotFound(invitations.UNKNOWN)
    return _group(w, welcome)


def offers(w: Work, group: Group, *, besides: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Free aliases to choose from."""
    return aliases.offer(w, group.organisation_id, besides=besides)


def is_full(w: Work, code: str) -> bool:
    """Would who comes in with this code wait for a place? False for a code that opens nothing."""
    try:
        welcome = invitations.look_up(w, code)
    except NotFound:
        return False
    return welcome.group_id is not None and waiting.is_full(w, welcome.group_id)


def come_in(w: Work, code: str, slip: Slip, secret_hash: str, alias: str, language: str) -> int:
    """Use up a code, and create the person and the place it gives; returns the person's id.

    Where the group is full it is a place on its waiting list (`groups.people.waiting`). Writes everything or nothing.
    Raises `NotFound` for a code that is no good, `Invalid` when the alias was taken.
    """
    group = look_up(w, code)
    invitations.use(w, code)
    person_id = accounts.create_person(
        w,
        group.organisation_id,
        Role.CLIENT,
        slip.login,
        secret_hash,
        language=language,
        recovery_hash=w.digest(slip.recovery),
    )
    waiting.take_place(w, group.id, person_id, alias)
    return person_id


def look_up_more(w: Work, code: str) -> Group:
    """The group that a code opens to the actor, who has an account. Uses nothing.

    Raises `NotFound` for a code that is no good, for another role and for another organisation, all alike, and
    `Closed` when they have a place there already.
    """
    welcome = invitations.look_up(w, code)
    if welcome.role is not w.who.role or welcome.organisation_id != w.who.organisation_id:
        raise NotFound(invitations.UNKNOWN)
    group = _group(w, welcome)
    _check_new_here(w, group)
    return group


def join_more(w: Work, code: str, alias: str) -> str:
    """Use up a code and give the actor, a client, a place in another group; returns the group.

    Nothing is returned where the group is full: then they wait for a place. Raises as `look_up_more`, and `Invalid`
    when the alias was taken.
    """
    group = look_up_more(w, code)
    invitations.use(w, code)
    _check_new_here(w, group)  # again: who taps twice comes second, now that the invitation's row is held
    inside = waiting.take_place(w, group.id, w.who.person_id, alias)
    return group.public_id if inside else ""


def help_lead(w: Work, code: str) -> str:
    """Use up a code and let the actor, a facilitator, lead a group with whoever does; returns the group.

    Writes an audit line. Raises as `look_up_more`.
    """
    group = look_up_more(w, code)
    invitations.use(w, code)
    _check_new_here(w, group)
    rooms.enter(w, group.id, w.who.person_id, w.who.name, FACILITATOR)
    audit.record(w, "group.leader_joined", "group", group.id)
    return group.public_id


def open_group(w: Work, name: str, language: str, programme: str = curriculum.DEFAULT) -> str:
    """Open a group that follows a programme, and lead it from the first moment; returns it. For facilitators.

    Raises `Invalid` for a name that is empty, too long, or says too much: slips and phones may show it; and for a
    programme that is not there.
    """
    if programme not in curriculum.slugs():
        raise Invalid(N_("Dit programma is er niet. Kies een ander; er is nog niets gemaakt."))
    name = " ".join(name[: 4 * LONGEST_NAME].split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid(N_("Geef de groep een naam van 1 tot 60 tekens. Er is nog niets gemaakt."))
    telling = any(stem in name.casefold() for stem in _TELLING)
    if telling or screen(name, lang=language).action != "allow":
        raise Invalid(N_("Deze naam vertelt te veel. Kies iets alledaags, zoals de dag waarop jullie samenkomen."))
    group = rooms.open_group(w, w.who.organisation_id, name, language=language, programme=programme)
    rooms.enter(w, group.id, w.who.person_id, w.who.name, FACILITATOR)
    return group.public_id


def renew_access(w: Work, group: str, ref: str) -> str:
    """Make a code with which a member of one's group comes in again, and return it. The member is told.

    So is whoever else leads a group of theirs: a code is also a way to come in as somebody else. For facilitators of
    the group. Raises `NotFound`, also for whoever leads.
    """
    person_id = member_of(w, group, ref).person_id
    code = recovery.make_device_code(w, person_id)
    for lead in rooms.leads_of_person(w, person_id) - {w.who.person_id}:
        about = ids.public_id()
        outbox.queue(w, lead, "member_access_renewed", about, f"access:{about}")
    return code


def member_of(w: Work, group: str, ref: str) -> rooms.Member:
    """A member of a group the actor leads. Raises `NotFound`, alike for nobody and for who leads the group."""
    for member in rooms.members(w, rooms.lead_place(w, group)):
        if member.ref == ref and member.role == MEMBER:
            return member
    raise NotFound


def _group(w: Work, welcome: invitations.Welcome) -> Group:
    if welcome.group_id is None:
        raise NotFound(invitations.UNKNOWN)
    return w.db.get_one(Group, welcome.group_id)


def _check_new_here(w: Work, group: Group) -> None:
    held = w.db.execute(
        select(Membership.left_at).where(Membership.group_id == group.id, Membership.person_id == w.who.person_id)
    ).first()
    if held is None:
        return
    if held.left_at is None:
        raise Closed(N_("Je hoort al bij deze groep. Je code is niet gebruikt; een ander kan er nog mee binnen."))
    raise Closed(N_("Je was eerder in deze groep. Overleg met je begeleider; je code is niet gebruikt."))
