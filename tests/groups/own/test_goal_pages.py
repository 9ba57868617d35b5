"""The goal and the check-up as people meet them: forms without scripts, and all that the programme promises of them."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import flask
import pytest

from app.accounts import signins
from app.notify import outbox
from groups import rooms
from groups.own import checkups, goals
from groups.people import leaving
from groups.programme.curriculum import programme
from tests import builders
from tests.accounts.visitor import Visitor
from tests.builders import CRISIS, Circle, Someone
from tests.conftest import FrozenClock

NUMBERS = {"calm": "5", "urge": "4", "contact": "6", "mood": "5", "values": "7"}
HARDER = NUMBERS | {"urge": "8"}


@pytest.fixture
def circle(site: flask.Flask) -> Circle:
    return builders.circle(site.extensions["samen"].database)


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


def _renewed(visitor: Visitor, circle: Circle, who: Someone | None = None) -> Visitor:
    """The same person, signed in anew: a session that nobody used for weeks is over."""
    with circle.database.work() as w:
        token = signins.start(w, (who or circle.members[0]).person_id, timedelta(days=30))
    visitor.client.set_cookie(visitor.house.cookie, token, domain="localhost")
    return visitor


def _text(visitor: Visitor, path: str) -> str:
    """What a page says, as plain text."""
    answer = visitor.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    page = re.sub(r"<head>.*?</head>", "", answer.get_data(as_text=True), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def _page(visitor: Visitor, path: str) -> str:
    answer = visitor.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.get_data(as_text=True)


def _press(visitor: Visitor, path: str, ending: str, fields: dict[str, str] | None = None) -> str:
    """Press the button of the form on a page whose address ends so; where that leads."""
    actions = [a for a in re.findall(r'<form[^>]* action="([^"]+)"', _page(visitor, path)) if a.endswith(ending)]
    assert len(actions) == 1, (path, ending, actions)
    hidden = {}
    if fields is None:
        form = _page(visitor, path).split(f'action="{actions[0]}"')[1].split("</form>")[0]
        hidden = dict(re.findall(r'name="(version|kind)" value="([^"]*)"', form))
    answer = visitor.post(actions[0], hidden | (fields or {}))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.headers["Location"]


def _ask(visitor: Visitor, **fields: str) -> None:
    given = {"kind": "less", "weeks": "4", "days": "2", "words": "Niet meer na tienen"} | fields
    assert visitor.post("/doel/vraag", given).headers["Location"] == "/doel"


def _begin(mees: Visitor, hanna: Visitor, circle: Circle, **fields: str) -> None:
    _ask(mees, **fields)
    with circle.database.read(circle.hanna.actor) as r:
        [aim] = goals.of_group(r, rooms.lead_place(r, circle.group))
    page = f"/groep/{circle.group}/doelen"
    assert _press(hanna, page, f"/doelen/{aim.ref}") == page


def test_looking_is_all_one_has_to_do_and_the_roads_stand_side_by_side(
    mees: Visitor, hanna: Visitor, circle: Circle
) -> None:
    page = _page(mees, "/doel")
    roads = re.findall(r'<section class="card road.*?</section>', page, re.S)
    assert [re.search(r'id="weg-(\w+)"', road)[1] for road in roads] == ["pause", "less", "none"]  # type: ignore[index]
    assert all(road.count('class="btn btn--wide"') == 1 for road in roads)  # none of them stands out
    assert "<form" not in page.split("</header>")[1]
    said = _text(mees, "/doel")
    for promise in (
        "alleen kijken mag ook",
        "geen ervan is beter",
        "Wat je hier bekijkt, ziet niemand",
        "elke dag",
        "weinig of geen onderzoek",
    ):
        assert promise in said, promise
    assert "Niemand vraagt nu om een doel" in _text(hanna, f"/groep/{circle.group}/doelen")


def test_from_asking_to_stopping_without_a_script(mees: Visitor, hanna: Visitor, circle: Circle) -> None:
    form = _text(mees, "/doel/vraag?kind=less")
    assert "Dit leest alleen begeleider Hanna." in form
    assert "Je zit nergens aan vast" in form
    _ask(mees)
    assert "Je begeleider weet dat je hierover wilt praten" in _text(mees, "/doel")
    seen = _text(hanna, f"/groep/{circle.group}/doelen")
    assert "Mees_duin Minder · 4 weken" in seen
    assert "Niet meer na tienen" in seen
    assert "Hooguit 2 dagen in de week" in seen
    with circle.database.read(circle.hanna.actor) as r:
        [aim] = goals.of_group(r, rooms.lead_place(r, circle.group))
    _press(hanna, f"/groep/{circle.group}/doelen", f"/doelen/{aim.ref}")
    assert "Week 1 van 4" in _text(mees, "/doel")
    assert _press(mees, "/doel", "/pauze") == "/doel"
    assert "Dat mag zo lang je wilt" in _text(mees, "/doel")
    assert "nu gepauzeerd" in _text(hanna, f"/groep/{circle.group}/doelen")
    _press(mees, "/doel", "/verder")
    stop = _text(mees, "/doel")
    assert "Stoppen mag altijd, en je hoeft niet te zeggen waarom" in stop
    _press(mees, "/doel", "/stop")
    after = _text(mees, "/doel")
    assert "Er zijn drie wegen" in after
    assert "Eerder Minder" in after
    assert "zelf beëindigd" in _text(hanna, f"/groep/{circle.group}/doelen")


def test_no_door_asks_for_a_reason(mees: Visitor, hanna: Visitor, circle: Circle) -> None:
    _begin(mees, hanna, circle)
    forms = re.findall(r"<form.*?</form>", _page(mees, "/doel").split("</header>")[1], re.S)
    assert len(forms) == 2  # to let it rest, and to stop
    for form in forms:
        assert re.findall(r'<(?:input|textarea|select)[^>]* name="(\w+)"', form) == ["csrf_token"]


def test_weeks_of_rest_are_said_beside_the_week(
    mees: Visitor, hanna: Visitor, circle: Circle, clock: FrozenClock
) -> None:
    clock.at = circle.database.clock()
    circle.database.clock = clock
    _begin(mees, hanna, circle, kind="pause", weeks="12")
    clock.forward(days=10)
    _press(mees, "/doel", "/pauze")
    clock.forward(days=5)
    assert "Week 2 van 12, 5 dagen gepauzeerd" in _text(mees, "/doel")
    clock.forward(days=9)
    hanna = _renewed(hanna, circle, circle.hanna)
    assert "Week 2 van 12, 2 weken gepauzeerd" in _text(hanna, f"/groep/{circle.group}/doelen")


def test_what_is_refused_keeps_what_was_typed(mees: Visitor, circle: Circle) -> None:
    answer = mees.post("/doel/vraag", {"kind": "less", "weeks": "40", "days": "3", "words": "Niet na tienen"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Kies 2 tot en met 26 weken" in page
    assert ">Niet na tienen</textarea>" in page
    assert '<option value="3" selected>' in page
    assert mees.post("/doel/vraag", {"kind": "altijd", "weeks": "4"}).status_code == 422
    assert mees.post("/doel/vraag", {"kind": "less", "weeks": "veel"}).status_code == 422
    _ask(mees)
    with circle.database.read(circle.members[0].actor) as r:
        now = goals.mine(r).now
    assert now is not None
    answer = mees.post(f"/doel/{now.ref}/wijzig", {"weeks": "1", "words": "Anders"})
    assert answer.status_code == 422
    assert ">Anders</textarea>" in answer.get_data(as_text=True)
    assert mees.post(f"/doel/{now.ref}/wijzig", {"weeks": "6", "words": "Anders"}).headers["Location"] == "/doel"
    assert "6 weken Anders" in _text(mees, "/doel")


def test_a_click_that_came_late_shows_how_it_stands(mees: Visitor, hanna: Visitor, circle: Circle) -> None:
    _ask(mees)
    _ask(mees, kind="pause")  # twice: the first one stands
    with circle.database.read(circle.members[0].actor) as r:
        now = goals.mine(r).now
    assert now is not None
    assert now.kind == "less"
    assert mees.post(f"/doel/{now.ref}/pauze").headers["Location"] == "/doel"
    page = f"/groep/{circle.group}/doelen"
    for _again in range(2):
        assert hanna.post(f"{page}/{now.ref}", {"version": "1"}).headers["Location"] == page
    assert hanna.post(f"{page}/{now.ref}", {"version": "1"}, json=True).status_code == 409
    assert mees.get("/doel/vraag?kind=less").headers["Location"] == "/doel"


def test_words_of_danger_lead_to_help_without_a_trace_in_the_address(mees: Visitor) -> None:
    answer = mees.post("/doel/vraag", {"kind": "pause", "weeks": "12", "words": CRISIS})
    assert answer.headers["Location"] == "/hulp"
    assert "Wil je nu met iemand praten?" in _text(mees, "/hulp")


def test_who_is_in_no_group_can_look_and_is_told_why_that_is_all(mees: Visitor, circle: Circle) -> None:
    with circle.database.work(circle.members[0].actor) as w:
        leaving.leave(w, circle.group)
    page = _text(mees, "/doel")
    assert "Je zit nu niet in een groep" in page
    assert "Dit wil ik bespreken" not in page
    assert mees.get("/doel/vraag?kind=less").headers["Location"] == "/doel"


def test_the_day_tells_both_and_leads_to_it(mees: Visitor, hanna: Visitor, circle: Circle) -> None:
    _ask(mees)
    outbox.deliver(circle.database)
    page = f"/groep/{circle.group}/doelen"
    assert f'href="{page}"' in _page(hanna, "/vandaag")
    with circle.database.read(circle.hanna.actor) as r:
        [aim] = goals.of_group(r, rooms.lead_place(r, circle.group))
    _press(hanna, page, f"/doelen/{aim.ref}")
    outbox.deliver(circle.database)
    assert "Je doel is begonnen" in _text(mees, "/vandaag")
    assert "Iemand wil een doel" not in _text(hanna, "/vandaag")


def test_the_programme_leads_to_the_goal_and_the_check_up_and_the_goal_back(mees: Visitor) -> None:
    steps = {
        step.tool: (chapter.key, step.id)
        for chapter in programme("lust-leren-loslaten", "nl").chapters
        for step in chapter.steps
        if step.tool
    }
    for tool, address in (("goal", "/doel"), ("checkup", "/check-up")):
        chapter, step = steps[tool]
        assert f'href="{address}"' in _page(mees, f"/programma/{chapter}/{step}")
    assert f'href="/programma/{steps["goal"][0]}"' in _page(mees, "/doel")
    for address in ("/doel", "/check-up"):
        assert f'href="{address}"' in _page(mees, "/meer")


def test_a_check_up_from_asking_to_the_numbers_side_by_side(mees: Visitor, circle: Circle, clock: FrozenClock) -> None:
    clock.at = circle.database.clock()
    circle.database.clock = clock
    assert "Om de drie maanden kijk je even terug" in _text(mees, "/check-up")
    assert _press(mees, "/check-up", "/check-up") == "/check-up"
    due = (clock.at + timedelta(days=90)).date()
    assert f"{due.day} " in _text(mees, "/check-up")
    assert str(due.year) in _text(mees, "/check-up")
    assert "Zet hem ook in je eigen agenda" in _text(mees, "/check-up")
    clock.forward(days=90)
    mees = _renewed(mees, circle)
    page = _page(mees, "/check-up")
    assert page.count('<fieldset class="scale-field">') == 5
    assert page.count('type="radio"') == 55
    assert "Dit lees alleen jij; je begeleider niet." in page
    with circle.database.read(circle.members[0].actor) as r:
        ref = checkups.own(r).ref
    left_out = mees.post(f"/check-up/{ref}", {"calm": "7", "line": "Wandelen werkt"})
    assert left_out.status_code == 422
    kept = left_out.get_data(as_text=True)
    assert "Er mist nog een antwoord" in kept
    assert 'name="calm" value="7" required checked' in kept
    assert ">Wandelen werkt</textarea>" in kept
    assert mees.post(f"/check-up/{ref}", NUMBERS | {"line": "Wandelen werkt"}).headers["Location"] == "/check-up"
    said = _text(mees, "/check-up")
    assert "Rust 5 Drang lager is lichter 4 Contact 6 Stemming 5 Wat telt 7" in said
    assert "Wandelen werkt" in said
    assert "zwaarder" not in said


def test_a_harder_quarter_opens_doors_and_names_nothing(mees: Visitor, circle: Circle, clock: FrozenClock) -> None:
    clock.at = circle.database.clock() - timedelta(days=200)
    _past(circle, clock, NUMBERS, HARDER)
    said = _text(mees, "/check-up")
    assert "Iets viel je zwaarder dan de vorige keer" in said
    for door in ("Praat met iemand", "Naar je groep", "Lees je plan"):
        assert door in said
    assert not re.search(r"slecht|achteruit|terugval|score|risico|gezakt|minder goed", said, re.I)
    with circle.database.work(circle.members[0].actor) as w:
        leaving.leave(w, circle.group)
    said = _text(mees, "/check-up")
    assert "Weer aansluiten" in said
    assert "Naar je groep" not in said


def test_a_lighter_quarter_opens_no_doors(mees: Visitor, circle: Circle, clock: FrozenClock) -> None:
    clock.at = circle.database.clock() - timedelta(days=200)
    _past(circle, clock, HARDER, NUMBERS)
    assert "zwaarder" not in _text(mees, "/check-up")


def test_of_many_quarters_the_last_four_stand_first(mees: Visitor, circle: Circle, clock: FrozenClock) -> None:
    clock.at = circle.database.clock() - timedelta(days=90 * 7)
    _past(circle, clock, *[NUMBERS | {"calm": str(number)} for number in range(6)])
    tables = re.findall(r'<table class="looks">.*?</table>', _page(mees, "/check-up"), re.S)
    calm = [re.findall(r"<td class=\"num[^\"]*\">(\d+)</td>", table.split("<tr>")[2]) for table in tables]
    assert calm == [["2", "3", "4", "5"], ["0", "1"]]


def _past(circle: Circle, clock: FrozenClock, *answers: dict[str, str]) -> None:
    """Check-ups that were done in the quarters before now."""
    now, circle.database.clock = circle.database.clock, clock
    with circle.database.work(circle.members[0].actor) as w:
        checkups.begin(w)
    for numbers in answers:
        clock.forward(days=90)
        with circle.database.work(circle.members[0].actor) as w:
            checkups.answer(w, checkups.own(w).ref, numbers)
    circle.database.clock = now


def test_a_check_up_can_be_stopped_and_begun_anew(mees: Visitor) -> None:
    _press(mees, "/check-up", "/check-up")
    _press(mees, "/check-up", "/check-up/stop")
    assert "Ja, elk kwartaal" in _text(mees, "/check-up")
    _press(mees, "/check-up", "/check-up")
    assert "Je eerste check-up" in _text(mees, "/check-up")
