"""Planning as people do it: forms without scripts, from an empty list to a session that can be opened."""

from __future__ import annotations

import re
from datetime import timedelta

import flask
import pytest
from sqlalchemy import func, select, update

from app.accounts import invitations
from app.core.permissions import Role
from app.core.work import Database
from groups.agenda import planning, runsheet, steering
from groups.models import Group, GroupSession
from tests import builders
from tests.accounts.visitor import Visitor
from tests.builders import Circle, Someone


@pytest.fixture
def circle(site: flask.Flask) -> Circle:
    return builders.circle(site.extensions["samen"].database, members=4)


def _browser(site: flask.Flask, who: Someone) -> Visitor:
    visitor = Visitor(site)
    visitor.client.set_cookie(visitor.house.cookie, who.token, domain="localhost")
    return visitor


def _text(visitor: Visitor, path: str) -> str:
    answer = visitor.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.get_data(as_text=True)


def _upcoming(circle: Circle) -> list[planning.Planned]:
    with circle.database.read(circle.hanna.actor) as r:
        return planning.upcoming(r, limit=50)


def _fields(page: str, action: str) -> dict[str, str]:
    """The fields of a form as a browser would send them untouched."""
    form = page[page.index(f'action="{action}"') :]
    form = form[: form.index("</form>")]
    found = dict(re.findall(r'<input[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"', form))
    for name, options in re.findall(r'<select[^>]* name="([^"]+)">(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options) or re.search(
            r'<option value="([^"]*)"', options
        )
        found[name] = chosen[1] if chosen else ""
    return found


def test_a_first_session_is_one_form_with_everything_filled_in_and_one_button_to_open(
    site: flask.Flask, circle: Circle
) -> None:
    hanna = _browser(site, circle.hanna)
    fields = _fields(_text(hanna, "/bijeenkomsten"), "/bijeenkomsten")
    planned = hanna.post("/bijeenkomsten", fields)
    assert planned.status_code == 303
    [item] = _upcoming(circle)
    assert planned.headers["Location"] == f"/bijeenkomst/{item.public_id}"
    assert item.starts_at - circle.database.clock() <= timedelta(minutes=16)
    hanna.post(f"/bijeenkomst/{item.public_id}/open", {"version": "1"})
    assert [item.status for item in _upcoming(circle)] == ["open"]


def test_a_moment_that_is_over_is_refused_on_the_page_itself(site: flask.Flask, circle: Circle) -> None:
    hanna = _browser(site, circle.hanna)
    fields = _fields(_text(hanna, "/bijeenkomsten"), "/bijeenkomsten")
    for wrong in ("2020-01-01T20:00", "gisteren", "", "2026-13-45T99:99", "2026-11-22T20:00+02:00"):
        answer = hanna.post("/bijeenkomsten", fields | {"starts_at": wrong})
        assert answer.status_code == 422
        assert "Er is nog niets gepland" in answer.get_data(as_text=True)
    assert _upcoming(circle) == []


def test_a_series_is_seen_before_it_is_saved_and_saved_as_it_was_seen(site: flask.Flask, circle: Circle) -> None:
    hanna = _browser(site, circle.hanna)
    fields = _fields(_text(hanna, "/bijeenkomsten/reeks"), "/bijeenkomsten/reeks")
    assert (fields["count"], fields["booster"], fields["minutes"], fields["every"]) == ("8", "6", "90", "7")
    shown = hanna.post("/bijeenkomsten/reeks", fields)
    assert shown.status_code == 200
    page = shown.get_data(as_text=True)
    days = re.findall(r'name="skip" value="([\d-]+)"', page)
    assert len(days) == 9
    assert _upcoming(circle) == []
    seen = {"seen": " ".join(days), "op": "save"}
    again = hanna.post("/bijeenkomsten/reeks", fields | seen | {"skip": days[1]})  # other days than were shown
    assert again.status_code == 200
    assert "De dagen zijn veranderd" in again.get_data(as_text=True)
    assert _upcoming(circle) == []
    days = re.findall(r'name="skip" value="([\d-]+)">', again.get_data(as_text=True))
    seen["seen"] = " ".join(days)
    assert hanna.post("/bijeenkomsten/reeks", fields | seen | {"skip": _skipped(again)}).status_code == 303
    assert len(_upcoming(circle)) == 9
    twice = hanna.post("/bijeenkomsten/reeks", fields | seen | {"skip": _skipped(again)})
    assert "komt de groep al samen" in twice.get_data(as_text=True)
    assert len(_upcoming(circle)) == 9


def _skipped(answer: object) -> str:
    [on] = re.findall(r'name="skip" value="([\d-]+)" checked', answer.get_data(as_text=True))  # type: ignore[attr-defined]
    return str(on)


def test_one_session_is_moved_shifted_and_cancelled_from_its_own_page(site: flask.Flask, circle: Circle) -> None:
    hanna = _browser(site, circle.hanna)
    fields = _fields(_text(hanna, "/bijeenkomsten/reeks"), "/bijeenkomsten/reeks")
    page = hanna.post("/bijeenkomsten/reeks", fields).get_data(as_text=True)
    days = re.findall(r'name="skip" value="([\d-]+)"', page)
    hanna.post("/bijeenkomsten/reeks", fields | {"op": "save", "seen": " ".join(days)})
    first, second = _upcoming(circle)[:2]
    here = f"/bijeenkomst/{second.public_id}"
    page = _text(hanna, f"{here}/plannen")
    assert hanna.post(f"{here}/overslaan", _fields(page, f"{here}/overslaan")).status_code == 303
    assert _upcoming(circle)[1].starts_at == second.starts_at + timedelta(days=7)
    page = _text(hanna, f"{here}/plannen")
    moved = _fields(page, f"{here}/verzet") | {"starts_at": f"{days[1]}T10:30"}
    assert hanna.post(f"{here}/verzet", moved).status_code == 303
    assert _upcoming(circle)[1].starts_at < second.starts_at
    series = f"/reeks/{first.series}/meer"
    assert hanna.post(series, _fields(_text(hanna, f"{here}/plannen"), series)).status_code == 303
    assert len(_upcoming(circle)) == 10
    page = _text(hanna, f"{here}/plannen")
    hanna.post(f"{here}/vervalt", _fields(page, f"{here}/vervalt"))
    assert second.public_id not in [item.public_id for item in _upcoming(circle)]
    assert hanna.get(f"{here}/plannen").status_code == 404


def test_the_run_sheet_is_changed_line_by_line_and_adds_itself_up(site: flask.Flask, circle: Circle) -> None:
    hanna = _browser(site, circle.hanna)
    ref = circle.plan()
    here = f"/bijeenkomst/{ref}/draaiboek"
    assert "Samen 90 van 90 minuten<" in _text(hanna, here)
    own = {
        "phase": "theme",
        "kind": "question",
        "sharing": "shared",
        "title": "Wat hielp?",
        "prompt": "",
        "options": "",
    }
    assert hanna.post(here, own | {"minutes": "5", "position": "1", "version": "1"}).status_code == 303
    page = _text(hanna, here)
    assert "Samen 95 van 90 minuten: 5 minuten te lang" in page
    line = _lines(circle, ref)[1].ref
    stale = hanna.post(f"{here}/{line}", {"minutes": "4", "phase": "theme", "version": "1"})
    assert stale.status_code == 409
    assert "Er was net iemand anders sneller" in stale.get_data(as_text=True)
    assert hanna.post(f"{here}/{line}/plek", {"position": "3", "version": "2"}).status_code == 303
    assert _lines(circle, ref)[3].ref == line
    said = hanna.post(f"{here}/{line}", {"minutes": "4", "phase": "theme", "version": "3"}, json=True)
    assert said.get_json()["ok"] is True  # as the page's script sends it
    assert "Samen 94 van 90 minuten: 4 minuten te lang" in _text(hanna, here)
    wrong = hanna.post(here, own | {"title": " ", "minutes": "5", "position": "1", "version": "4"})
    assert wrong.status_code == 422
    assert hanna.post(f"{here}/{line}/weg", {"version": "4"}).status_code == 303
    assert "Samen 90 van 90 minuten<" in _text(hanna, here)
    assert hanna.post(f"{here}/stap", {"step": "the-word", "version": "5", "position": "30"}).status_code == 303
    assert _lines(circle, ref)[-1].step.id == "the-word"


def _lines(circle: Circle, ref: str) -> list[runsheet.Line]:
    with circle.database.read(circle.hanna.actor) as r:
        return runsheet.lines(r, *steering.lead(r, ref))


def test_a_run_sheet_that_changes_while_the_session_runs_changes_on_every_screen(
    site: flask.Flask, circle: Circle
) -> None:
    hanna = _browser(site, circle.hanna)
    ref = circle.open_session()
    heard: list[str] = []
    circle.database.announcer = lambda told: heard.extend(f"{a.topic} {a.event}" for a in told)
    own = {"phase": "theme", "kind": "text", "title": "Even stil", "minutes": "3", "position": "30", "version": "2"}
    assert hanna.post(f"/bijeenkomst/{ref}/draaiboek", own).status_code == 303
    assert f"room:{circle.room} session.state" in heard
    assert "nu hier" in _text(hanna, f"/bijeenkomst/{ref}/draaiboek")


def test_a_client_says_on_vandaag_that_they_cannot_come_and_takes_it_back(site: flask.Flask, circle: Circle) -> None:
    ref = circle.plan()
    mees, hanna = _browser(site, circle.members[0]), _browser(site, circle.hanna)
    assert "Ik kan niet" in _text(mees, "/vandaag")
    assert mees.post(f"/bijeenkomst/{ref}/kan-niet", {"on": "1"}).headers["Location"] == "/vandaag"
    page = _text(mees, "/vandaag")
    assert "Je liet weten dat je niet kunt" in page
    assert "Ik kan toch" in page
    assert "1 kan niet" in _text(hanna, "/vandaag")
    assert "Mees_duin" in _text(hanna, f"/bijeenkomst/{ref}/plannen")
    assert "kan niet" not in _text(_browser(site, circle.members[1]), "/vandaag").replace("Ik kan niet", "")
    mees.post(f"/bijeenkomst/{ref}/kan-niet", {"on": "0"})
    assert "1 kan niet" not in _text(hanna, "/vandaag")


def test_fewer_than_a_session_needs_is_said_beforehand(site: flask.Flask, circle: Circle) -> None:
    ref = circle.plan()
    hanna = _browser(site, circle.hanna)
    assert "minstens 3" not in _text(hanna, "/bijeenkomsten")
    for member in circle.members[:2]:
        _browser(site, member).post(f"/bijeenkomst/{ref}/kan-niet")
    for path in ("/bijeenkomsten", "/vandaag", f"/bijeenkomst/{ref}/plannen"):
        assert "minstens 3" in _text(hanna, path)


def test_who_comes_to_a_full_group_is_told_before_they_agree_waits_and_is_let_in(
    site: flask.Flask, circle: Circle
) -> None:
    database: Database = circle.database
    with database.work(circle.hanna.actor) as w:
        w.db.execute(update(Group).values(cap=4))
        code = invitations.invite(w, circle.organisation_id, Role.CLIENT, group_id=circle.group_id)
    newcomer = Visitor(site)
    newcomer.post("/", {"code": code})
    page = _text(newcomer, "/kiezen")
    third = re.findall(r'<ol class="words">(?:<li>[^<]+</li>\s*){2}<li>([^<]+)</li>', page)[0]
    newcomer.post("/kiezen", {"third": third})
    page = _text(newcomer, "/afspraken")
    assert "Er is op dit moment geen vrije plek" in page
    assert not re.search(r"\b4\b (plek|deelnemers|van)", page)  # nothing about how many are in there
    assert newcomer.post("/afspraken", {"agree": "yes"}).headers["Location"] == "/vandaag"
    assert "Je staat op de wachtlijst" in _text(newcomer, "/vandaag")
    hanna = _browser(site, circle.hanna)
    assert "1 wacht op een plek" in _text(hanna, "/vandaag")
    places = f"/groepen/{circle.group}/plekken"
    page = _text(hanna, places)
    [path] = re.findall(rf'action="(/groepen/{circle.group}/wachtlijst/\w+)"', page)
    assert hanna.post(path, {}).status_code == 409
    assert hanna.post(path, {"one_more": "1"}).status_code == 303
    assert "5 van 5 plekken" in _text(hanna, places)
    assert "Je staat op de wachtlijst" not in _text(newcomer, "/vandaag")
    assert newcomer.get("/groep").status_code == 302


def test_a_group_with_room_says_nothing_about_waiting(site: flask.Flask, circle: Circle) -> None:
    with circle.database.work(circle.hanna.actor) as w:
        code = invitations.invite(w, circle.organisation_id, Role.CLIENT, group_id=circle.group_id)
    newcomer = Visitor(site)
    newcomer.post("/", {"code": code})
    third = re.findall(r'<ol class="words">(?:<li>[^<]+</li>\s*){2}<li>([^<]+)</li>', _text(newcomer, "/kiezen"))[0]
    newcomer.post("/kiezen", {"third": third})
    assert "vrije plek" not in _text(newcomer, "/afspraken")
    newcomer.post("/afspraken", {"agree": "yes"})
    assert "wachtlijst" not in _text(newcomer, "/vandaag")


def test_neutral_notices_say_nothing_about_what_kind_of_appointment_it_is(site: flask.Flask, circle: Circle) -> None:
    from app.notify import outbox

    circle.plan()
    outbox.deliver(circle.database)
    page = _text(_browser(site, circle.members[0]), "/vandaag")
    assert "Er staat een nieuwe afspraak" in page
    card = page[page.index('aria-label="Er staat een nieuwe afspraak"') :]
    card = card[: card.index("</section>")]
    assert not re.search(r"bijeenkomst|groep|therap|Begrijpen", card.partition("<form")[0])


def test_nothing_is_planned_by_opening_pages(site: flask.Flask, circle: Circle) -> None:
    hanna = _browser(site, circle.hanna)
    for path in ("/bijeenkomsten", "/bijeenkomsten/reeks", f"/groepen/{circle.group}/plekken", "/meer/agenda"):
        _text(hanna, path)
    with circle.database.read() as r:
        assert r.db.scalar(select(func.count()).select_from(GroupSession)) == 0
