"""After a session: who was there and how, putting it right, the text for one member's file, the group's summary."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import flask
import pytest
from sqlalchemy import select, update

from app.core import ids
from app.core.audit import AuditLine
from app.core.errors import Closed, Forbidden, Invalid, NotFound
from app.core.work import Database
from groups import rooms
from groups.after import afterwards, dossier, followups
from groups.agenda import absence, steering
from groups.led import closing, presence, sessions
from groups.models import Answer, Attendance, Breakout, Group, GroupSession, Room, SessionNote, SessionStep, Turn
from groups.people import leaving
from groups.programme import exercises
from tests import builders
from tests.accounts.visitor import Visitor
from tests.builders import Circle, Someone, statements
from tests.conftest import FrozenClock

CHAPTER, POLL, SHARED = "understanding", 2, 3  # positions of the poll and of the shared question on its run-sheet
QUESTION, CHOICE, REFLECTION = "in-the-moment", "which-feeling", "a-moment"
SPEECH = dossier.Speech(
    lambda message, **fill: message.format(**fill) if fill else message,
    lambda at: at.strftime("%d-%m-%Y"),
    lambda at: at.strftime("%H.%M"),
)


@dataclass(slots=True)
class Evening:
    """A session of 90 minutes. Mees was there, Noor came late and left early, Jip had said so, Bo did not come."""

    circle: Circle
    clock: FrozenClock
    ref: str
    version: int

    @property
    def members(self) -> list[Someone]:
        return self.circle.members

    def lead(self, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
        with self.circle.database.work(self.circle.hanna.actor) as w:
            return call(w, *args, **more)

    def steer(self, call: Callable[..., Any], *args: Any) -> None:
        self.lead(call, self.ref, self.version, *args)
        with self.circle.database.read() as r:
            query = select(GroupSession.version).where(GroupSession.public_id == self.ref)
            self.version = r.db.scalars(query).one()

    def here(self, *members: Someone) -> None:
        for who in members:
            with self.circle.database.work(who.actor) as w:
                presence.arrive(w, rooms.place(w, self.circle.room))

    def answer(self, who: Someone, step: str, value: Any, **more: Any) -> None:
        with self.circle.database.work(who.actor) as w:
            session, found = steering.attend(w, self.ref)
            exercises.answer(w, found, CHAPTER, step, value, session_id=session.id, **more)

    def report(self) -> afterwards.Report:
        with self.circle.database.read(self.circle.hanna.actor) as r:
            return afterwards.report(r, self.ref)

    def how(self) -> dict[str, afterwards.Line]:
        return {line.alias: line for line in self.report().lines}

    def text(self, who: Someone) -> str:
        found = self.lead(afterwards.of_member, self.ref, who.ref)
        return dossier.of_member(found.about, found.deeds, found.names, SPEECH)

    def summary(self) -> str:
        found = self.report()
        return dossier.of_group(found.about, found.together, found.names, SPEECH)


def begun(database: Database, clock: FrozenClock, members: int = 4) -> Evening:
    circle = builders.circle(database, members)
    ref = circle.plan()
    with database.work(circle.members[2].actor) as w:
        absence.cannot(w, ref)
    clock.forward(minutes=10)
    evening = Evening(circle, clock, ref, 1)
    evening.steer(sessions.open_session)
    return evening


@pytest.fixture
def evening(database: Database, clock: FrozenClock) -> Evening:
    evening = begun(database, clock)
    mees, noor, _jip, _bo = evening.members
    evening.here(mees)
    clock.forward(minutes=14)
    evening.here(mees, noor)
    clock.forward(minutes=60)
    evening.here(mees, noor)
    clock.forward(minutes=16)
    evening.here(mees)
    evening.steer(sessions.close)
    return evening


def test_everybody_is_judged_by_when_they_came_and_went(evening: Evening) -> None:
    mees, noor, jip, bo = (evening.how()[who.alias].how for who in evening.members)
    assert (mees.kind, mees.minutes, mees.late_by, mees.early_by) == ("came", 90, 0, 0)
    assert (noor.kind, noor.minutes, noor.late_by, noor.early_by) == ("came", 60, 14, 16)
    assert (jip.kind, bo.kind) == ("excused", "missed")
    assert "Hanna" not in evening.how()


def test_who_had_said_no_and_came_after_all_was_there(database: Database, clock: FrozenClock) -> None:
    evening = begun(database, clock)
    jip = evening.members[2]
    evening.here(jip)
    clock.forward(minutes=90)
    evening.here(jip)
    evening.steer(sessions.close)
    assert evening.how()[jip.alias].how.kind == "came"


def test_who_came_into_the_group_later_was_not_missed_and_who_left_later_still_counts(
    evening: Evening, clock: FrozenClock
) -> None:
    circle = evening.circle
    clock.forward(days=2)
    builders.seat(
        circle.database, circle.group_id, *builders.someone(circle.database, circle.organisation_id), "Toon_riet"
    )
    with circle.database.work(evening.members[1].actor) as w:
        leaving.leave(w, circle.group)
    lines = evening.how()
    assert "Toon_riet" not in lines
    assert lines[evening.members[1].alias].left
    assert len(lines) == 4


def test_who_left_before_the_session_is_not_in_it(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database, 4)
    with database.work(circle.members[3].actor) as w:
        leaving.leave(w, circle.group)
    ref = circle.plan()
    clock.forward(minutes=10)
    evening = Evening(circle, clock, ref, 1)
    evening.steer(sessions.open_session)
    clock.forward(minutes=30)
    evening.steer(sessions.close)
    assert circle.members[3].alias not in evening.how()


@pytest.mark.parametrize("members", [4, 8])
def test_the_number_of_queries_does_not_grow_with_the_group(
    database: Database, clock: FrozenClock, members: int
) -> None:
    evening = begun(database, clock, members)
    evening.here(*evening.members[:-1])
    clock.forward(minutes=90)
    evening.steer(sessions.close)
    with statements(database) as seen:
        evening.report()
    assert len([s for s in seen if s.startswith("SELECT")]) <= 8


def test_a_facilitator_puts_attendance_right_and_it_is_on_record(evening: Evening) -> None:
    """The group meets at 19.40 in Amsterdam: Bo was on the telephone from 19.45 to 20.50."""
    bo = evening.members[3]
    evening.lead(afterwards.correct, evening.ref, bo.ref, "came", time(19, 45), time(20, 50))
    line = evening.how()[bo.alias]
    assert (line.how.kind, line.how.minutes, line.how.late_by, line.corrected) == ("came", 65, 0, True)
    assert line.how.came is not None
    assert line.how.came.hour == 18
    with evening.circle.database.read() as r:
        row = r.db.scalars(select(AuditLine).where(AuditLine.action == "attendance.corrected")).one()
    assert (row.object_id, row.reason, row.actor_id) == (bo.membership_id, "came", evening.circle.hanna.person_id)


def test_it_can_be_put_right_in_every_direction(evening: Evening) -> None:
    mees, _noor, jip, bo = evening.members
    for who, kind in ((bo, "excused"), (jip, "missed"), (mees, "missed"), (mees, "excused"), (mees, "excused")):
        evening.lead(afterwards.correct, evening.ref, who.ref, kind)
        assert evening.how()[who.alias].how.kind == kind
    evening.lead(afterwards.correct, evening.ref, mees.ref, "came", time(19, 40), time(23, 0))
    assert evening.how()[mees.alias].how.minutes == 90  # never longer than the session


def test_who_was_there_after_all_is_looked_after_no_more_and_the_other_way_round(evening: Evening) -> None:
    mees, _noor, _jip, bo = evening.members

    def missed() -> set[str]:
        with evening.circle.database.read(evening.circle.hanna.actor) as r:
            return {one.alias for one in followups.open_ones(r)}

    assert missed() == {bo.alias}
    evening.lead(afterwards.correct, evening.ref, bo.ref, "came", time(19, 45), time(20, 50))
    evening.lead(afterwards.correct, evening.ref, mees.ref, "missed")
    evening.lead(afterwards.correct, evening.ref, mees.ref, "missed")
    assert missed() == {mees.alias}
    evening.lead(afterwards.correct, evening.ref, mees.ref, "excused")
    assert missed() == set()


@pytest.mark.parametrize(
    ("kind", "came", "last"),
    [
        ("", None, None),
        ("late", time(19, 45), time(20, 0)),
        ("came", None, None),
        ("came", time(20, 0), None),
        ("came", time(20, 0), time(19, 50)),
        ("came", time(12, 0), time(13, 0)),
        ("came", time(21, 30), time(22, 0)),
    ],
)
def test_what_cannot_be_changes_nothing(evening: Evening, kind: str, came: time | None, last: time | None) -> None:
    before = evening.how()
    with pytest.raises(Invalid):
        evening.lead(afterwards.correct, evening.ref, evening.members[0].ref, kind, came, last)
    assert evening.how() == before


def test_a_session_past_midnight_can_be_put_right(database: Database, clock: FrozenClock) -> None:
    clock.at = datetime(2026, 11, 17, 22, 0, tzinfo=clock.at.tzinfo)  # 23.00 in Amsterdam
    evening = begun(database, clock)
    clock.forward(minutes=90)
    evening.steer(sessions.close)
    evening.lead(afterwards.correct, evening.ref, evening.members[0].ref, "came", time(23, 50), time(0, 20))
    assert evening.how()[evening.members[0].alias].how.minutes == 30


def test_only_who_leads_the_group_sees_and_changes_anything(evening: Evening, database: Database) -> None:
    other = builders.circle(database, organisation_id=evening.circle.organisation_id)
    mees = evening.members[0]
    calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (afterwards.report, (evening.ref,)),
        (afterwards.of_member, (evening.ref, mees.ref)),
        (afterwards.correct, (evening.ref, mees.ref, "missed")),
    ]
    for call, args in calls:
        for who, refusal in ((mees, Forbidden), (other.hanna, NotFound), (other.members[0], NotFound)):
            with pytest.raises(refusal), database.work(who.actor) as w:
                call(w, *args)
    for ref in (other.members[0].ref, evening.circle.hanna.ref, "nobody", ids.public_id()):
        with pytest.raises(NotFound):
            evening.lead(afterwards.of_member, evening.ref, ref)
        with pytest.raises(NotFound):
            evening.lead(afterwards.correct, evening.ref, ref, "missed")


def test_before_it_began_there_is_nothing_and_before_it_closed_nothing_to_put_right(
    database: Database, clock: FrozenClock
) -> None:
    circle = builders.circle(database)
    ref = circle.plan()
    evening = Evening(circle, clock, ref, 1)
    with pytest.raises(Closed):
        evening.report()
    evening.steer(sessions.open_session)
    assert len(evening.how()) == 3
    with pytest.raises(Closed):
        evening.lead(afterwards.correct, ref, circle.members[0].ref, "missed")


def _full(database: Database, clock: FrozenClock) -> Evening:
    """An evening on which Mees did everything that can be told or must not be told."""
    evening = begun(database, clock, 8)
    mees, noor = evening.members[:2]
    others = [who for who in evening.members if who is not evening.members[2]]
    evening.here(*others)
    evening.steer(sessions.move, POLL)
    for who in others[:5]:
        evening.answer(who, CHOICE, ["1"])
    evening.steer(sessions.reveal)
    evening.steer(sessions.move, SHARED)
    evening.answer(mees, QUESTION, f"Rust, zei {noor.alias}, en dat herkende ik", share=True)
    evening.answer(noor, QUESTION, "Een zilverstoel in mijn hoofd", share=True)
    evening.answer(mees, REFLECTION, "Een appelkast voor mij alleen")
    evening.circle.post(mees, "Eerste bericht over een botervloot")
    evening.circle.post(mees, "Tweede")
    evening.circle.post(noor, "Een zilverlamp")
    with database.work() as w:
        session = w.db.scalars(select(GroupSession).where(GroupSession.public_id == evening.ref)).one()
        seat = rooms.group_place(_as(w, mees), evening.circle.group)
        line = w.db.scalars(select(SessionStep).where(SessionStep.session_id == session.id)).first()
        assert line is not None
        w.db.add_all(
            [
                Turn(line_id=line.id, membership_id=mees.membership_id, position=0, state="done"),
                Turn(line_id=line.id, membership_id=noor.membership_id, position=1, state="passed"),
            ]
        )
        ref = ids.public_id()
        w.db.add(
            SessionNote(
                public_id=ref,
                session_id=session.id,
                seat_id=seat.seat_id,
                author_id=mees.person_id,
                key=str(uuid.uuid4()),
                by_staff=False,
                text=w.ring.seal(mees.person_id, SessionNote.text, ref, "Alleen voor jou: een cirkelmand"),
                at=w.now,
            )
        )
    return evening


def _as(w: Any, who: Someone) -> Any:
    w.actor = who.actor
    return w


def test_the_text_tells_what_somebody_shared_and_did_after_it_was_revealed(
    database: Database, clock: FrozenClock
) -> None:
    evening = _full(database, clock)
    mees, noor = evening.members[:2]
    assert "herkende" not in evening.text(mees)  # the group has not seen it yet
    evening.steer(sessions.reveal)
    text = evening.text(mees)
    assert "“Rust, zei een groepsgenoot, en dat herkende ik”" in text
    assert "Cliënt schreef 2 berichten in de groep." in text
    assert "Cliënt nam een beurt in een ronde." in text
    assert "gaf een beurt" not in text
    assert "Cliënt schreef de begeleider een persoonlijk bericht." in text
    assert "twee aan twee" not in text
    of_noor = evening.text(noor)
    assert "“Een zilverstoel in mijn hoofd”" in of_noor
    assert "gaf een beurt" in of_noor
    assert "persoonlijk bericht" not in of_noor


def test_the_text_holds_nothing_private_counted_or_of_others(database: Database, clock: FrozenClock) -> None:
    evening = _full(database, clock)
    evening.steer(sessions.reveal)
    clock.forward(minutes=60)
    evening.steer(sessions.close)
    everybody = [who.alias for who in (*evening.members, evening.circle.hanna)]
    text = evening.text(evening.members[0])
    for word in ("appelkast", "botervloot", "cirkelmand", "zilverstoel", "zilverlamp", *everybody):
        assert word not in text
    with database.read() as r:
        place = rooms.group_place(_as(r, evening.circle.hanna), evening.circle.group)
        feelings = exercises.question(place, CHAPTER, CHOICE)
    assert feelings.step.options
    assert not any(option in text for option in feelings.step.options)


def test_who_took_an_answer_back_or_had_it_held_is_not_quoted(database: Database, clock: FrozenClock) -> None:
    evening = _full(database, clock)
    mees, noor = evening.members[:2]
    evening.answer(mees, QUESTION, "Toch liever voor mezelf", share=False)
    evening.answer(noor, QUESTION, builders.RUDE, share=True)
    evening.steer(sessions.reveal)
    assert "Wat Cliënt met de groep deelde" not in evening.text(mees)
    assert "Wat Cliënt met de groep deelde" not in evening.text(noor)


def test_a_small_group_is_told_of_and_what_was_said_there_is_not(database: Database, clock: FrozenClock) -> None:
    evening = _full(database, clock)
    mees = evening.members[0]
    with database.work() as w:
        session = w.db.scalars(select(GroupSession).where(GroupSession.public_id == evening.ref)).one()
        room = Room(public_id=ids.public_id(), group_id=evening.circle.group_id, kind="breakout")
        w.db.add(room)
        w.db.flush()
        w.db.add(Breakout(session_id=session.id, room_id=room.id, ends_at=w.now + timedelta(minutes=5)))
        membership = afterwards._member(w, rooms.group_place(_as(w, mees), evening.circle.group), mees.ref)
        rooms.take_seat(w, room.id, membership, "Vos_wolk")
        ref = room.public_id
    evening.circle.post(mees, "Met z'n tweeën: een dekenstoel", room=ref)
    text = evening.text(mees)
    assert "Cliënt schreef ook toen de groep twee aan twee was." in text
    assert "Cliënt schreef 2 berichten" in text
    assert "dekenstoel" not in text


def test_opening_a_text_is_a_line_in_the_audit_log_and_nothing_else_is_kept(evening: Evening) -> None:
    def rows() -> list[AuditLine]:
        with evening.circle.database.read() as r:
            return list(r.db.scalars(select(AuditLine).where(AuditLine.action == "dossier.opened")))

    mees = evening.members[0]
    with statements(evening.circle.database) as seen:
        evening.text(mees)
        evening.text(mees)
    assert [(row.object_kind, row.object_id, row.reason) for row in rows()] == [
        ("membership", mees.membership_id, "")
    ] * 2
    written = {s.split()[2] for s in seen if s.startswith(("INSERT", "UPDATE", "DELETE"))}
    assert written == {"audit_lines"}


def test_the_summary_counts_and_quotes_nobody_by_name(database: Database, clock: FrozenClock) -> None:
    evening = _full(database, clock)
    evening.steer(sessions.reveal)
    clock.forward(minutes=60)
    evening.steer(sessions.close)
    text = evening.summary()
    assert "Aanwezig: 7. Afgemeld: 1. Niet geweest: 0." in text
    assert ": 5" in text  # the poll
    for word in ("herkende", "zilverstoel", "appelkast", *(who.alias for who in evening.members), "Hanna"):
        assert word not in text


def test_of_too_few_answers_the_summary_says_nothing(database: Database, clock: FrozenClock) -> None:
    """Also when there were enough at the time, and somebody erased their account since."""
    evening = _full(database, clock)
    assert ": 5" in evening.summary()
    with database.work() as w:
        for row in w.db.scalars(select(Answer).where(Answer.step == CHOICE).limit(1)).all():
            w.db.delete(row)
    assert ": 4" not in evening.summary()


def test_closing_questions_are_shown_added_up_and_in_no_text(database: Database, clock: FrozenClock) -> None:
    evening = _full(database, clock)
    evening.steer(sessions.reveal)
    clock.forward(minutes=85)
    evening.steer(sessions.close)
    assert evening.report().felt is None
    for number, who in enumerate(evening.members[3:]):
        with database.work(who.actor) as w:
            closing.answer(w, evening.circle.room, evening.ref, 1 + number, 5)
    clock.forward(days=2)
    felt = evening.report().felt
    assert felt is not None
    assert (felt.answers, felt.together, felt.safe) == (5, (1, 1, 1, 1, 1), (0, 0, 0, 0, 5))
    for text in (evening.text(evening.members[3]), evening.summary()):
        assert "slot" not in text.lower()
        assert "veilig" not in text.lower()


def test_a_step_that_was_not_reached_was_not_done(database: Database, clock: FrozenClock) -> None:
    evening = begun(database, clock)
    evening.steer(sessions.move, 1)
    titles = list(evening.report().about.steps)
    assert len(titles) == 2


@pytest.fixture
def browser(site: flask.Flask, clock: FrozenClock) -> tuple[Visitor, Evening]:
    house = site.extensions["samen"]
    house.database.clock = clock
    evening = _full(house.database, clock)
    evening.steer(sessions.reveal)
    clock.forward(minutes=60)
    evening.steer(sessions.close)
    visitor = Visitor(site)
    visitor.client.set_cookie(house.cookie, evening.circle.hanna.token, domain="localhost")
    return visitor, evening


def test_the_page_is_never_kept_and_says_so(browser: tuple[Visitor, Evening]) -> None:
    visitor, evening = browser
    answer = visitor.get(f"/bijeenkomst/{evening.ref}/verslag/{evening.members[0].ref}")
    page = answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Deze tekst bewaren we niet." in page
    assert "“Rust, zei een groepsgenoot" in page
    field = page[page.index("<textarea") : page.index("</textarea>")]
    assert "name=" not in field  # it belongs to no form: nothing of it can be sent
    assert "data-draft" not in field
    assert page.index("<textarea") > page.rfind("</form>", 0, page.index("<textarea"))
    assert 'spellcheck="false"' in field


def test_attendance_is_put_right_on_the_page(browser: tuple[Visitor, Evening]) -> None:
    visitor, evening = browser
    path = f"/bijeenkomst/{evening.ref}/verslag"
    jip = evening.members[2]
    page = visitor.get(path).get_data(as_text=True)
    assert "afgemeld" in page
    assert "7 van 8" in page
    form = {"kind": "came", "came": "19:45", "last": "20:15"}
    assert visitor.post(f"{path}/{jip.ref}", form).status_code == 303
    page = visitor.get(path).get_data(as_text=True)
    assert "19.45 tot 20.15 uur, 30 min" in page
    assert "door jullie aangepast" in page
    assert visitor.post(f"{path}/{jip.ref}", {"kind": "came", "came": "kwart voor acht"}).status_code == 422


def test_a_corrected_line_says_on_which_day(evening: Evening) -> None:
    bo = evening.members[3]
    evening.lead(afterwards.correct, evening.ref, bo.ref, "came", time(19, 45), time(20, 50))
    with evening.circle.database.read() as r:
        days = r.db.scalars(select(Attendance.corrected_on).order_by(Attendance.corrected_on)).all()
    assert date(2026, 11, 17) in days
    assert None in days


def test_the_text_speaks_the_language_and_the_hours_of_the_group(browser: tuple[Visitor, Evening]) -> None:
    """Hanna reads Dutch; the file of an English group is English, and its hours are those of London."""
    visitor, evening = browser
    path = f"/bijeenkomst/{evening.ref}/verslag/{evening.members[0].ref}"
    text = visitor.get(path).get_data(as_text=True)
    assert "dinsdag 17 november 2026, 19.40" in text
    with evening.circle.database.work() as w:
        w.db.execute(update(Group).values(language="en", timezone="Europe/London"))
    text = visitor.get(path).get_data(as_text=True)
    assert "Tuesday 17 November 2026, 18:40" in text
    assert "Tekst voor het dossier" in text
