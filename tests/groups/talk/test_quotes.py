"""An answer shows what it answers, as long as that is there to be seen by whoever reads."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.core.work import Database
from groups import rooms
from groups.models import Message
from groups.subjects import MessageSubject
from groups.talk import conversation, editing, hiding
from groups.talk.conversation import Quote, View
from tests import builders
from tests.builders import Circle, Someone

LONG = "Zondagavond is het lastigst. " * 12


@pytest.fixture
def circle(database: Database) -> Circle:
    made = builders.circle(database)
    made.post(made.members[0], "Zondagavond\nis het lastigst")
    made.post(made.members[1], "Bij mij ook", reply_to=1)
    return made


def answer(circle: Circle, who: Someone) -> View:
    with circle.database.read(who.actor) as r:
        return conversation.latest(r, rooms.place(r, circle.room))[-1]


def test_an_answer_carries_the_first_words_and_the_alias_of_what_it_answers(circle: Circle) -> None:
    mees, noor, jip = circle.members
    shown = answer(circle, jip)
    assert (shown.reply_to, shown.quote) == (1, Quote(mees.alias, "Zondagavond is het lastigst"))
    assert shown.as_dict()["quote"] == {"alias": mees.alias, "text": "Zondagavond is het lastigst"}
    circle.post(mees, LONG)
    circle.post(noor, "Lang", reply_to=3)
    quote = answer(circle, jip).quote
    assert quote is not None
    assert len(quote.text) <= 140
    assert quote.text.endswith("…")


@pytest.mark.parametrize("how", ["withdrawn", "hidden by a moderator", "hidden by the reader", "author hidden"])
def test_the_quote_dies_with_what_it_quotes(circle: Circle, database: Database, how: str) -> None:
    mees, _noor, jip = circle.members
    with database.work({"withdrawn": mees, "hidden by a moderator": circle.hanna}.get(how, jip).actor) as w:
        if how == "withdrawn":
            editing.withdraw(w, circle.room, 1)
        elif how == "hidden by a moderator":
            MessageSubject().reject(w, w.db.scalars(select(Message.id).where(Message.seq == 1)).one(), "tone")
        elif how == "hidden by the reader":
            hiding.hide_message(w, circle.room, 1)
        else:
            hiding.hide_person(w, circle.room, mees.alias)
    shown = answer(circle, jip)
    assert (shown.text, shown.quote) == ("Bij mij ook", None)
    assert "lastigst" not in str(shown.as_dict())


def test_what_one_reader_hid_the_others_still_see(circle: Circle, database: Database) -> None:
    mees, noor, jip = circle.members
    with database.work(jip.actor) as w:
        hiding.hide_person(w, circle.room, mees.alias)
    with database.read(jip.actor) as r:
        first = conversation.latest(r, rooms.place(r, circle.room))[0]
    assert (first.text, first.status, first.trace) == ("", "hidden", False)
    assert answer(circle, noor).quote == Quote(mees.alias, "Zondagavond is het lastigst")


def test_a_quote_follows_a_change_of_what_it_quotes(circle: Circle, database: Database) -> None:
    mees, _noor, jip = circle.members
    with database.work(mees.actor) as w:
        editing.edit(w, circle.room, 1, "Zaterdagavond is het lastigst")
    assert answer(circle, jip).quote == Quote(mees.alias, "Zaterdagavond is het lastigst")


def test_quotes_of_a_page_cost_one_statement_and_none_where_nobody_answers(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, _jip = circle.members
    costs = []
    for number in range(4):
        circle.post(mees, f"Zin {number}")
        with database.read(noor.actor) as r:
            found = rooms.place(r, circle.room)
            with builders.statements(database) as sent:
                conversation.history(r, found, 0)
            costs.append(len(sent))
        circle.post(noor, f"Antwoord {number}", reply_to=2 * number + 1)
    assert costs == [costs[0], *[costs[0] + 1] * 3]
