"""A speaking round at a step: everybody who is here, one after the other. Whose turn it is are rows.

Members act on their own turn; facilitators go on, name who is next, or end the round. Each move counts as a change of
the session, so that "I am done" and a facilitator's click at the same moment move the round once.
"""

from __future__ import annotations

from sqlalchemy import delete, select, update

from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.work import Work
from groups import rooms
from groups.agenda import runsheet, steering
from groups.led import crowd, stage, turns
from groups.led.turns import DONE, PASSED, SPEAKING, WAITING
from groups.models import GroupSession, Membership, Turn

DOES = ("done", "pass", "again")

NO_ROUND = N_("De ronde is net klaar. Je hoeft niets te doen.")
NOT_HERE = N_("Diegene is er nu niet. Er is niets veranderd; kies iemand anders.")


def start(w: Work, public_id: str, version: int) -> None:
    """Start a round at the current step with who is here, in the order in which they came. For facilitators.

    Writes the turns; announces the state, and to the first that it is their turn. Raises `Closed` if the session moved
    meanwhile or a round runs already, `Invalid` while nobody is here.
    """
    session, found = steering.running(w, public_id)
    steering.change(w, session, version)
    seen = stage.scene(w, session, found)
    if seen.places:
        raise Closed(N_("Er loopt al een ronde bij deze stap. Er is niets veranderd."))
    if not crowd.members_here(seen.people):
        raise Invalid(N_("Er is nog niemand om de ronde mee te doen. Er is niets gestart."))
    _next(w, seen, found)
    stage.tell(w, session, found)


def go_on(w: Work, public_id: str, version: int, alias: str = "") -> None:
    """Give the turn to the next, or to a member who is named: also to one who passed. For facilitators.

    Who had the turn is done; if they went away, they count as passed and can come back to it. Raises `Closed` if the
    session moved meanwhile or no round runs, `NotFound` for nobody of this group, `Invalid` for who is not here.
    """
    session, found = steering.running(w, public_id)
    steering.change(w, session, version)
    seen = stage.scene(w, session, found)
    if not seen.places:
        raise Closed(NO_ROUND)
    named = _named(seen, alias) if alias else None
    for place in seen.places:
        if place.state == SPEAKING:
            here = {p.membership_id for p in crowd.members_here(seen.people)}
            _set(w, seen.line, place.member, DONE if place.member in here else PASSED)
    _next(w, seen, found, named)
    stage.tell(w, session, found)


def finish(w: Work, public_id: str, version: int) -> None:
    """End the round at the current step; what was said stays where it was said. For facilitators. Deletes its turns."""
    session, found = steering.running(w, public_id)
    steering.change(w, session, version)
    w.db.execute(delete(Turn).where(Turn.line_id == stage.current(w, session, found).line_id))
    stage.tell(w, session, found)


def take(w: Work, room: str, what: str) -> None:
    """What a member does with their own turn: `done`, `pass` (now or beforehand, without a reason), or `again` after
    passing.

    Sent twice it works once. Writes the turn, and the next one's; announces the state. Raises `Closed` when no round
    runs, `Invalid`.
    """
    if what not in DOES:
        raise Invalid
    found = rooms.place(w, room)
    if found.kind != "group" or found.leads:
        raise NotFound
    session = steering.held_in(w, found.group_id)
    seen = stage.scene(w, session, found)
    if not seen.places:
        raise Closed(NO_ROUND)
    mine = next((place for place in seen.places if place.member == found.membership_id), None)
    if not _act(w, seen, found, mine, what):
        return
    steering.advance(w, session)
    stage.tell(w, session, found)


def skip(w: Work, session: GroupSession, found: rooms.Place, membership_id: int) -> None:
    """Pass over somebody who was sent out or has left: if it was their turn, the next one has it. The caller tells."""
    seen = stage.scene(w, session, found)
    if any(place.member == membership_id and place.state == SPEAKING for place in seen.places):
        _set(w, seen.line, membership_id, PASSED)
        steering.advance(w, session)
        _next(w, seen, found)


def _act(w: Work, seen: stage.Scene, found: rooms.Place, mine: turns.Place | None, what: str) -> bool:
    """Do what a member asks with their place; False when there is nothing to do (any more)."""
    state = mine.state if mine else WAITING
    if what == "again":
        if state != PASSED:
            return False
        _set(w, seen.line, found.membership_id, WAITING, position=turns.last(seen.places))
        if not any(place.state == SPEAKING for place in seen.places):
            _next(w, seen, found, found.membership_id)
        return True
    if state == SPEAKING:
        _set(w, seen.line, found.membership_id, DONE if what == "done" else PASSED)
        _next(w, seen, found)
        return True
    if what == "pass" and state == WAITING:
        if mine is None:
            _add(w, seen.line, found.membership_id, turns.last(seen.places), PASSED)
        else:
            _set(w, seen.line, found.membership_id, PASSED)
        return True
    return False


def _next(w: Work, seen: stage.Scene, found: rooms.Place, named: int | None = None) -> None:
    """Give everybody who came in late a place, and the turn to who is named or comes next. They hear it."""
    here = [p.membership_id for p in crowd.members_here(seen.people)]
    places = _places(w, seen.line)
    for member in turns.newcomers(places, here):
        _add(w, seen.line, member, turns.last(places), WAITING)
        places = _places(w, seen.line)
    coming = named if named is not None else next(iter(turns.order(places, here).next), None)
    if coming is None:
        return
    _set(w, seen.line, coming, SPEAKING)
    person_id = next(p.person_id for p in seen.people if p.membership_id == coming)
    w.announce(f"person:{person_id}", "notice", {"kind": "turn", "room": found.room})


def _places(w: Work, line: runsheet.Line) -> list[turns.Place]:
    rows = w.db.execute(
        select(Turn.membership_id, Turn.position, Turn.state)
        .join(Membership, Membership.id == Turn.membership_id)
        .where(Turn.line_id == line.line_id, Membership.left_at.is_(None))
        .order_by(Turn.position)
    )
    return [turns.Place(*row) for row in rows]


def _named(seen: stage.Scene, alias: str) -> int:
    who = crowd.named(seen.people, alias)
    if who is None:
        raise NotFound
    if not who.here:
        raise Invalid(NOT_HERE)
    return who.membership_id


def _set(w: Work, line: runsheet.Line, member: int, state: str, **more: int) -> None:
    mine = (Turn.line_id == line.line_id) & (Turn.membership_id == member)
    w.db.execute(update(Turn).where(mine).values(state=state, **more))


def _add(w: Work, line: runsheet.Line, member: int, position: int, state: str) -> None:
    w.db.add(Turn(line_id=line.line_id, membership_id=member, position=position, state=state))
    w.db.flush()
