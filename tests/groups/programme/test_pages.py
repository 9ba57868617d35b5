"""The programme as people do it: forms without scripts, one step a page; staff read the same pages and prepare."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask
import pytest
from sqlalchemy import select

from app.accounts import signins
from app.accounts.models import Person
from groups import rooms
from groups.agenda import planning
from groups.led import sessions
from groups.models import Answer, Membership, StepDone
from groups.programme import exercises
from groups.programme.steps import TOOLS
from groups.web import programme
from tests import builders
from tests.accounts.visitor import Visitor
from tests.builders import CRISIS, Circle, Someone
from tests.groups.programme import small
from tests.groups.programme.small import CHAPTER, LAST, PATH

HOME = f"/programma/{CHAPTER}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "content"


@pytest.fixture
def circle(site: flask.Flask, folder: Path) -> Iterator[Circle]:
    with small.in_use(folder):
        made = builders.circle(site.extensions["samen"].database)
        small.follow(made.database, made.group_id)
        yield made


@pytest.fixture
def mees(site: flask.Flask, circle: Circle) -> Visitor:
    return _browser(site, circle.members[0])


@pytest.fixture
def hanna(site: flask.Flask, circle: Circle) -> Visitor:
    return _browser(site, circle.hanna)


def _browser(site: flask.Flask, who: Someone) -> Visitor:
    visitor = Visitor(site)
    visitor.client.set_cookie(visitor.house.cookie, who.token, domain="localhost")
    return visitor


def _text(visitor: Visitor, path: str, status: int = 200) -> str:
    answer = visitor.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return str(answer.get_data(as_text=True))


def _draft(visitor: Visitor, step: str, fields: dict[str, Any]) -> dict[str, Any]:
    """What the script hears that sends what is being written."""
    told: dict[str, Any] = visitor.post(f"{HOME}/{step}/concept", fields, json=True).get_json()
    return told


def _said(page: str) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def _done(circle: Circle) -> list[str]:
    with circle.database.read() as r:
        return list(r.db.scalars(select(StepDone.step).order_by(StepDone.id)))


def _kept(circle: Circle) -> dict[str, str]:
    with circle.database.read() as r:
        return {row.step: exercises.value_of(r, row) for row in r.db.scalars(select(Answer))}


def test_one_goes_through_a_chapter_step_by_step_and_every_answer_is_kept(mees: Visitor, circle: Circle) -> None:
    forms: dict[str, dict[str, Any]] = {
        "schrijven": {"text": "Het was stil"},
        "vakken": {"box-voor": "Thuis", "box-na": "Moe"},
        "delen": {"text": "Wandelen"},
        "getal": {"option": "7"},
        "kruisen": {"option": ["0", "2"]},
        "kiezen": {"option": "1"},
        "lijst": {"cell-0": ["laat", "", "", ""], "cell-1": ["naar bed", "", "", ""]},
        "uren": {"option": ["3", "41"]},
    }
    assert f'href="{HOME}/lezen"' in _text(mees, HOME)
    for step, after in zip(PATH, [*PATH[1:], None], strict=True):
        page = _text(mees, f"{HOME}/{step}")
        assert page.count("<h1") == 1
        assert f"Stap {PATH.index(step) + 1} van {len(PATH)}" in _said(page)
        went = mees.post(f"{HOME}/{step}", forms.get(step, {}))
        assert went.status_code == 303
        assert went.headers["Location"] == (f"{HOME}/{after}" if after else f"{HOME}#klaar")
    assert _done(circle) == PATH
    assert set(_kept(circle)) == set(forms)
    assert "Dit hoofdstuk heb je gedaan" in _text(mees, HOME)
    again = {step: _text(mees, f"{HOME}/{step}") for step in forms}
    assert "Het was stil</textarea>" in again["schrijven"]
    assert "Moe</textarea>" in again["vakken"]
    assert 'value="7" checked' in again["getal"]
    assert [n for n in "012" if f'value="{n}" checked' in again["kruisen"]] == ["0", "2"]
    assert "naar bed</textarea>" in again["lijst"]
    assert [n for n in range(42) if f'value="{n}" checked' in again["uren"]] == [3, 41]
    written = _said(_text(mees, "/programma/eerder"))
    for words in ("Het was stil", "Ervoor: Thuis", "laat · naar bed", "Een", "Drie", "Welke uren?"):
        assert words in written


def test_the_list_of_chapters_says_how_far_one_is_and_where_one_goes_on(mees: Visitor) -> None:
    assert "Een rustig begin" in _text(mees, "/programma")
    mees.post(f"{HOME}/lezen")
    page = _text(mees, "/programma")
    assert f"1 van {len(PATH)} stappen gedaan" in _said(page)
    assert "Verder waar je was" in page
    assert f'href="{HOME}/schrijven"' in page
    assert f'href="{HOME}/schrijven"' in _text(mees, "/vandaag")


def test_nothing_needs_to_be_filled_in_to_go_on(mees: Visitor, circle: Circle) -> None:
    for step in PATH:
        assert mees.post(f"{HOME}/{step}", {"text": "  "}).status_code == 303
    assert _done(circle) == PATH
    assert _kept(circle) == {}


def test_what_cannot_be_kept_comes_back_with_everything_that_was_typed(mees: Visitor, circle: Circle) -> None:
    rows = {"cell-0": [f"als {n}" for n in range(5)], "cell-1": ["dan"] * 5}
    refused = mees.post(f"{HOME}/lijst", rows)
    page = refused.get_data(as_text=True)
    assert refused.status_code == 413
    assert 'role="alert"' in page
    assert "als 4</textarea>" in page
    long = mees.post(f"{HOME}/schrijven", {"text": "lang " * 500})
    assert long.status_code == 413
    assert "lang lang" in long.get_data(as_text=True)
    assert (_done(circle), _kept(circle)) == ([], {})


def test_who_emptied_an_answer_is_asked_whether_it_should_go(mees: Visitor, circle: Circle) -> None:
    mees.post(f"{HOME}/schrijven", {"text": "Het was stil"})
    asked = mees.post(f"{HOME}/schrijven", {"text": ""})
    assert asked.status_code == 303
    address = asked.headers["Location"]
    assert re.fullmatch(r"/programma/eerder/[0-9a-f]{16}/weghalen", address)
    assert _kept(circle) == {"schrijven": "Het was stil"}
    assert "Het was stil" in _text(mees, address)
    assert mees.post(address).headers["Location"] == "/programma/eerder"
    assert _kept(circle) == {}
    assert "Je hebt nog niets geschreven" in _text(mees, "/programma/eerder")
    assert mees.get(address).status_code == 404


def test_somebody_elses_answer_is_not_there(site: flask.Flask, mees: Visitor, circle: Circle) -> None:
    mees.post(f"{HOME}/schrijven", {"text": "Het was stil"})
    address = mees.post(f"{HOME}/schrijven", {"text": ""}).headers["Location"]
    noor = _browser(site, circle.members[1])
    assert noor.get(address).status_code == 404
    assert noor.post(address).status_code == 404
    assert _kept(circle) == {"schrijven": "Het was stil"}


def test_words_of_danger_bring_help_at_once_and_are_kept(mees: Visitor, circle: Circle) -> None:
    assert mees.post(f"{HOME}/schrijven", {"text": CRISIS}).headers["Location"] == "/hulp"
    assert _kept(circle) == {"schrijven": CRISIS}
    assert _draft(mees, "delen", {"text": CRISIS})["help"] is True
    assert _draft(mees, "delen", {"text": "Het gaat weer"})["help"] is False


def test_a_draft_is_kept_while_writing_and_the_step_is_not_done_by_it(mees: Visitor, circle: Circle) -> None:
    told = _draft(mees, "schrijven", {"text": "Het w"})
    assert re.fullmatch(r"\d\d\.\d\d", told["at"])
    assert (told["ok"], told["help"]) == (True, False)
    assert _kept(circle) == {"schrijven": "Het w"}
    assert _done(circle) == []
    assert _draft(mees, "schrijven", {"text": ""}) == {"ok": True, "at": ""}
    assert _kept(circle) == {"schrijven": "Het w"}  # nothing filled in changes nothing
    assert _draft(mees, "lezen", {}) == {"ok": True, "at": ""}


@pytest.mark.parametrize("path", [f"{HOME}/welkom", f"{HOME}/nergens", "/programma/nergens", "/programma/nergens/iets"])
def test_a_step_that_is_not_for_at_home_is_not_there_for_members(mees: Visitor, path: str) -> None:
    assert mees.get(path).status_code == 404


def test_a_changed_question_says_so_beside_the_answer(mees: Visitor, folder: Path) -> None:
    mees.post(f"{HOME}/schrijven", {"text": "Het was stil"})
    mees.post(f"{HOME}/kruisen", {"option": ["0"]})
    changed = small.FRONT.replace("Wat viel je op?", "Wat merkte je?").replace('["Een", ', '["Nul", "Een", ')
    small.write(folder, small.text(changed))
    page = _text(mees, f"{HOME}/schrijven")
    assert "Je antwoordde toen op: Wat viel je op?" in page
    assert "Het was stil</textarea>" in page
    page = _text(mees, f"{HOME}/kruisen")
    assert re.search(r'class="told own-text">Een<', page)
    assert "checked" not in page
    assert _said(_text(mees, "/programma/eerder")).count("Deze vraag luidt nu anders") == 2


def test_a_word_is_explained_at_the_first_step_one_reads_at_home(mees: Visitor, hanna: Visitor) -> None:
    first, second = _text(mees, f"{HOME}/lezen"), _text(mees, f"{HOME}/schrijven")
    assert "<dfn>drang</dfn>" in first
    assert "een sterke zin in iets" in first
    assert "<dfn>" not in second
    assert "een sterke zin in iets" in _text(mees, HOME)
    assert "een sterke zin in iets" in _text(hanna, f"{HOME}/welkom")  # and in the session, where it comes before


def test_staff_read_every_step_with_what_a_facilitator_should_know_and_fill_in_nothing(hanna: Visitor) -> None:
    chapter = _said(_text(hanna, HOME))
    assert "De bijeenkomst, regel voor regel" in chapter
    assert "Begin zelf." in chapter
    assert "0–10" in chapter
    for step in small.STEPS:
        page = _text(hanna, f"{HOME}/{step}")
        assert 'id="antwoord"' not in page
        assert "<textarea" not in page
    assert "Lees het samen." in _text(hanna, f"{HOME}/lezen")
    assert hanna.post(f"{HOME}/lezen").status_code == 404
    assert hanna.get("/programma/eerder").status_code == 404


def test_members_never_see_what_is_for_the_facilitator(mees: Visitor) -> None:
    for path in ("/programma", HOME, f"{HOME}/lezen"):
        page = _text(mees, path)
        assert "Lees het samen." not in page
        assert "Begin zelf." not in page


def test_in_a_session_the_pointers_stand_in_the_cockpit_and_on_no_members_screen(
    mees: Visitor, hanna: Visitor, circle: Circle
) -> None:
    with circle.database.work(circle.hanna.actor) as w:
        session = planning.plan(w, circle.group, CHAPTER, w.now, 60)
        sessions.open_session(w, session, 1)
    for path in (f"/bijeenkomst/{session}", f"/bijeenkomst/{session}/draaiboek"):
        page = _text(hanna, path)
        assert "Begin zelf." in page
        assert "Lees het samen." in page
    page = _text(mees, f"/ruimte/{circle.room}")
    assert "Kop van welkom" in page
    assert "Begin zelf." not in page
    assert "Lees het samen." not in page


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_a_step_points_at_is_a_page_of_the_house(mees: Visitor, site: flask.Flask, tool: str) -> None:
    endpoint, _anchor = programme.TOOLS[tool]
    with site.test_request_context():
        assert mees.get(flask.url_for(endpoint)).status_code == 200


def test_the_page_for_facilitators_says_who_is_where_in_words_and_nothing_of_what_was_written(
    mees: Visitor, hanna: Visitor, circle: Circle
) -> None:
    mees.post(f"{HOME}/schrijven", {"text": "Het was stil"})
    mees.post(f"/programma/{LAST}/slot")
    page = _text(hanna, f"/groep/{circle.group}/voortgang")
    row = _said(page[page.index("Mees_duin") : page.index("Noor_eik")])
    assert f"bezig 1 van {len(PATH)}" in row
    assert "klaar" in row
    assert "Het was stil" not in page
    assert "nog niet" in _said(page[page.index("Noor_eik") :])
    assert mees.get(f"/groep/{circle.group}/voortgang").status_code == 404


def test_in_english_the_chapters_words_are_dutch_where_no_translation_is_and_the_page_still_works(
    mees: Visitor, circle: Circle
) -> None:
    with circle.database.work() as w:
        w.db.get_one(Person, circle.members[0].person_id).language = "en"
    assert "Alle soorten" in _text(mees, HOME)
    mees.post(f"{HOME}/schrijven", {"text": "It was quiet"})
    assert _kept(circle) == {"schrijven": "It was quiet"}


def _hidden(page: str, name: str) -> str:
    [value] = re.findall(rf'<input type="hidden" name="{name}" value="([^"]*)"', page)
    return str(value)


def test_what_another_screen_wrote_is_not_written_over_unseen(mees: Visitor, circle: Circle) -> None:
    path = f"{HOME}/schrijven"
    old = {"over": _hidden(_text(mees, path), "over")}
    told = _draft(mees, "schrijven", {"text": "Op de telefoon", **old})
    late = _draft(mees, "schrijven", {"text": "Nog van de laptop", **old})
    assert (late["ok"], late["code"]) == (False, "closed")
    assert _kept(circle) == {"schrijven": "Op de telefoon"}
    assert _draft(mees, "schrijven", {"text": "Op de telefoon", **old})["ok"]  # the same again
    assert _draft(mees, "schrijven", {"text": "Op de telefoon, verder", "over": told["mark"]})["ok"]
    refused = mees.post(path, {"text": "Nog van de laptop", **old})
    page = refused.get_data(as_text=True)
    assert refused.status_code == 409
    assert "Nog van de laptop</textarea>" in page
    assert "Op de telefoon, verder" in _said(page)
    assert _done(circle) == []
    assert mees.post(path, {"text": "Nog van de laptop", "over": _hidden(page, "over")}).status_code == 303
    assert _kept(circle) == {"schrijven": "Nog van de laptop"}


def test_an_answer_goes_to_the_group_its_page_was_of(mees: Visitor, circle: Circle) -> None:
    """In two windows somebody may be in two groups."""
    other = builders.circle(circle.database, organisation_id=circle.organisation_id)
    small.follow(circle.database, other.group_id)
    with circle.database.work() as w:
        rooms.enter(w, other.group_id, circle.members[0].person_id, "Mees_elders")
    mees.get(f"/ruimte/{circle.room}")
    here = {"group": _hidden(_text(mees, f"{HOME}/schrijven"), "group")}
    assert here == {"group": circle.group}
    mees.get(f"/ruimte/{other.room}")
    assert _hidden(_text(mees, f"{HOME}/schrijven"), "group") == other.group
    _draft(mees, "schrijven", {"text": "In de eerste", **here})
    mees.post(f"{HOME}/delen", {"text": "Ook daar", **here})
    with circle.database.read() as r:
        groups = select(Membership.group_id).join(Answer, Answer.membership_id == Membership.id)
        assert set(r.db.scalars(groups)) == {circle.group_id}
    strange = mees.post(f"{HOME}/delen", {"text": "Nergens", "group": "abcdefgh2345"})
    assert strange.status_code == 404


def test_nobody_types_faster_than_people_do(mees: Visitor, circle: Circle) -> None:
    told = [_draft(mees, "schrijven", {"text": f"Woord {n}"}) for n in range(92)]
    assert told[-1]["code"] == "rate_limited"
    assert _kept(circle) == {"schrijven": "Woord 89"}


def test_ones_own_data_shows_every_kind_of_answer(mees: Visitor, circle: Circle) -> None:
    given: dict[str, dict[str, Any]] = {
        "vakken": {"box-voor": "Thuis", "box-na": ""},
        "lijst": {"cell-0": ["laat"], "cell-1": ["naar bed"]},
        "uren": {"option": ["3", "41"]},
    }
    for step, fields in given.items():
        mees.post(f"{HOME}/{step}", fields)
    with circle.database.work(circle.members[0].actor) as w:
        signins.confirm(w)
    page = _text(mees, "/gegevens")
    for words in ("Ervoor: Thuis", "laat · naar bed", "uren van je week: 2"):
        assert words in page
