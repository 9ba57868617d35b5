"""Coming in: by a slip, with a second one, as a colleague; and what a forged or late try is told."""

from __future__ import annotations

import re
from pathlib import Path

import flask
import pytest
from sqlalchemy import func, select

from app.accounts import aliases, invitations, signins, slips
from app.accounts.models import Invitation, Organisation, Person
from app.core import ids
from app.core.actor import Actor
from app.core.audit import AuditLine
from app.core.errors import Closed, Invalid, NotFound
from app.core.permissions import Role
from app.core.work import Database
from groups import rooms
from groups.models import Group, Membership
from groups.people import joining
from groups.programme import curriculum
from tests import builders
from tests.accounts.test_recovery import shown
from tests.accounts.visitor import Visitor


def _code(database: Database, circle: builders.Circle, role: Role = Role.CLIENT, uses: int = 1) -> str:
    with database.work(circle.hanna.actor) as w:
        return invitations.invite(w, circle.organisation_id, role, group_id=circle.group_id, uses=uses)


def _come_in(database: Database, code: str, alias: str) -> int:
    with database.work() as w:
        return joining.come_in(w, code, slips.draw("nl"), "!", alias, "nl")


def _join_more(database: Database, actor: Actor, code: str, alias: str = "Rik_vos") -> str:
    with database.work(actor) as w:
        return joining.join_more(w, code, alias)


def _uses_left(database: Database, code: str) -> int:
    with database.read() as r:
        return r.db.scalars(select(Invitation.uses_left).where(Invitation.code_hash == r.digest(code))).one()


def test_a_code_makes_a_person_a_place_and_a_way_back(database: Database) -> None:
    circle = builders.circle(database, members=0)
    code = _code(database, circle)
    slip = slips.draw("nl")
    with database.work() as w:
        person_id = joining.come_in(w, code, slip, "!", "Rik_vos", "nl")
    with database.read(Actor(person_id, circle.organisation_id, Role.CLIENT)) as r:
        assert rooms.home(r).alias == "Rik_vos"
        assert r.db.get_one(Person, person_id).recovery_hash == r.digest(slip.recovery)
        assert "Rik_vos" not in aliases.offer(r, circle.organisation_id, 200)


def test_an_alias_that_somebody_took_meanwhile_costs_no_use_and_makes_nobody(database: Database) -> None:
    circle = builders.circle(database, members=1)
    code = _code(database, circle)
    with pytest.raises(Invalid):
        _come_in(database, code, circle.members[0].alias)
    assert _uses_left(database, code) == 1
    with database.read() as r:
        assert r.db.scalar(select(func.count()).select_from(Person)) == 2


def test_a_code_used_twice_at_the_same_instant_lets_one_person_in(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = builders.circle(database, members=0)
    code = _code(database, circle)
    gap = builders.Gap()
    monkeypatch.setattr(joining, "look_up", gap.after(joining.look_up))
    answers = builders.at_once(
        lambda: _come_in(database, code, "Rik_vos"), lambda: _come_in(database, code, "Lot_berk")
    )
    assert sorted(type(a).__name__ for a in answers) == ["NotFound", "int"]
    with database.read() as r:
        assert r.db.scalar(select(func.count()).select_from(Membership)) == 2  # Hanna's, and one more


def test_a_client_enters_another_group_under_another_alias_with_the_same_account(database: Database) -> None:
    circle = builders.circle(database)
    other = builders.circle(database, members=1, organisation_id=circle.organisation_id)
    mees = circle.members[0]
    assert _join_more(database, mees.actor, _code(database, other)) == other.group
    with database.read(mees.actor) as r:
        assert {(p.group, p.alias) for p in rooms.places(r)} == {(circle.group, mees.alias), (other.group, "Rik_vos")}


def test_the_same_code_twice_by_the_same_person_is_refused_kindly_and_costs_no_use(database: Database) -> None:
    circle = builders.circle(database)
    other = builders.circle(database, members=0, organisation_id=circle.organisation_id)
    code = _code(database, other, uses=3)
    mees = circle.members[0]
    _join_more(database, mees.actor, code)
    for who, what in ((mees, code), (mees, _code(database, circle))):
        with pytest.raises(Closed, match="Je code is niet gebruikt"):
            _join_more(database, who.actor, what, "Lot_berk")
    assert _uses_left(database, code) == 2


def test_two_taps_at_the_same_instant_take_one_use_and_one_place(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = builders.circle(database)
    other = builders.circle(database, members=0, organisation_id=circle.organisation_id)
    code = _code(database, other, uses=3)
    mees = circle.members[0].actor
    gap = builders.Gap()
    monkeypatch.setattr(joining, "look_up_more", gap.after(joining.look_up_more))
    answers = builders.at_once(
        lambda: _join_more(database, mees, code, "Rik_vos"), lambda: _join_more(database, mees, code, "Lot_berk")
    )
    assert [type(a).__name__ for a in builders.refusals(answers)] == ["Closed"]
    assert _uses_left(database, code) == 2


def test_who_left_a_group_does_not_come_back_by_a_code_that_lies_about(database: Database) -> None:
    circle = builders.circle(database)
    code = _code(database, circle, uses=5)
    with database.work() as w:
        w.db.get_one(Membership, circle.members[0].membership_id).left_at = w.now
    with pytest.raises(Closed, match="eerder in deze groep"):
        _join_more(database, circle.members[0].actor, code)
    assert _uses_left(database, code) == 5


def test_a_colleague_helps_to_lead_under_their_own_name(database: Database) -> None:
    circle = builders.circle(database)
    ilse, _ = builders.someone(database, circle.organisation_id, Role.FACILITATOR, name="Ilse")
    code, another = (_code(database, circle, Role.FACILITATOR) for _ in range(2))
    with database.work(ilse) as w:
        assert joining.help_lead(w, code) == circle.group
    with database.read(ilse) as r:
        found = rooms.lead_place(r, circle.group)
        assert found.alias == "Ilse"
        assert "group.leader_joined" in r.db.scalars(select(AuditLine.action)).all()
    with pytest.raises(Closed), database.work(circle.hanna.actor) as w:
        joining.help_lead(w, another)


def test_a_code_for_another_role_or_another_organisation_is_an_unknown_code(database: Database) -> None:
    circle, elsewhere = builders.circle(database), builders.circle(database)
    ilse, _ = builders.someone(database, circle.organisation_id, Role.FACILITATOR, name="Ilse")
    client = circle.members[0].actor
    with database.work(circle.hanna.actor) as w:
        for_a_role = invitations.invite(w, circle.organisation_id, Role.FACILITATOR)
    told = set()
    for actor, code in (
        (client, _code(database, circle, Role.FACILITATOR)),
        (client, _code(database, elsewhere)),
        (client, for_a_role),
        (ilse, _code(database, circle)),
        (ilse, _code(database, elsewhere, Role.FACILITATOR)),
        (ilse, for_a_role),
        (client, "KLEW-47RD"),
        (client, ""),
    ):
        for act in (joining.look_up_more, lambda w, c: joining.join_more(w, c, "Rik_vos"), joining.help_lead):
            with pytest.raises(NotFound) as refusal, database.work(actor) as w:
                act(w, code)
            told.add(refusal.value.message)
    for_a_colleague = _code(database, circle, Role.FACILITATOR)
    with pytest.raises(NotFound) as refusal, database.work() as w:
        joining.look_up(w, for_a_colleague)  # in the hands of somebody without an account
    told.add(refusal.value.message)
    assert told == {invitations.UNKNOWN}


def test_a_facilitator_opens_a_group_and_leads_it_at_once(database: Database) -> None:
    circle = builders.circle(database)
    with database.work(circle.hanna.actor) as w:
        group = joining.open_group(w, "  Zaterdag   ochtend ", "en")
    with database.read(circle.hanna.actor) as r:
        found = rooms.lead_place(r, group)
        assert (found.group_name, found.language, found.alias) == ("Zaterdag ochtend", "en", "Hanna")


def test_a_group_follows_the_programme_it_was_opened_with(database: Database, tmp_path: Path) -> None:
    circle = builders.circle(database)
    own = tmp_path / "bij-ons"
    own.mkdir()
    (own / "programme.yaml").write_text(
        "slug: bij-ons\nversion: 1\ntitle: {nl: Bij ons}\nbased_on: lust-leren-loslaten\n"
    )
    curriculum.use(tmp_path)
    try:
        with database.work(circle.hanna.actor) as w:
            group = joining.open_group(w, "Zaterdag", "nl", "bij-ons")
            with pytest.raises(Invalid):
                joining.open_group(w, "Zondag", "nl", "elders")
    finally:
        curriculum.look_in(None)
    with database.read(circle.hanna.actor) as r:
        assert rooms.lead_place(r, group).programme == "bij-ons"
        assert len(r.db.scalars(select(Group)).all()) == 2


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * 61,
        "Bel 06 12345678",
        "mail@voorbeeld.nl",
        "Dins\u202edag",
        "Pornovrij op dinsdag",
        "x" * 10_000,
    ],
)
def test_a_name_that_says_too_much_or_nothing_opens_no_group(database: Database, name: str) -> None:
    circle = builders.circle(database, members=0)
    with pytest.raises(Invalid), database.work(circle.hanna.actor) as w:
        joining.open_group(w, name, "nl")
    with database.read() as r:
        assert len(r.db.scalars(select(Group)).all()) == 1


# ---------- at the door, without scripts ----------


@pytest.fixture
def circle(site: flask.Flask) -> builders.Circle:
    """A group in the house that `site` serves."""
    return builders.circle(site.extensions["samen"].database, members=1)


def come_in(site: flask.Flask, code: str) -> Visitor:
    visitor = Visitor(site)
    assert visitor.post("/", {"code": code}).headers["Location"] == "/kiezen"
    slip = shown(visitor.get("/kiezen").get_data(as_text=True))
    visitor.post("/kiezen", {"third": slip.words[2]})
    assert visitor.post("/afspraken", {"agree": "yes"}).headers["Location"] == "/vandaag"
    return visitor


def signed_in(site: flask.Flask, who: builders.Someone) -> Visitor:
    visitor = Visitor(site)
    visitor.client.set_cookie(visitor.house.cookie, who.token, domain="localhost")
    return visitor


def test_the_whole_way_in_shows_the_slip_once(site: flask.Flask, circle: builders.Circle) -> None:
    code = _code(circle.database, circle)
    visitor = Visitor(site)
    visitor.post("/", {"code": code.lower()})
    slip = shown(visitor.get("/kiezen").get_data(as_text=True))
    assert visitor.get("/afspraken").headers["Location"] == "/kiezen"  # not before the word was typed
    wrong = visitor.post("/kiezen", {"third": "vergeten"})
    assert wrong.status_code == 422
    assert "Dat is niet het derde woord" in wrong.get_data(as_text=True)
    assert visitor.post("/afspraken", {"agree": "yes"}).status_code == 422
    visitor.post("/kiezen", {"third": f" {slip.words[2].upper()} "})
    assert visitor.post("/afspraken", {}).status_code == 422
    kept = visitor.keep_visit()
    assert visitor.post("/afspraken", {"agree": "yes"}).headers["Location"] == "/vandaag"
    assert visitor.inside
    late = Visitor(site)
    late.put_visit(kept)
    assert late.get("/kiezen").status_code == 404
    assert slip.passphrase.split()[0] not in late.get("/kiezen").get_data(as_text=True)
    assert Visitor(site).sign_in(slip.login, slip.passphrase).status_code == 303
    assert Visitor(site).post("/", {"code": code}).status_code == 404


def test_a_second_tap_on_the_last_button_comes_in_as_the_same_person(
    site: flask.Flask, circle: builders.Circle
) -> None:
    visitor = Visitor(site)
    visitor.post("/", {"code": _code(circle.database, circle)})
    slip = shown(visitor.get("/kiezen").get_data(as_text=True))
    visitor.post("/kiezen", {"third": slip.words[2]})
    kept = visitor.keep_visit()
    visitor.post("/afspraken", {"agree": "yes"})
    visitor.put_visit(kept)
    assert visitor.post("/afspraken", {"agree": "yes"}).headers["Location"] == "/vandaag"
    with circle.database.read() as r:
        assert len(r.db.scalars(select(Person).where(Person.login == slip.login)).all()) == 1


@pytest.mark.parametrize("half", ["forged", "", "gAAAAABforged", "x" * 3000])
def test_a_forged_half_finished_join_opens_nothing(site: flask.Flask, half: str) -> None:
    visitor = Visitor(site)
    with visitor.client.session_transaction(base_url=visitor.base) as session:
        session["half"] = half
    for path in ("/kiezen", "/afspraken", "/aanmelden", "/terug/herstel/briefje"):
        assert visitor.get(path).status_code == 404
        assert visitor.post(path, {"third": "x", "agree": "yes"}).status_code == 404


def test_a_visitor_cookie_that_was_signed_elsewhere_is_no_cookie(site: flask.Flask) -> None:
    visitor = Visitor(site)
    visitor.put_visit("eyJoYWxmIjoiZm9yZ2VkIn0.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb")
    assert visitor.get("/kiezen").status_code == 404


def test_a_passphrase_or_a_code_of_ten_million_signs_is_refused_at_the_door(site: flask.Flask) -> None:
    visitor = Visitor(site)
    huge = "woord " * 1_700_000
    for path, field in (("/", "code"), ("/terug", "secret"), ("/terug/herstel", "code"), ("/kiezen", "third")):
        answer = visitor.client.post(path, data={field: huge}, base_url=visitor.base)
        assert answer.status_code == 413


def test_guessing_codes_is_slow(site: flask.Flask) -> None:
    visitor = Visitor(site)
    assert [visitor.post("/", {"code": ids.invitation_code()}).status_code for _ in range(7)] == [404] * 5 + [429] * 2


def test_a_member_enters_a_second_group_on_their_own_account(site: flask.Flask, circle: builders.Circle) -> None:
    other = builders.circle(circle.database, members=0, organisation_id=circle.organisation_id)
    code = _code(circle.database, other)
    mees = signed_in(site, circle.members[0])
    assert mees.get("/").headers["Location"] == "/vandaag"
    assert mees.get("/code/afspraken").status_code == 404
    assert mees.post("/code", {"code": code}).headers["Location"] == "/code/naam"
    offered = re.findall(r'name="alias" value="(\w+)"', mees.get("/code/naam").get_data(as_text=True))
    assert len(offered) == 4
    assert circle.members[0].alias not in offered
    assert mees.get("/code/afspraken").headers["Location"] == "/code/naam"
    mees.post("/code/naam", {"others": "1"})
    again = re.findall(r'name="alias" value="(\w+)"', mees.get("/code/naam").get_data(as_text=True))
    assert not set(again) & set(offered)
    mees.post("/code/naam", {"alias": again[1]})
    assert mees.post("/code/afspraken", {}).status_code == 422
    assert mees.post("/code/afspraken", {"agree": "yes"}).headers["Location"] == f"/ruimte/{other.room}"
    assert again[1] in mees.get(f"/ruimte/{other.room}").get_data(as_text=True)
    refused = mees.post("/code", {"code": code})
    assert refused.status_code == 404  # used up: no word about whose it was


def test_a_half_entered_group_is_bound_to_the_person(site: flask.Flask, circle: builders.Circle) -> None:
    other = builders.circle(circle.database, members=1, organisation_id=circle.organisation_id)
    third = builders.circle(circle.database, members=0, organisation_id=circle.organisation_id)
    mees, noor = signed_in(site, circle.members[0]), signed_in(site, other.members[0])
    mees.post("/code", {"code": _code(circle.database, third)})
    noor.put_visit(mees.keep_visit())
    assert noor.get("/code/naam").status_code == 404


def test_a_colleague_comes_to_lead_by_typing_a_code(site: flask.Flask, circle: builders.Circle) -> None:
    ilse, token = builders.someone(circle.database, circle.organisation_id, Role.FACILITATOR, name="Ilse")
    visitor = signed_in(site, builders.Someone(ilse, "Ilse", "", 0, token))
    assert visitor.get(f"/groepen/{circle.group}").status_code == 404
    answer = visitor.post("/code", {"code": _code(circle.database, circle, Role.FACILITATOR)})
    assert answer.headers["Location"] == f"/groepen/{circle.group}"
    assert visitor.get(f"/groepen/{circle.group}").status_code == 200


def test_a_facilitator_makes_codes_sees_them_and_takes_them_back(site: flask.Flask, circle: builders.Circle) -> None:
    hanna = signed_in(site, circle.hanna)
    made = hanna.post(f"/groepen/{circle.group}/uitnodiging", {"uses": "8", "days": "14"})
    page = hanna.get(made.headers["Location"]).get_data(as_text=True)
    code = re.search(r"data-code>([A-Z0-9-]{9})<", page)
    assert code
    assert "Voor 8 personen" in page
    assert "14 dagen" in page
    slip = re.search(r'<section class="slip.*?</section>', page, re.S)
    assert slip
    assert "Dinsdaggroep" not in slip[0]
    assert circle.group not in slip[0]
    assert code[1] not in hanna.get(made.headers["Location"]).get_data(as_text=True)  # once
    come_in(site, code[1])
    listed = hanna.get(f"/groepen/{circle.group}/uitnodigingen").get_data(as_text=True)
    assert "nog 7 van 8 keer" in listed
    assert code[1] not in listed
    revoke = re.search(r'action="(/groepen/\w+/uitnodigingen/\w+/intrekken)"', listed)
    assert revoke
    assert hanna.post(revoke[1]).status_code == 303
    assert Visitor(site).post("/", {"code": code[1]}).status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"uses": "0"},
        {"uses": "51"},
        {"uses": "1.5"},
        {"days": "0"},
        {"days": "61"},
        {"role": "administrator"},
        {"days": "x"},
    ],
)
def test_an_invitation_that_is_not_offered_is_not_made(
    site: flask.Flask, circle: builders.Circle, fields: dict[str, str]
) -> None:
    hanna = signed_in(site, circle.hanna)
    assert hanna.post(f"/groepen/{circle.group}/uitnodiging", fields).status_code == 422
    with circle.database.read() as r:
        assert r.db.scalars(select(Invitation)).all() == []


def test_somebody_elses_group_has_no_invitations_to_see_make_or_take_back(
    site: flask.Flask, circle: builders.Circle
) -> None:
    other = builders.circle(circle.database, members=1, organisation_id=circle.organisation_id)
    code = _code(circle.database, circle)
    with circle.database.read() as r:
        ref = r.db.scalars(select(Invitation.public_id)).one()
    for visitor in (signed_in(site, other.hanna), signed_in(site, circle.members[0])):
        assert visitor.get(f"/groepen/{circle.group}/uitnodigingen").status_code == 404
        assert visitor.post(f"/groepen/{circle.group}/uitnodiging").status_code == 404
        assert visitor.post(f"/groepen/{circle.group}/uitnodigingen/{ref}/intrekken").status_code == 404
    assert signed_in(site, other.hanna).post(f"/groepen/{other.group}/uitnodigingen/{ref}/intrekken").status_code == 404
    assert _uses_left(circle.database, code) == 1


def test_a_way_back_for_a_member_asks_for_a_proof_first(site: flask.Flask, circle: builders.Circle) -> None:
    hanna = signed_in(site, circle.hanna)
    path = f"/groepen/{circle.group}/deelnemers/{circle.members[0].ref}/toegang"
    assert hanna.get(path).headers["Location"] == "/bevestigen"
    assert hanna.post(path).headers["Location"] == "/bevestigen"
    confirm(circle)
    assert "Maak de code" in hanna.get(path).get_data(as_text=True)
    assert hanna.post(path).headers["Location"] == path
    page = hanna.get(path).get_data(as_text=True)
    code = re.search(r'recovery-code num">([A-Z0-9-]{19})<', page)
    assert code
    assert code[1] not in hanna.get(path).get_data(as_text=True)  # once
    back = Visitor(site)
    assert back.post("/terug/herstel", {"code": code[1]}).headers["Location"] == "/terug/herstel/briefje"
    slip = shown(back.get("/terug/herstel/briefje").get_data(as_text=True))
    back.post("/terug/herstel/briefje", {"third": slip.words[2]})
    assert circle.members[0].alias in back.get("/vandaag").get_data(as_text=True)
    assert not signed_in(site, circle.members[0]).inside


def confirm(circle: builders.Circle) -> None:
    with circle.database.work(circle.hanna.actor) as w:
        signins.confirm(w)


def test_opening_a_group_leads_to_its_invitations(site: flask.Flask, circle: builders.Circle) -> None:
    hanna = signed_in(site, circle.hanna)
    refused = hanna.post("/groepen", {"name": "Bel 06 12345678", "language": "nl"})
    assert refused.status_code == 422
    assert "06 12345678" in refused.get_data(as_text=True)  # what was typed is still there
    assert hanna.post("/groepen", {"name": "Zaterdag", "language": "de"}).status_code == 422
    made = hanna.post("/groepen", {"name": "Zaterdag", "language": "nl"})
    assert "Zaterdag" in hanna.get(made.headers["Location"]).get_data(as_text=True)
    assert signed_in(site, circle.members[0]).post("/groepen", {"name": "x", "language": "nl"}).status_code == 404
    with circle.database.read() as r:
        assert r.db.scalar(select(func.count()).select_from(Organisation)) == 1
