"""Looking something up: in one's own room only, all words, whatever capitals and accents; and at what cost."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from app.core.errors import Invalid, NotFound, TooLarge
from app.core.work import Database
from groups import rooms
from groups.models import Message, Room
from groups.talk import hiding, search
from tests import builders
from tests.builders import Circle, Someone


def _find(circle: Circle, asked: str, who: Someone | None = None, room: str = "") -> search.Results:
    with circle.database.read((who or circle.members[0]).actor) as r:
        return search.find(r, room or circle.room, asked)


def _seqs(circle: Circle, asked: str, who: Someone | None = None) -> list[int]:
    return [hit.seq for hit in _find(circle, asked, who).hits]


def _talk(database: Database, *lines: str) -> Circle:
    circle = builders.circle(database)
    for number, line in enumerate(lines):
        circle.post(circle.members[number % 3], line)
    return circle


def test_every_word_must_occur_in_any_order_newest_first(database: Database) -> None:
    circle = _talk(database, "Vanavond wandelen in het bos", "Het bos was stil", "Wandelen helpt me, ook in het BOS")
    assert _seqs(circle, "bos") == [3, 2, 1]
    assert _seqs(circle, "bos wandelen") == [3, 1]
    assert _seqs(circle, "wandel het bos stil") == []


def test_capitals_and_accents_make_no_difference(database: Database) -> None:
    circle = _talk(database, "Na het café was de drang weg", "Één dag tegelijk", "Strasse of Straße")
    assert _seqs(circle, "CAFE") == [1]
    assert _seqs(circle, "cafe\u0301") == [1]
    assert _seqs(circle, "een") == [2]
    assert _seqs(circle, "STRASSE") == [3]


def test_a_hit_shows_where_the_words_stand_and_what_came_before(database: Database) -> None:
    circle = _talk(database, "Hoe was het gisteren?", "Ik ging naar het café en het ging goed")
    [hit] = _find(circle, "cafe ging").hits
    assert [piece for piece, found in hit.pieces if found] == ["ging", "café", "ging"]
    assert "".join(piece for piece, _ in hit.pieces) == "Ik ging naar het café en het ging goed"
    assert (hit.seq, hit.alias) == (2, "Noor_eik")
    assert hit.before == ("Mees_duin", "Hoe was het gisteren?")


def test_a_long_message_is_shown_around_the_word(database: Database) -> None:
    circle = _talk(
        database, f"{'Er was eens een heel lange dag. ' * 12}Toen kwam de wandeling. {'En daarna nog meer. ' * 12}"
    )
    [hit] = _find(circle, "wandeling").hits
    text = "".join(piece for piece, _ in hit.pieces)
    assert ("wandeling", True) in hit.pieces
    assert text.startswith("… ")
    assert text.endswith(" …")
    assert len(text) < 260


def test_only_in_ones_own_room(database: Database) -> None:
    circle, other = _talk(database, "Een zevenvuurtoren"), _talk(database, "Ook een zevenvuurtoren hier")
    pair = circle.pair(*circle.members[:2])
    assert pair
    assert _seqs(circle, "zevenvuurtoren") == [1]
    with pytest.raises(NotFound):
        _find(circle, "zevenvuurtoren", room=other.room)
    with database.read(circle.members[0].actor) as r:
        room = next(p.room for p in rooms.places(r) if p.kind == "pair")
    assert _find(circle, "zevenvuurtoren", room=room).hits == ()


def test_what_was_taken_away_or_hidden_is_not_found(database: Database) -> None:
    circle = _talk(database, "Een bos", "Twee bos", "Drie bos", "Vier bos")
    reader = circle.members[1]
    with database.work() as w:
        w.db.execute(update(Message).where(Message.seq == 2).values(status="withdrawn"))
    with database.work(reader.actor) as w:
        hiding.hide_message(w, circle.room, 3)
    assert _seqs(circle, "bos", reader) == [4, 1]
    with database.work(reader.actor) as w:
        hiding.hide_person(w, circle.room, circle.members[0].alias)
    assert _seqs(circle, "bos", reader) == []
    assert _seqs(circle, "bos", circle.members[0]) == [4, 3, 1]


def test_thirty_at_most_and_it_says_that_there_is_more(database: Database) -> None:
    circle = builders.circle(database)
    with database.work() as w:
        w.db.execute(update(Room).values(pace=1_000))
    for number in range(31):
        circle.post(circle.members[0], f"Bos nummer {number}")
    found = _find(circle, "bos")
    assert len(found.hits) == 30
    assert found.more
    assert found.hits[0].seq == 31
    assert not _find(circle, "bos nummer 3").more


def test_only_the_latest_stretch_is_read_and_that_is_said(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    circle = _talk(database, "Bos een", "Bos twee", "Bos drie")
    assert _find(circle, "bos").whole
    monkeypatch.setattr(search, "STRETCH", 2)
    assert _seqs(circle, "bos") == [3, 2]
    assert not _find(circle, "bos").whole


@pytest.mark.parametrize(("asked", "refusal"), [("", Invalid), ("  ", Invalid), ("a", Invalid), ("x" * 101, TooLarge)])
def test_what_cannot_be_looked_for_is_refused(database: Database, asked: str, refusal: type[Exception]) -> None:
    circle = _talk(database, "Hoi allemaal")
    with pytest.raises(refusal):
        _find(circle, asked)


def test_looking_costs_one_indexed_statement_after_ones_place(database: Database) -> None:
    circle = _talk(database, "Bos", "Bos", "Bos")
    with database.read(circle.members[0].actor) as r, builders.statements(database) as sent:
        search.find(r, circle.room, "bos")
    assert len(sent) == 2
    if database.engine.dialect.name == "sqlite":
        with database.read(circle.members[0].actor) as r:
            found = rooms.place(r, circle.room)
            plans: list[str] = []
            sql = sent[1]
            values = (found.room_id, 0, "posted", found.seat_id, found.seat_id)
            plans = [str(row) for row in r.db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
        assert "SEARCH messages USING INDEX" in str(plans), plans
        assert "SCAN" not in str(plans), plans


@given(st.text(max_size=60))
def test_what_is_folded_letter_by_letter_is_what_is_folded_at_once(line: str) -> None:
    line = unicodedata.normalize("NFC", line)
    folded, origins = search.fold(line)
    assert folded == search.flat(line)
    assert len(origins) == len(folded)
    assert list(origins) == sorted(origins)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x24F), min_size=1, max_size=400), st.data())
def test_a_snippet_holds_the_word_and_only_what_was_said(line: str, data: st.DataObject) -> None:
    line = unicodedata.normalize("NFC", line)
    start = data.draw(st.integers(0, len(line) - 1))
    word = search.flat(line[start : start + 5]).strip()
    if not word or word not in search.flat(line):
        return
    pieces = search.snippet(line, [word])
    marked = [piece for piece, found in pieces if found]
    assert marked
    assert word in search.flat("".join(marked))
    said = "".join(piece for piece, _ in pieces)
    if len(line) < 60:
        assert said == line
