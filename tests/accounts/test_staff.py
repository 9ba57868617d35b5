"""Staff: how they join, what they may choose, and who lets whom in no more."""

from __future__ import annotations

import re
from pathlib import Path

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.accounts import accounts, erasure, invitations, passwords, recovery, second_factor, signins, staff
from app.accounts.models import Invitation, Organisation, Person
from app.core.actor import Actor
from app.core.audit import AuditLine
from app.core.errors import Closed, Invalid, NotFound
from app.core.permissions import Role
from app.core.settings import SettingsError
from app.core.work import Database
from app.main import PARTS
from app.notify import outbox
from groups.people import joining
from tests import builders
from tests.accounts.test_recovery import is_in, shown
from tests.accounts.visitor import Visitor
from tests.server import Server

PASSWORD = "vier losse woorden samen"


def _code(database: Database, organisation: int, role: Role = Role.FACILITATOR) -> str:
    with database.work() as w:
        return invitations.invite(w, organisation, role)


def _join(database: Database, code: str, login: str = "ilse", name: str = "Ilse") -> tuple[int, Role]:
    with database.work() as w:
        return staff.join(w, code, staff.choose(login, name, PASSWORD), "!", "nl")


def _administrators(database: Database, amount: int) -> list[Actor]:
    organisation = builders.organisation(database)
    return [builders.someone(database, organisation, Role.ADMINISTRATOR, name=f"A{n}")[0] for n in range(amount)]


@pytest.mark.parametrize("role", staff.ROLES)
def test_a_code_for_a_role_makes_a_colleague_with_that_role_once(database: Database, role: Role) -> None:
    organisation = builders.organisation(database)
    code = _code(database, organisation, role)
    person_id, made = _join(database, code)
    assert made is role
    with database.read() as r:
        person = r.db.get_one(Person, person_id)
        assert (person.role, person.login, person.name, person.organisation_id) == (role, "ilse", "Ilse", organisation)
        assert person.recovery_hash is None  # staff come back by their second factor and their administrator
    with pytest.raises(NotFound):
        _join(database, code, "joost", "Joost")


def test_a_refused_newcomer_loses_neither_the_code_nor_the_name(database: Database) -> None:
    organisation = builders.organisation(database)
    _join(database, _code(database, organisation), "hanna", "Hanna")
    code = _code(database, organisation)
    for login, name in (("hanna", "Iemand"), ("ilse", "hanna"), ("ilse", "HANNA"), ("harına", "Ilse")):
        with pytest.raises(Invalid):
            _join(database, code, login, name)
    with database.read() as r:
        assert r.db.scalar(select(func.count()).select_from(Person)) == 1
    assert _join(database, code)[1] is Role.FACILITATOR


def test_two_newcomers_with_one_code_at_the_same_instant_only_one_is_made(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = _code(database, builders.organisation(database))
    gap = builders.Gap()
    monkeypatch.setattr(invitations, "look_up", gap.after(invitations.look_up))
    answers = builders.at_once(
        lambda: _join(database, code, "ilse", "Ilse"), lambda: _join(database, code, "joost", "Joost")
    )
    assert [type(a).__name__ for a in builders.refusals(answers)] == ["NotFound"]
    with database.read() as r:
        assert r.db.scalar(select(func.count()).select_from(Person)) == 1


def test_a_code_of_a_group_makes_nobody_a_colleague(database: Database) -> None:
    circle = builders.circle(database, members=0)
    for role in (Role.CLIENT, Role.FACILITATOR):
        with database.work(circle.hanna.actor) as w:
            code = invitations.invite(w, circle.organisation_id, role, group_id=circle.group_id)
        with pytest.raises(NotFound):
            _join(database, code)


@pytest.mark.parametrize(
    "login", ["", "ab", "a" * 41, "-ilse", "ilse.", "il se", "ilsé", "іlse", "ilse--x", "il/se", "ｉｌｓｅ"]
)
def test_a_user_name_that_could_be_taken_for_another_cannot_be_chosen(login: str) -> None:
    with pytest.raises(Invalid):
        staff.choose(login, "Ilse", PASSWORD)


@given(st.text(max_size=60))
def test_every_user_name_that_can_be_chosen_is_found_again_as_it_is(typed: str) -> None:
    try:
        chosen = staff.choose(typed, "Iemand", PASSWORD)
    except Invalid:
        return
    assert re.fullmatch(r"[a-z0-9.-]{3,40}", chosen.login)
    assert accounts.fold_login(chosen.login) == chosen.login


@pytest.mark.parametrize(
    "name", ["", " ", "I", "x" * 41, "Mees_duin", "Наnna", "Ilse\u202e", "Ilse<b>", "Ilse 2", "😀😀"]
)
def test_a_shown_name_is_made_of_plain_letters_and_never_looks_like_an_alias(name: str) -> None:
    with pytest.raises(Invalid):
        staff.choose("ilse", name, PASSWORD)


@pytest.mark.parametrize("name", ["Ilse", "  Ilse   de  Vries ", "Zoë", "Jan-Peter", "d'Ancona", "Dr. Ilse"])
def test_an_ordinary_name_may_be_shown(name: str) -> None:
    assert staff.choose("ilse", name, PASSWORD).name == " ".join(name.split())


@pytest.mark.parametrize(
    "password",
    [
        "",
        "kort",
        "elf tekens.",
        "aaaaaaaaaaaaaaaa",
        "123456789012",
        "abcdefghijklmnop",
        "abababababababab",
        "ilse-ilse-ilse-ilse",
        "Wachtwoord2026",
        "welkom-welkom-01",
        "ilse van dijk ilse",
        "x" * 257,
        "x" * 10_000_000,
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str) -> None:
    with pytest.raises(Invalid):
        staff.check_password(password, "ilse.van.dijk", "Ilse van Dijk")


@pytest.mark.parametrize("password", [PASSWORD, "kf93-ms0x-q2pl", "De kat zit op zolder", "x7!Gh#29kLmQ"])
def test_a_good_password_is_taken_as_it_is(password: str) -> None:
    staff.check_password(password, "ilse", "Ilse")


def test_the_first_administrator_gets_a_code_and_nobody_after_them(database: Database) -> None:
    with pytest.raises(SettingsError), database.work() as w:
        staff.first_administrator(w, " ")
    with database.work() as w:
        code = staff.first_administrator(w, "Praktijk De Brug")
    with database.work() as w:
        again = staff.first_administrator(w, "Een andere naam")  # nobody used the first yet
    assert _join(database, code)[1] is Role.ADMINISTRATOR
    with pytest.raises(SettingsError), database.work() as w:
        staff.first_administrator(w, "Praktijk De Brug")
    with database.read() as r:
        assert r.db.scalars(select(Organisation.name)).all() == ["Praktijk De Brug"]
        assert again not in str([i.__dict__ for i in r.db.scalars(select(Invitation))])


def test_the_list_shows_the_own_organisations_staff_by_day_and_never_a_client(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    actor, _ = builders.someone(database, circle.organisation_id, Role.ADMINISTRATOR, name="Anja")
    with database.read(actor) as r:
        people = staff.colleagues(r)
    assert [(p.name, p.role, p.you, p.suspended) for p in people] == [
        ("Anja", Role.ADMINISTRATOR, True, False),
        ("Hanna", Role.FACILITATOR, False, False),
    ]
    assert other.hanna.person_id not in {p.person_id for p in people}
    assert {type(p.last_on).__name__ for p in people} == {"date"}


def test_a_suspended_colleague_is_out_at_once_and_may_come_back(database: Database) -> None:
    circle = builders.circle(database)
    actor, _ = builders.someone(database, circle.organisation_id, Role.ADMINISTRATOR)
    with database.work(actor) as w:
        staff.suspend(w, circle.hanna.person_id)
    with database.read() as r:
        assert signins.who(r.db, circle.hanna.actor.session, r.now) is None
    with database.read(actor) as r:
        assert [p.suspended for p in staff.colleagues(r)] == [False, True]
    with database.work(actor) as w:
        staff.reinstate(w, circle.hanna.person_id)
    with database.read(actor) as r:
        assert [p.suspended for p in staff.colleagues(r)] == [False, False]
        lines = r.db.scalars(select(AuditLine.action)).all()
        assert {"person.suspended", "person.reinstated"} <= set(lines)


def test_the_codes_of_a_suspended_colleague_let_nobody_in_any_more(database: Database) -> None:
    circle = builders.circle(database, members=1)
    anja, rogue = _administrators(database, 2)
    with database.work(rogue) as w:
        for_staff = invitations.invite(w, rogue.organisation_id, Role.ADMINISTRATOR)
    with database.work(anja) as w:
        other = invitations.invite(w, anja.organisation_id, Role.FACILITATOR)
        staff.suspend(w, rogue.person_id)
    with database.work(circle.hanna.actor) as w:
        for_group = invitations.invite(w, circle.organisation_id, Role.CLIENT, group_id=circle.group_id, uses=3)
        to_come_back = joining.renew_access(w, circle.group, circle.members[0].ref)
    with database.work() as w:
        accounts.suspend(w, circle.hanna.person_id)
    with database.read() as r:
        assert invitations.look_up(r, other).role is Role.FACILITATOR
        for code in (for_staff, for_group):
            with pytest.raises(NotFound):
                invitations.look_up(r, code)
        with pytest.raises(NotFound):
            recovery.look_up(r, to_come_back)


def test_who_erases_their_account_leaves_no_code_behind_that_makes_staff(database: Database) -> None:
    anja, leaver = _administrators(database, 2)
    with database.work(leaver) as w:
        code = invitations.invite(w, leaver.organisation_id, Role.ADMINISTRATOR)
    with database.work(leaver) as w:
        erasure.erase(w, PARTS, leaver.person_id)
    with database.read(anja) as r, pytest.raises(NotFound):
        staff.look_up(r, code)


def test_who_lost_phone_and_codes_sets_up_a_second_step_anew_and_is_told(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    actor, _ = builders.someone(database, circle.organisation_id, Role.ADMINISTRATOR)
    hanna = circle.hanna.person_id
    with database.work() as w:
        second_factor.keep(w, hanna, second_factor.new_secret())
    with database.read() as r:
        assert second_factor.factors(r, hanna).any
    for person_id, refusal in (
        (actor.person_id, Closed),
        (circle.members[0].person_id, NotFound),
        (other.hanna.person_id, NotFound),
    ):
        with pytest.raises(refusal), database.work(actor) as w:
            staff.start_over(w, person_id)
    with database.work(actor) as w:
        staff.start_over(w, hanna)
    outbox.deliver(database)
    with database.read(circle.hanna.actor) as r:
        assert not second_factor.factors(r, hanna).any
        assert signins.who(r.db, circle.hanna.actor.session, r.now) is None
        assert [line.kind for line in outbox.inbox(r)] == ["second_step_reset"]
        assert "person.second_step_reset" in r.db.scalars(select(AuditLine.action)).all()


def test_nobody_suspends_themselves_a_client_or_somebody_elsewhere(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    actor, _ = builders.someone(database, circle.organisation_id, Role.ADMINISTRATOR)
    with pytest.raises(Closed), database.work(actor) as w:
        staff.suspend(w, actor.person_id)
    for person_id in (circle.members[0].person_id, other.hanna.person_id, 999_999):
        for act in (staff.suspend, staff.reinstate):
            with pytest.raises(NotFound), database.work(actor) as w:
                act(w, person_id)
    with database.read() as r:
        assert r.db.scalars(select(Person.id).where(Person.suspended_at.is_not(None))).all() == []


def test_two_administrators_who_suspend_each_other_at_the_same_instant_leave_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = _administrators(database, 2)
    monkeypatch.setattr(staff, "_colleague", builders.Gap().after(staff._colleague))

    def suspend(actor: Actor, whom: Actor) -> None:
        with database.work(actor) as w:
            staff.suspend(w, whom.person_id)

    answers = builders.at_once(lambda: suspend(one, two), lambda: suspend(two, one))
    assert [type(a).__name__ for a in builders.refusals(answers)] == ["Closed"]
    with database.read() as r:
        assert len(r.db.scalars(select(Person.id).where(Person.suspended_at.is_(None))).all()) == 1


def inside(site: flask.Flask, role: Role, *, login: str = "anja", confirmed: bool = True) -> Visitor:
    """A member of staff who is signed in, with a second factor behind them."""
    visitor = Visitor(site)
    database = visitor.house.database
    with database.read() as r:
        organisation = r.db.scalar(select(Organisation.id))
    organisation = organisation or builders.organisation(database)
    hashed = passwords.hash_secret(PASSWORD)
    with database.work() as w:
        person_id = accounts.create_person(w, organisation, role, login, hashed, name=login.title())
        token = signins.start(w, person_id, visitor.house.settings.lasts(staff=True), confirmed=confirmed)
    visitor.client.set_cookie(visitor.house.cookie, token, domain="localhost")
    return visitor


def shown_code(page: str) -> str:
    found = re.search(r"data-code>([A-Z0-9]{4}(?:-[A-Z0-9]{4}){3})<", page)
    assert found
    return found[1]


def test_from_a_code_to_an_account_with_a_second_step(site: flask.Flask) -> None:
    anja = inside(site, Role.ADMINISTRATOR)
    made = anja.post("/beheer/uitnodiging", {"role": "moderator", "days": "3"})
    assert made.headers["Location"] == "/beheer/uitnodiging"
    page = anja.get("/beheer/uitnodiging").get_data(as_text=True)
    code = shown_code(page)
    assert "3 dagen" in page
    assert "<svg" in page
    assert code not in anja.get("/beheer/uitnodiging").get_data(as_text=True)  # once
    assert code[-2:] in anja.get("/beheer").get_data(as_text=True)

    daan = Visitor(site)
    assert daan.post("/", {"code": code.lower()}).headers["Location"] == "/aanmelden"
    assert "moderator" in daan.get("/aanmelden").get_data(as_text=True)
    refused = daan.post("/aanmelden", {"login": "daan", "name": "Daan", "secret": "daan daan daan"})
    assert refused.status_code == 422
    assert 'value="daan"' in refused.get_data(as_text=True)  # what they typed is still there, but the password
    assert "daan daan" not in refused.get_data(as_text=True)
    answer = daan.post("/aanmelden", {"login": "Daan", "name": "Daan", "secret": PASSWORD})
    assert answer.headers["Location"] == "/terug/instellen"
    assert not is_in(daan)  # not before the second step
    assert Visitor(site).sign_in("daan", PASSWORD).headers["Location"] == "/terug/instellen"
    assert daan.post("/", {"code": code}).status_code == 404


def test_an_administrator_takes_a_role_code_back(site: flask.Flask) -> None:
    anja = inside(site, Role.ADMINISTRATOR)
    anja.post("/beheer/uitnodiging", {"role": "facilitator"})
    code = shown_code(anja.get("/beheer/uitnodiging").get_data(as_text=True))
    target = re.search(r'action="(/beheer/uitnodigingen/\w+/intrekken)"', anja.get("/beheer").get_data(as_text=True))
    assert target
    assert anja.post(target[1]).status_code == 303
    assert Visitor(site).post("/", {"code": code}).status_code == 404
    assert anja.post(target[1]).status_code == 404


@pytest.mark.parametrize("role", ["client", "", "owner", "administrator "])
def test_no_code_is_made_for_a_role_that_is_not_offered(site: flask.Flask, role: str) -> None:
    anja = inside(site, Role.ADMINISTRATOR)
    assert anja.post("/beheer/uitnodiging", {"role": role}, json=True).status_code == 422


def test_only_administrators_see_the_staff(site: flask.Flask) -> None:
    for role in (Role.CLIENT, Role.FACILITATOR, Role.MODERATOR):
        visitor = inside(site, role, login=f"iemand-{role.value}")
        for path in ("/beheer", "/beheer/uitnodiging", "/beheer/collega/abc"):
            assert visitor.get(path).status_code == 404
        assert visitor.post("/beheer/uitnodiging", {"role": "administrator"}).status_code == 404


def test_suspending_asks_for_a_proof_and_no_page_carries_a_persons_number(site: flask.Flask) -> None:
    anja = inside(site, Role.ADMINISTRATOR, confirmed=False)
    hanna = inside(site, Role.FACILITATOR, login="hanna")
    page = anja.get("/beheer").get_data(as_text=True)
    link = re.search(r'href="(/beheer/collega/[0-9a-f]{12})"', page)
    assert link
    assert len(re.findall("/beheer/collega/", page)) == 1  # not oneself
    assert anja.get(link[1]).headers["Location"] == "/bevestigen"
    assert anja.post(f"{link[1]}/blokkeren").headers["Location"] == "/bevestigen"
    assert is_in(hanna)
    bea = inside(site, Role.ADMINISTRATOR, login="bea")
    assert "Hanna blokkeren?" in bea.get(link[1]).get_data(as_text=True)
    assert bea.post(f"{link[1]}/blokkeren").headers["Location"] == "/beheer"
    assert not is_in(hanna)
    assert bea.post(f"{link[1]}/toelaten").headers["Location"] == "/beheer"
    assert Visitor(site).sign_in("hanna", PASSWORD).status_code == 303
    assert bea.get("/beheer/collega/000000000000").status_code == 404
    assert bea.get("/beheer/collega/é").status_code == 404


def test_somebody_changes_their_password_and_is_signed_out_elsewhere(site: flask.Flask) -> None:
    hanna = inside(site, Role.FACILITATOR, login="hanna")
    elsewhere = Visitor(site)
    with hanna.house.database.work() as w:
        person = w.db.scalars(select(Person.id).where(Person.login == "hanna")).one()
        token = signins.start(w, person, hanna.house.settings.lasts(staff=True))
    elsewhere.client.set_cookie(hanna.house.cookie, token, domain="localhost")
    assert hanna.post("/wachtwoord", {"secret": "hanna hanna hanna"}).status_code == 422
    assert is_in(elsewhere)
    assert hanna.post("/wachtwoord", {"secret": "een heel ander verhaal"}).headers["Location"] == "/toestellen"
    assert is_in(hanna)
    assert not is_in(elsewhere)
    assert Visitor(site).sign_in("hanna", PASSWORD).status_code == 401
    assert Visitor(site).sign_in("hanna", "een heel ander verhaal").status_code == 303
    assert hanna.get("/woorden").status_code == 404  # those are for clients


def test_a_client_draws_new_words_and_the_old_ones_are_over(site: flask.Flask) -> None:
    visitor = inside(site, Role.CLIENT, login="stille-otter-41")
    page = visitor.get("/woorden").get_data(as_text=True)
    slip = shown(page)
    assert slip.login == "stille-otter-41"
    assert shown(visitor.get("/woorden").get_data(as_text=True)) == slip  # the same, until one was typed back
    assert visitor.post("/woorden", {"third": "vergeten"}).status_code == 422
    assert Visitor(site).sign_in("stille-otter-41", PASSWORD).status_code == 303  # nothing changed yet
    assert visitor.post("/woorden", {"third": slip.words[2]}).headers["Location"] == "/toestellen"
    assert is_in(visitor)
    assert Visitor(site).sign_in("stille-otter-41", PASSWORD).status_code == 401
    assert Visitor(site).sign_in("stille-otter-41", slip.passphrase).status_code == 303
    assert Visitor(site).post("/terug/herstel", {"code": slip.recovery}).status_code == 303
    assert visitor.get("/wachtwoord").status_code == 404  # that is for staff


def test_new_words_ask_for_the_old_ones_first(site: flask.Flask) -> None:
    visitor = inside(site, Role.CLIENT, login="stille-otter-41", confirmed=False)
    assert visitor.get("/woorden").headers["Location"] == "/bevestigen"
    assert visitor.post("/bevestigen", {"secret": "iets anders dan dit was"}).status_code != 303
    assert visitor.post("/bevestigen", {"secret": PASSWORD}).headers["Location"].startswith("/woorden")
    assert visitor.get("/woorden").status_code == 200


def test_half_changed_words_are_bound_to_the_person(site: flask.Flask) -> None:
    noor, mees = (inside(site, Role.CLIENT, login=name) for name in ("noor", "mees"))
    noor.get("/woorden")
    mees.put_visit(noor.keep_visit())
    assert mees.post("/woorden", {"third": "x"}).status_code == 404


def test_all_sessions_end_at_once_and_this_browser_forgets(site: flask.Flask) -> None:
    noor = inside(site, Role.CLIENT, login="noor")
    page = noor.get("/toestellen").get_data(as_text=True)
    assert "Dit toestel" in page
    answer = noor.post("/toestellen/uit", {"which": "all"})
    assert answer.headers["Location"] == "/"
    assert "cookies" in answer.headers["Clear-Site-Data"]
    assert not is_in(noor)


def test_an_operator_gets_the_first_code_on_standard_output_and_no_second_organisation(tmp_path: Path) -> None:
    server = Server(tmp_path).prepare()
    refused = server.command("first-administrator")
    assert refused.returncode != 0
    assert "--organisation" in refused.stderr
    made = server.command("first-administrator", "--organisation", "Praktijk De Brug")
    assert made.returncode == 0, made.stderr
    assert re.fullmatch(r"[A-Z0-9]{4}(-[A-Z0-9]{4}){3}\n", made.stdout)
    assert server.command("first-administrator").returncode == 0  # lost before it was used: just make another
