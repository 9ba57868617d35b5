"""What is left of an evening, gathered for the checker: from every screen, from pages, and from the rows."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from app.notify.models import Notice, OutboxItem
from groups import rooms
from groups.after import afterwards, dossier, followups
from groups.after.attendance import CAME, Judged
from groups.after.redaction import Names
from groups.agenda import steering
from groups.led import closing, notes
from groups.models import Answer, Membership
from groups.programme import exercises
from groups.programme.curriculum import programme
from moderation.models import Case
from tests.replay.house import House
from tests.replay.record import Answered, Noted, Record, Row
from tests.replay.script import ZONE, Play


def gather(house: House) -> Record:
    """Fill in what was found in the end."""
    record, play = house.record, house.play
    about = play.afterwards["dossier"]
    record.wanted = play.afterwards | {"dossier": about | {"text": _draft(play, about)}}
    for alias in play.cast:
        screen = house.screens[alias]
        given = screen.ask("room.sync", {"room": house.room, "after": 0})["items"]
        record.kept_talks[alias] = [Row(item["seq"], item["alias"], item["text"]) for item in given]
        record.talks[alias] = [Row(item["seq"], item["alias"], item["text"]) for item in screen.view.talk()]
        record.wrong += screen.view.wrong
        record.kept_notes[alias] = _notes(house, alias)
    record.kept_answers = _answers(house)
    _attendance(house, record)
    record.alerts = _alerts(house)
    record.dossier = _dossier(house)
    return record


def _notes(house: House, alias: str) -> list[Noted]:
    with house.reading(alias) as r:
        session, found = steering.attend(r, house.session)
        if not found.leads:
            return [Noted(alias, note.by_staff, note.text) for note in notes.own(r, session, found)]
        threads = notes.threads(r, session, found)
        return [Noted(thread.alias, note.by_staff, note.text) for thread in threads for note in thread.lines]


def _answers(house: House) -> list[Answered]:
    titles = {line.step.id: line.step.title for line in house.sheet()}
    with house.reading(house.play.lead) as r:
        session, _found = steering.lead(r, house.session)
        rows = r.db.execute(
            select(Membership.alias, Answer)
            .join(Membership, Membership.id == Answer.membership_id)
            .where(Answer.session_id == session.id)
        ).all()
        return [
            Answered(
                row.alias,
                row.Answer.step if row.Answer.chapter == closing.CHAPTER else titles[row.Answer.step],
                row.Answer.sharing,
                exercises.value_of(r, row.Answer),
            )
            for row in rows
        ]


def _attendance(house: House, record: Record) -> None:
    lead = house.screens[house.play.lead]
    assert lead.get(f"/bijeenkomst/{house.session}/verslag").status == 200
    with house.reading(house.play.lead) as r:
        lines = afterwards.report(r, house.session).lines
        record.attendance = {one.alias: [one.how.kind, one.how.late_by, one.how.early_by] for one in lines}
        record.follow_up = [missed.alias for missed in followups.open_ones(r)]


def _alerts(house: House) -> int:
    """How often somebody of the staff was asked to look at once; for each alert one case."""
    with house.reading(house.play.lead) as r:
        queued = r.db.scalar(select(func.count()).select_from(OutboxItem).where(OutboxItem.kind == "alert")) or 0
        lines = r.db.scalar(select(func.count()).select_from(Notice).where(Notice.kind == "alert")) or 0
        cases = r.db.scalar(select(func.count()).select_from(Case).where(Case.kinds.contains("crisis_self"))) or 0
    assert lines <= queued
    return queued if queued == cases else -1


def _draft(play: Play, about: dict[str, Any]) -> str:
    """The draft that the play's own facts make: no row was asked for any of them."""

    def moment(minute: int) -> datetime:
        return play.begins + timedelta(minutes=minute)

    speech = dossier.Speech(
        say=lambda text, **words: text.format(**words),
        day=lambda _at: str(about["day"]),
        clock=lambda at: at.astimezone(ZONE).strftime("%H.%M"),
    )
    chapter = programme("lust-leren-loslaten", "nl").chapter("")
    titles = {step.id: step.title for step in chapter.steps}
    steps = tuple(titles.get(step, step) for step in about["steps"])
    how = Judged(CAME, moment(about["came"]), moment(about["left"]), about["left"] - about["came"])
    shared = tuple((titles.get(step, step), text.format(peer=dossier.PEER)) for step, text in about["shared"])
    flags = {name: about[name] for name in ("messages", "spoke", "passed", "apart", "wrote_note")}
    times = dossier.About(moment(0), moment(play.minutes), chapter.title, 0, steps)
    nobody = Names(frozenset(), frozenset(), frozenset())
    return dossier.of_member(times, dossier.Deeds(how, shared, **flags), nobody, speech)


def _dossier(house: House) -> str:
    """The draft about one member, as the page offers it."""
    about, lead = house.play.afterwards["dossier"]["of"], house.screens[house.play.lead]
    with house.reading(house.play.lead) as r:
        found = rooms.place(r, house.room)
        ref = next(member.ref for member in rooms.members(r, found) if member.alias == about)
    page = lead.browser.get(f"/bijeenkomst/{house.session}/verslag/{ref}")
    draft = re.search(r"<textarea[^>]*>(.*?)</textarea>", page.text, re.S)
    assert draft
    return html.unescape(draft[1])
