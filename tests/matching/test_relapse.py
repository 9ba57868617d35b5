"""Relapse reports: a quiet look of one's own, and one decision about who may know."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.accounts.models import Person
from app.core import audit
from app.core.audit import AuditLine
from app.core.errors import AppError, Closed, Invalid, NotFound, TooLarge
from app.core.permissions import Permission, Role
from app.core.work import Database
from app.notify.models import OutboxItem
from groups import rooms
from groups.models import Membership
from matching import outreach, relapse
from matching.models import OutreachStep, RelapseReport
from tests import builders
from tests.builders import CLOCKS, CRISIS, Circle, Someone
from tests.conftest import SEAL_KEY, FrozenClock, Heard


def _begin(circle: Circle, who: Someone, kind: str = "lapse", key: str | None = None) -> str:
    with circle.database.work(who.actor) as w:
        return relapse.begin(w, rooms.place(w, circle.room), kind, key or str(uuid.uuid4()))


def _read(circle: Circle, who: Someone, ref: str) -> relapse.Report:
    with circle.database.read(who.actor) as r:
        return relapse.read(r, ref)


def _send(circle: Circle, who: Someone, ref: str, *, buddy: bool = True, lead: bool = False) -> None:
    with circle.database.work(who.actor) as w:
        relapse.send(w, ref, ask_buddy=buddy, ask_facilitator=lead, clocks=CLOCKS)


def _write(circle: Circle, who: Someone, ref: str, text: str, part: str = "thought") -> bool:
    with circle.database.work(who.actor) as w:
        return relapse.write_analysis(w, ref, part, text, CLOCKS)


def _asked(circle: Circle) -> list[tuple[str, int]]:
    """Who has been told that somebody asks for contact."""
    with circle.database.read() as r:
        rows = r.db.execute(
            select(OutboxItem.kind, OutboxItem.person_id).where(OutboxItem.kind == "outreach").order_by(OutboxItem.id)
        )
        return [(row.kind, row.person_id) for row in rows]


def _count(database: Database, table: Any) -> int:
    with database.read() as r:
        return r.db.scalar(select(func.count()).select_from(table)) or 0


def _ladder(report: relapse.Report) -> list[tuple[str, str]]:
    return [(rung.who, rung.state) for rung in report.ladder]


def test_the_same_key_opens_the_same_draft(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor = circle.members[:2]
    key = str(uuid.uuid4())
    ref = _begin(circle, mees, key=key)
    assert _begin(circle, mees, "urge", key) == ref
    assert _begin(circle, mees) != ref
    assert _begin(circle, noor, key=key) != ref
    assert _read(circle, mees, ref).kind == "lapse"


def test_a_double_click_opens_one_draft(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    circle = builders.circle(database)
    key = str(uuid.uuid4())
    monkeypatch.setattr(relapse.ids, "public_id", builders.Gap().after(relapse.ids.public_id))
    answers = builders.at_once(*[lambda: _begin(circle, circle.members[0], key=key)] * 2)
    assert [a for a in builders.refusals(answers) if not isinstance(a, AppError)] == []
    assert _count(database, RelapseReport) == 1


def test_only_members_report_and_only_what_there_is(database: Database) -> None:
    circle = builders.circle(database)
    for who, kind in ((circle.hanna, "lapse"), (circle.members[0], "sin"), (circle.members[0], "")):
        with pytest.raises(Invalid):
            _begin(circle, who, kind)
    assert _count(database, RelapseReport) == 0


def test_nobody_else_can_open_or_change_a_report(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    circle.pair(mees, noor)
    ref = circle.send(mees)
    _write(circle, mees, ref, "Ik was alleen thuis")
    for stranger in (noor, circle.hanna):  # a buddy and the facilitator who are asked, too
        with database.work(stranger.actor) as w:
            for call in (
                lambda w=w: relapse.read(w, ref),
                lambda w=w: relapse.say_safe(w, ref, "yes"),
                lambda w=w: relapse.send(w, ref, ask_buddy=True, ask_facilitator=True, clocks=CLOCKS),
                lambda w=w: relapse.keep(w, ref),
                lambda w=w: relapse.write_analysis(w, ref, "thought", "x", CLOCKS),
                lambda w=w: relapse.stop(w, ref),
            ):
                with pytest.raises(NotFound):
                    call()
            assert relapse.recent(w) == []
            assert "alleen thuis" not in str(outreach.due(w))


def test_a_draft_asks_nobody(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    heard.clear()
    ref = circle.report(mees)
    _write(circle, mees, ref, "Ik was alleen thuis", "situation")
    report = _read(circle, mees, ref)
    assert (report.state, report.safe, report.sent_at, report.ladder) == ("draft", "yes", None, ())
    assert report.analysis["situation"] == "Ik was alleen thuis"
    assert _asked(circle) == []
    assert heard == []
    with database.read(mees.actor) as r:
        assert relapse.recent(r) == []


def test_sending_asks_the_buddy_first_and_leaves_the_rest_waiting(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    circle.pair(mees, noor)
    ref = circle.send(mees)
    report = _read(circle, mees, ref)
    assert report.state == "asked"
    assert _ladder(report) == [(circle.known_as(noor), "asked"), ("Hanna", "waiting")]
    assert _asked(circle) == [("outreach", noor.person_id)]
    with database.read(mees.actor) as r:
        assert [one.ref for one in relapse.recent(r)] == [ref]
        assert "report.sent" in r.db.scalars(select(AuditLine.action)).all()
        assert audit.verify(r.db, SEAL_KEY) is None


def test_a_buddy_is_never_asked_without_consent(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    circle.pair(mees, noor)
    for safe in ("yes", "unsure", "no"):
        ref = circle.send(mees, safe=safe, buddy=False, facilitator=True)
        assert _ladder(_read(circle, mees, ref)) == [("Hanna", "asked")]
    with database.read(noor.actor) as r:
        assert outreach.due(r) == []


def test_who_may_not_be_safe_has_facilitators_asked_at_once_for_a_quarter_of_an_hour(
    database: Database, clock: FrozenClock
) -> None:
    for safe in ("unsure", "no"):
        circle = builders.circle(database)
        ilse, mees = circle.second_lead(), circle.members[0]
        circle.send(mees, safe=safe, buddy=False, facilitator=False)
        for lead in (circle.hanna, ilse):
            with database.read(lead.actor) as r:
                [ask] = outreach.due(r)
            assert ask.red
            assert (ask.deadline_at - clock()).total_seconds() == 15 * 60


def test_sending_twice_sends_once(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    ref = circle.send(mees)
    for buddy in (True, False):
        _send(circle, mees, ref, buddy=buddy)
    assert _asked(circle) == [("outreach", circle.hanna.person_id)]
    assert _count(database, OutreachStep) == 1
    with pytest.raises(Closed), database.work(mees.actor) as w:
        relapse.keep(w, ref)
    with database.work(mees.actor) as w:
        relapse.say_safe(w, ref, "yes")  # said again: nothing moves
    assert _count(database, OutreachStep) == 1


def test_who_is_not_safe_after_sending_has_facilitators_asked_at_once_and_once(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    circle.pair(mees, noor)
    ref = circle.send(mees)
    for _ in range(2):
        with database.work(mees.actor) as w:
            relapse.say_safe(w, ref, "no")
            relapse.warn(w, ref, CLOCKS)
    with database.read(circle.hanna.actor) as r:
        assert [ask.red for ask in outreach.due(r)] == [True]


def test_a_buddys_yes_does_not_call_off_the_facilitator_who_was_asked_because_of_danger(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    circle.pair(mees, noor)
    ref = circle.send(mees)
    assert _write(circle, mees, ref, builders.CRISIS)
    with database.read(noor.actor) as r:
        [ask] = outreach.due(r)
    assert [rung.rung for rung in ask.ladder] == ["buddy", "facilitator"]  # not the red one
    with database.work(noor.actor) as w:
        outreach.acknowledge(w, ask.ref, ask.version)
    with database.read(circle.hanna.actor) as r:
        assert [(due.red, due.state) for due in outreach.due(r)] == [(True, "asked")]
    assert _read(circle, mees, ref).state == "asked"


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMINISTRATOR])
def test_everybody_who_can_be_asked_can_answer(database: Database, role: Role) -> None:
    circle = builders.circle(database)
    actor, _ = builders.someone(database, circle.organisation_id, role, name="Daan")
    with database.work() as w:
        w.db.execute(update(Person).where(Person.id == circle.hanna.person_id).values(suspended_at=w.now))
    circle.send(circle.members[0], safe="no", buddy=False, facilitator=True)
    assert actor.may(Permission.OUTREACH_STEP_ACKNOWLEDGE)
    with database.work(actor) as w:
        [ask] = outreach.due(w)
        outreach.acknowledge(w, ask.ref, ask.version)


def test_a_double_click_sends_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    circle.pair(mees, noor)
    ref = circle.report(mees)
    monkeypatch.setattr(relapse, "_plan", builders.Gap().after(relapse._plan))
    answers = builders.at_once(lambda: _send(circle, mees, ref), lambda: _send(circle, mees, ref, buddy=False))
    assert [a for a in builders.refusals(answers) if not isinstance(a, AppError)] == []
    assert len(_asked(circle)) == 1


def test_report_ladder_and_first_ask_are_stored_together_or_not_at_all(
    database: Database, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    ref = circle.report(mees)
    lines = _count(database, AuditLine)
    heard.clear()

    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError("no room on the disk")

    monkeypatch.setattr(outreach.outbox, "queue", fail)
    with pytest.raises(OSError, match="disk"):
        _send(circle, mees, ref)
    monkeypatch.undo()
    report = _read(circle, mees, ref)
    assert (report.state, report.sent_at, report.ladder) == ("draft", None, ())
    assert (_count(database, OutreachStep), _count(database, AuditLine)) == (0, lines)
    assert heard == []
    _send(circle, mees, ref)  # and trying again works
    assert _ladder(_read(circle, mees, ref)) == [("Hanna", "asked")]


def test_what_is_not_answered_yet_is_asked_for_and_nothing_is_sent(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    ref = _begin(circle, mees)
    with pytest.raises(Invalid):
        _send(circle, mees, ref)
    for wrong in ("", "maybe"):
        with pytest.raises(Invalid), database.work(mees.actor) as w:
            relapse.say_safe(w, ref, wrong)
    with database.work(mees.actor) as w:
        relapse.say_safe(w, ref, "yes")
    with pytest.raises(Invalid):
        _send(circle, mees, ref, buddy=False, lead=False)
    assert _asked(circle) == []


def test_a_report_can_be_kept_and_sent_later_but_not_when_one_is_unsafe(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    ref = circle.report(mees)
    with database.work(mees.actor) as w:
        relapse.keep(w, ref)
    assert _read(circle, mees, ref).state == "kept"
    _send(circle, mees, ref)
    assert _read(circle, mees, ref).state == "asked"
    for safe in ("unsure", "no"):
        ref = circle.report(mees, safe=safe)
        with pytest.raises(Invalid), database.work(mees.actor) as w:
            relapse.keep(w, ref)


def test_nobody_is_told_that_somebody_was_asked_when_nobody_was(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    with database.work() as w:
        w.db.execute(update(Membership).where(Membership.role == "facilitator").values(left_at=w.now))
    for safe in ("yes", "no"):
        ref = circle.report(mees, safe=safe)
        try:
            _send(circle, mees, ref)
        except AppError:
            continue  # saying so is honest too
        report = _read(circle, mees, ref)
        assert report.state != "asked" or report.ladder


def test_the_analysis_is_written_part_by_part_and_can_be_emptied(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    ref = _begin(circle, mees)
    for part in relapse.ANALYSIS:
        assert _write(circle, mees, ref, f"Over {part}", part) is False
    assert _read(circle, mees, ref).analysis == {part: f"Over {part}" for part in relapse.ANALYSIS}
    _write(circle, mees, ref, "   ", "thought")
    assert _read(circle, mees, ref).analysis["thought"] == ""
    for part in ("safe", "public_id", "", "membership_id"):
        with pytest.raises(NotFound):
            _write(circle, mees, ref, "x", part)
    with pytest.raises(TooLarge):
        _write(circle, mees, ref, "x" * 4_001)


def test_danger_in_the_analysis_asks_facilitators_at_once_without_a_word_of_it(
    database: Database, heard: Heard
) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    circle.pair(mees, noor)
    ref = circle.report(mees)
    assert _write(circle, mees, ref, CRISIS) is True
    assert _asked(circle) == [("outreach", circle.hanna.person_id)]
    with database.read(circle.hanna.actor) as r:
        [ask] = outreach.due(r)
        assert ask.red
        assert CRISIS not in str(ask)
        everything = str(r.db.execute(select(OutboxItem.__table__)).all())
        everything += str(r.db.execute(select(AuditLine.__table__)).all())
    assert CRISIS not in everything + str(heard)
    assert _write(circle, mees, ref, CRISIS + " echt") is True
    assert len(_asked(circle)) == 1  # asked already


def test_danger_is_heard_wherever_the_report_stands(database: Database) -> None:
    circle = builders.circle(database)
    for safe, sent, stopped in (
        ("yes", True, False),
        ("yes", True, True),
        ("no", False, False),
        ("no", True, True),
        ("unsure", True, True),
    ):
        mees = circle.members[0]
        ref = circle.send(mees, safe=safe) if sent else circle.report(mees, safe=safe)
        if stopped:
            with database.work(mees.actor) as w:
                relapse.stop(w, ref)
        assert _write(circle, mees, ref, CRISIS)
        report = _read(circle, mees, ref)
        situation = (safe, sent, stopped)
        assert (situation, report.state) == (situation, "asked")
        assert (situation, [r.state for r in report.ladder][-1:]) == (situation, ["asked"])


def test_who_has_contact_stops_the_asking(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    circle.pair(mees, noor)
    ref = circle.send(mees)
    with database.work(mees.actor) as w:
        relapse.stop(w, ref)
    report = _read(circle, mees, ref)
    assert (report.state, {rung.state for rung in report.ladder}) == ("stopped", {"cancelled"})
    with database.read(noor.actor) as r:
        assert outreach.due(r) == []
    with pytest.raises(Closed), database.work(mees.actor) as w:
        relapse.stop(w, ref)


def test_one_member_cannot_drown_the_others_asks(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    refs = [_begin(circle, mees) for _ in range(relapse.PER_HOUR + 3)]
    assert len(set(refs)) == relapse.PER_HOUR
    assert set(refs[relapse.PER_HOUR :]) == {refs[relapse.PER_HOUR - 1]}
    with database.work(mees.actor) as w:  # and danger is never turned away
        relapse.say_safe(w, refs[-1], "no")
        relapse.warn(w, refs[-1], CLOCKS)
    with database.read(circle.hanna.actor) as r:
        assert [ask.red for ask in outreach.due(r)] == [True]
    clock.forward(minutes=61)
    assert _begin(circle, mees) not in refs
