"""Sharing as people do it: forms without scripts, from the page of a step to where somebody else reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask
import pytest
from sqlalchemy import update

from app.accounts import signins
from app.core.work import Database
from groups import rooms
from groups.models import Group
from groups.people import leaving
from groups.programme import exercises, sharing
from groups.programme.sharing import BUDDY, GROUP, STAFF
from tests import builders
from tests.accounts.visitor import Visitor
from tests.builders import CRISIS, PHONE, RUDE, Circle, Someone
from tests.groups.programme import small
from tests.groups.programme.sharers import BOXES, ORDINARY, SCALE, WEEK, WORDS, cases, count, pair_room, tell
from tests.groups.programme.small import CHAPTER

STEP = f"/programma/{CHAPTER}/{WORDS}"


@pytest.fixture
def database(site: flask.Flask) -> Database:
    found: Database = site.extensions["samen"].database
    return found


@pytest.fixture
def circle(database: Database, tmp_path: Path) -> Iterator[Circle]:
    """Mees and Noor are buddies in one group with Jip, which Hanna leads; they follow the small programme."""
    with small.in_use(tmp_path / "content"):
        made = builders.circle(database)
        small.follow(database, made.group_id)
        made.pair(*made.members[:2])
        yield made


def _browser(site: flask.Flask, who: Someone) -> Visitor:
    visitor = Visitor(site)
    visitor.client.set_cookie(visitor.house.cookie, who.token, domain="localhost")
    return visitor


def _text(visitor: Visitor, path: str, status: int = 200) -> str:
    answer = visitor.get(path)
    assert answer.status_code == status, (path, answer.status_code, answer.location)
    return answer.get_data(as_text=True)


def _write(circle: Circle, who: Someone, text: Any = ORDINARY, step: str = WORDS) -> None:
    with circle.database.work(who.actor) as w:
        exercises.answer(w, rooms.place(w, circle.room), CHAPTER, step, text)


def _seen(page: str) -> dict[str, str]:
    """The hidden fields of the form that shares, as a browser sends them."""
    form = page[page.index(f'action="{STEP}/delen"') :]
    return dict(
        re.findall(r'<input type="hidden" name="(audience|seen)" value="([^"]*)"', form[: form.index("</form>")])
    )


def test_an_answer_goes_from_its_step_to_the_group_in_two_looks(site: flask.Flask, circle: Circle) -> None:
    mees, noor = circle.members[:2]
    browser = _browser(site, mees)
    assert "Zodra je antwoord bewaard is" in _text(browser, STEP)
    _write(circle, mees)
    page = _text(browser, STEP)
    assert all(name in page for name in ("Met je groep", "Met je duo", "Met je begeleider"))
    assert f'href="{STEP}/delen?met=group"' in page
    look = _text(browser, f"{STEP}/delen?met=group")
    assert all(
        said in look for said in ("Mees_duin", ORDINARY, "Wat viel je op?", "2 andere deelnemers en begeleider Hanna")
    )
    assert count(circle) == 0
    answer = browser.post(f"{STEP}/delen", _seen(look))
    assert (answer.status_code, answer.location) == (303, f"{STEP}#delen")
    page = _text(browser, STEP)
    assert "gedeeld op" in page
    assert ORDINARY in _text(_browser(site, noor), f"/groep/{circle.room}/gedeeld")
    assert ORDINARY in _text(_browser(site, noor), STEP)  # among what others shared there


def test_each_audience_finds_it_where_it_looks_and_the_others_do_not(site: flask.Flask, circle: Circle) -> None:
    mees, noor, jip = circle.members
    pair, group = f"/groep/{pair_room(circle)}/gedeeld", f"/groep/{circle.room}/gedeeld"
    tell(circle, mees, "Voor mijn duo", BUDDY)
    tell(circle, mees, {"voor": "Voor mijn begeleider"}, STAFF, BOXES)
    buddys, others, leads = (_browser(site, who) for who in (noor, jip, circle.hanna))
    assert "Voor mijn duo" in _text(buddys, pair)
    assert "deelde iets uit het programma" in _text(buddys, "/duo")
    assert "Voor mijn begeleider" in _text(leads, f"/groep/{circle.group}/voortgang")
    for browser in (buddys, others, leads):
        assert "Voor mijn" not in _text(browser, group)
    assert "Voor mijn duo" not in _text(leads, f"/groep/{circle.group}/voortgang")
    assert "Voor mijn begeleider" not in _text(buddys, pair)
    for browser in (others, leads):
        assert browser.get(pair).status_code == 404
    for browser in (buddys, others):
        assert browser.get(f"/groep/{circle.group}/voortgang").status_code == 404
    assert "Mees_duin" not in _text(buddys, pair)


def test_taking_back_is_one_button_on_the_step(site: flask.Flask, circle: Circle) -> None:
    mees, noor = circle.members[:2]
    tell(circle, mees, ORDINARY)
    browser = _browser(site, mees)
    [action] = re.findall(r'action="(/programma/gedeeld/[a-z0-9]+/terug)"', _text(browser, STEP))
    assert _browser(site, noor).post(action, {}).status_code == 404
    assert browser.post(action, {}).location == f"{STEP}#delen"
    assert ORDINARY not in _text(_browser(site, noor), f"/groep/{circle.room}/gedeeld")
    assert browser.post(action, {}).status_code == 404
    assert ORDINARY in _text(browser, STEP)


def test_what_would_be_masked_is_shown_before_it_is_shared(site: flask.Flask, circle: Circle) -> None:
    mees = circle.members[0]
    _write(circle, mees, PHONE)
    browser = _browser(site, mees)
    answer = browser.post(f"{STEP}/delen", {"audience": GROUP})  # without having looked
    page = answer.get_data(as_text=True)
    assert (answer.status_code, count(circle)) == (200, 0)
    assert "schermden we af" in page
    assert "06 12345678" not in page
    assert browser.post(f"{STEP}/delen", _seen(page)).status_code == 303
    assert count(circle) == 1


def test_what_changed_since_one_looked_is_shown_again(site: flask.Flask, circle: Circle) -> None:
    mees = circle.members[0]
    _write(circle, mees)
    browser = _browser(site, mees)
    fields = _seen(_text(browser, f"{STEP}/delen?met=staff"))
    _write(circle, mees, "Iets heel anders")
    page = browser.post(f"{STEP}/delen", fields).get_data(as_text=True)
    assert "er is nog niets gedeeld" in page
    assert "Iets heel anders" in page
    assert count(circle) == 0


def test_two_names_that_could_be_linked_are_said_before_and_not_after(site: flask.Flask, circle: Circle) -> None:
    mees = circle.members[0]
    tell(circle, mees, ORDINARY)
    browser = _browser(site, mees)
    page = _text(browser, f"{STEP}/delen?met=buddy")
    assert "Je duo zit ook in je groep" in page
    assert "Je duo zit ook in je groep" not in _text(browser, f"{STEP}/delen?met=staff")
    assert browser.post(f"{STEP}/delen", {"audience": BUDDY}).status_code == 200
    assert count(circle) == 1
    assert browser.post(f"{STEP}/delen", _seen(page)).status_code == 303
    assert count(circle) == 2


def test_words_of_danger_bring_help_before_and_after(site: flask.Flask, circle: Circle) -> None:
    mees = circle.members[0]
    _write(circle, mees, CRISIS)
    browser = _browser(site, mees)
    page = _text(browser, f"{STEP}/delen?met=staff")
    assert "Wil je nu met iemand praten?" in page
    assert 'href="tel:113"' in page
    answer = browser.post(f"{STEP}/delen", _seen(page))
    assert (answer.status_code, answer.location) == (303, "/hulp")
    assert [card.level for card in cases(circle)] == [0]


def test_what_is_held_says_so_on_the_step(site: flask.Flask, circle: Circle) -> None:
    mees = circle.members[0]
    tell(circle, mees, RUDE)
    assert "wordt eerst gelezen door een begeleider" in _text(_browser(site, mees), STEP)


def test_what_keeps_somebody_from_sharing_is_said_and_nothing_is_lost(site: flask.Flask, circle: Circle) -> None:
    mees, _noor, jip = circle.members
    _write(circle, jip)
    browser = _browser(site, jip)
    answer = browser.post(f"{STEP}/delen", {"audience": BUDDY})
    assert answer.status_code == 409
    assert "Je hebt nu geen duo" in answer.get_data(as_text=True)
    assert "Met je duo" not in _text(browser, STEP)
    assert "Bewaar eerst je antwoord" in _browser(site, mees).post(f"{STEP}/delen", {"audience": GROUP}).get_data(
        as_text=True
    )
    with circle.database.work() as w:
        w.db.execute(update(Group).values(open_hours="1 03:00-03:01"))
    answer = browser.get(f"{STEP}/delen?met=group")
    assert answer.status_code == 409
    assert "De ruimte gaat" in answer.get_data(as_text=True)
    assert count(circle) == 0


@pytest.mark.parametrize("audience", ["", "iedereen", "GROUP", "staff\x00"])
def test_an_audience_that_is_none_shares_nothing(site: flask.Flask, circle: Circle, audience: str) -> None:
    _write(circle, circle.members[0])
    answer = _browser(site, circle.members[0]).post(f"{STEP}/delen", {"audience": audience})
    assert answer.status_code in (404, 422)
    assert count(circle) == 0


def test_a_step_that_cannot_be_shared_says_nothing_about_it(site: flask.Flask, circle: Circle) -> None:
    browser = _browser(site, circle.members[0])
    for step in ("lezen", "adem"):
        assert "Delen, als jij dat wilt" not in _text(browser, f"/programma/{CHAPTER}/{step}")
        assert browser.get(f"/programma/{CHAPTER}/{step}/delen").status_code == 404
    assert "Delen, als jij dat wilt" not in _text(_browser(site, circle.hanna), STEP)


def test_every_kind_of_answer_reads_as_it_was_meant(site: flask.Flask, circle: Circle) -> None:
    mees, noor = circle.members[:2]
    tell(circle, mees, "7", GROUP, SCALE)
    tell(circle, mees, ["5", "41"], GROUP, WEEK)
    tell(circle, mees, "<script>alert(1)</script>\n\nTwee regels")
    page = _text(_browser(site, noor), f"/groep/{circle.room}/gedeeld")
    assert "0: niets." in page
    assert "10: alles." in page
    assert page.count("aangekruist</span>") == 2
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_what_was_shared_can_be_reported_without_being_named(site: flask.Flask, circle: Circle) -> None:
    mees, noor = circle.members[:2]
    tell(circle, mees, ORDINARY)
    room = f"/groep/{circle.room}/gedeeld"
    browser = _browser(site, noor)
    [ask] = re.findall(rf'href="({room}/[a-z0-9]+/meld)"', _text(browser, room))
    assert "komt niet te weten dat jij het meldde" in _text(browser, ask)
    answer = browser.post(ask, {"reason": "worry"})
    assert answer.status_code == 303
    page = _text(browser, answer.location or "")
    assert "Dank je. We kijken ernaar." in page
    assert "Wacht dan niet op ons" in page
    assert [card.level for card in cases(circle)] == [0]
    assert _browser(site, mees).get(ask).status_code == 404  # one's own


def test_a_long_list_goes_on_page_by_page(site: flask.Flask, circle: Circle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groups.programme.shared.SHOWN", 2)
    mees, noor = circle.members[:2]
    for step, value in ((WORDS, "Eerste"), (SCALE, "3"), (BOXES, {"voor": "Derde"})):
        tell(circle, mees, value, GROUP, step)
    browser = _browser(site, noor)
    first = _text(browser, f"/groep/{circle.room}/gedeeld")
    assert "Derde" in first
    assert "Eerste" not in first
    [more] = re.findall(r'href="([^"]+\?voor=[a-z0-9]+)"', first)
    rest = _text(browser, more)
    assert "Eerste" in rest
    assert "?voor=" not in rest


def test_nobody_shares_faster_than_people_do(site: flask.Flask, circle: Circle) -> None:
    _write(circle, circle.members[0])
    browser = _browser(site, circle.members[0])
    answers = [browser.post(f"{STEP}/delen", {"audience": GROUP}).status_code for _ in range(14)]
    assert answers[:12] == [303] * 12
    assert answers[-1] == 429


def test_nothing_personal_stands_in_an_address(site: flask.Flask, circle: Circle) -> None:
    mees, noor = circle.members[:2]
    tell(circle, mees, ORDINARY)
    for browser, path in ((_browser(site, mees), STEP), (_browser(site, noor), f"/groep/{circle.room}/gedeeld")):
        links = " ".join(re.findall(r'(?:href|action)="([^"]+)"', _text(browser, path)))
        assert not any(name in links for name in ("Mees", "Noor", "wandeling"))


def test_what_was_shared_stands_with_ones_own_data(site: flask.Flask, circle: Circle) -> None:
    mees = circle.members[0]
    tell(circle, mees, "Voor mijn duo alleen", BUDDY)
    tell(circle, mees, ["5", "41"], STAFF, WEEK)
    browser = _browser(site, mees)
    with circle.database.work(mees.actor) as w:
        signins.confirm(w)
    page = _text(browser, "/gegevens")
    assert "Wat je deelde" in page
    assert "Voor mijn duo alleen" in page
    assert "uren van je week: 2" in page


def test_the_page_says_the_same_to_who_reads_english(site: flask.Flask, circle: Circle) -> None:
    mees = circle.members[0]
    tell(circle, mees, ORDINARY)
    browser = _browser(site, mees)
    browser.post("/instellingen", {"language": "en", "theme": "system"})
    for path in (STEP, f"{STEP}/delen", f"{STEP}/delen?met=staff", f"/groep/{circle.room}/gedeeld"):
        assert 'lang="en"' in _text(browser, path)


def test_a_share_of_a_room_that_is_over_is_nowhere(site: flask.Flask, circle: Circle) -> None:
    mees, noor, jip = circle.members
    tell(circle, mees, ORDINARY, BUDDY)
    room = pair_room(circle)
    with circle.database.work(noor.actor) as w:
        leaving.leave(w, circle.group)
    page = _text(_browser(site, mees), STEP)
    assert "deelde je met een eerder duo" in page
    assert _browser(site, noor).get(f"/groep/{room}/gedeeld").status_code == 404
    circle.pair(mees, jip)
    assert ORDINARY not in _text(_browser(site, jip), f"/groep/{pair_room(circle)}/gedeeld")
    with circle.database.read(mees.actor) as r:
        own = sharing.own(r, rooms.place(r, circle.room), CHAPTER, WORDS)
    assert [one.state for one in own] == ["past"]
