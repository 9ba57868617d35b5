"""Coming back without one's words: who may, how often, and what is over afterwards."""

from __future__ import annotations

import re
from pathlib import Path

import flask
import pytest
from sqlalchemy import select

from app.accounts import accounts, passwords, recovery, signins, slips
from app.accounts.models import DeviceCode, Passkey, Person
from app.accounts.slips import Slip
from app.core import ids
from app.core.audit import AuditLine
from app.core.errors import NotFound
from app.core.permissions import Role
from app.core.work import Database
from app.notify import outbox
from groups.people import joining
from tests import builders
from tests.accounts.visitor import Visitor
from tests.conftest import FrozenClock, Heard


def _sheet(database: Database, who: builders.Someone) -> str:
    """The code on somebody's recovery sheet."""
    code = slips.recovery_code()
    with database.work() as w:
        recovery.renew(w, who.person_id, "!", code, spare=who.actor.session)
    return code


def _device(database: Database, circle: builders.Circle, who: builders.Someone) -> str:
    with database.work(circle.hanna.actor) as w:
        return joining.renew_access(w, circle.group, who.ref)


def _come_back(database: Database, code: str, hashed: str = "new") -> int:
    with database.work() as w:
        return recovery.come_back(w, code, hashed, slips.recovery_code())


def test_a_recovery_code_can_be_typed_by_hand_and_never_guessed() -> None:
    code = slips.recovery_code()
    assert re.fullmatch(r"(?:[A-Z2-9]{4}-){5}[A-Z2-9]{4}", code)
    assert 30**24 > 2**100  # thirty signs, none of which is taken for another
    assert not set(code) & set("ILOU01")
    for typed in (code.lower(), code.replace("-", ""), code.replace("-", " "), f" {code}\n", code.replace("-", "–")):
        assert slips.fold_recovery_code(typed) == code


def test_the_code_of_the_sheet_brings_somebody_back_once_with_new_words(database: Database) -> None:
    circle = builders.circle(database, members=1)
    (mees,) = circle.members
    code = _sheet(database, mees)
    with database.read() as r:
        before = r.db.get_one(Person, mees.person_id).login
        assert code not in str(r.db.get_one(Person, mees.person_id).__dict__)
        assert recovery.look_up(r, code).login == before  # looking does not use it
    assert _come_back(database, code.lower().replace("-", " ")) == mees.person_id
    with database.read() as r:
        assert accounts.credentials(r, before) == accounts.Credentials(mees.person_id, "new", Role.CLIENT)
        assert signins.who(r.db, mees.actor.session, r.now) is None
        assert "person.returned" in r.db.scalars(select(AuditLine.action)).all()
    with pytest.raises(NotFound):
        _come_back(database, code)


def test_every_session_from_before_is_over_and_its_screens_are_cut(database: Database, heard: Heard) -> None:
    circle = builders.circle(database, members=1)
    code = _sheet(database, circle.members[0])
    _come_back(database, code)
    assert heard.events(f"session:{circle.members[0].actor.session}") == ["revoked"]


def test_a_facilitators_code_works_once_within_a_day_and_the_member_is_told(
    database: Database, clock: FrozenClock
) -> None:
    circle = builders.circle(database, members=2)
    mees, noor = circle.members
    code = _device(database, circle, mees)
    outbox.deliver(database)
    with database.read(mees.actor) as r:
        assert [line.kind for line in outbox.inbox(r)] == ["access_renewed"]
    with database.read(noor.actor) as r:
        assert outbox.inbox(r) == []
    with database.read() as r:
        assert code not in str(r.db.scalars(select(DeviceCode)).one().__dict__)
        assert "access.renewed" in r.db.scalars(select(AuditLine.action)).all()
    clock.forward(hours=24, seconds=-1)
    assert _come_back(database, code) == mees.person_id
    with pytest.raises(NotFound):
        _come_back(database, code)
    late = _device(database, circle, mees)
    clock.forward(hours=24)
    with pytest.raises(NotFound):
        _come_back(database, late)


def test_a_facilitators_code_is_forgotten_when_its_day_is_over(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database, members=2)
    for member in circle.members:
        code = _device(database, circle, member)
    _come_back(database, code)
    assert recovery.sweep(database) == 0
    clock.forward(hours=24)
    assert recovery.sweep(database) == 2


def test_a_newer_code_or_newer_words_make_what_was_handed_out_void(database: Database) -> None:
    circle = builders.circle(database, members=1)
    (mees,) = circle.members
    first = _device(database, circle, mees)
    second = _device(database, circle, mees)
    with pytest.raises(NotFound):
        _come_back(database, first)
    sheet = _sheet(database, mees)  # new words: nobody comes in any more with what was made before
    with pytest.raises(NotFound):
        _come_back(database, second)
    _device(database, circle, mees)
    assert _come_back(database, sheet) == mees.person_id
    with database.read() as r:
        assert r.db.scalars(select(DeviceCode).where(DeviceCode.used_at.is_(None))).all() == []


def test_only_who_leads_the_group_makes_a_code_and_only_for_its_members(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    ilse = circle.second_lead()
    for actor, group, ref in (
        (other.hanna.actor, circle.group, circle.members[0].ref),  # leads another group
        (circle.hanna.actor, circle.group, other.members[0].ref),  # a member of another group
        (circle.hanna.actor, circle.group, ilse.ref),  # staff come back by other ways
        (circle.hanna.actor, circle.group, "nobody"),
    ):
        with pytest.raises(NotFound), database.work(actor) as w:
            joining.renew_access(w, group, ref)
    with pytest.raises(NotFound), database.work(circle.hanna.actor) as w:
        recovery.make_device_code(w, ilse.person_id)
    with database.read() as r:
        assert r.db.scalars(select(DeviceCode)).all() == []


def test_a_facilitators_code_never_shows_the_code_name_somebody_had(site: flask.Flask) -> None:
    """Who leads two groups could see otherwise that a member of one is a member of the other."""
    database = site.extensions["samen"].database
    circle = builders.circle(database, members=1)
    (mees,) = circle.members
    with database.read() as r:
        before = r.db.get_one(Person, mees.person_id).login
    code = _device(database, circle, mees)
    visitor = Visitor(site)
    visitor.post("/terug/herstel", {"code": code})
    page = visitor.get("/terug/herstel/briefje").get_data(as_text=True)
    assert before not in page
    new = shown(page)
    visitor.post("/terug/herstel/briefje", {"third": new.words[2]})
    assert is_in(visitor)
    assert Visitor(site).sign_in(new.login, new.passphrase).status_code == 303
    with database.read() as r:
        assert r.db.get_one(Person, mees.person_id).login == new.login
        assert accounts.credentials(r, before) is None


def test_a_passkey_from_before_lets_nobody_in_after_a_return(database: Database) -> None:
    circle = builders.circle(database, members=2)
    mees, noor = circle.members
    with database.work() as w:
        for number, who in enumerate((mees, noor)):
            name = bytes([number])
            row = {"person_id": who.person_id, "credential_id": name, "public_key": name}
            w.db.add(Passkey(public_id=ids.public_id(), sign_count=0, added_on=w.now.date(), **row))
    _come_back(database, _device(database, circle, mees))
    with database.read() as r:
        assert r.db.scalars(select(Passkey.person_id)).all() == [noor.person_id]


@pytest.mark.parametrize("kind", ["sheet", "device"])
def test_two_people_with_one_code_at_the_same_instant_only_one_comes_in(
    database: Database, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = builders.circle(database, members=1)
    (mees,) = circle.members
    code = _sheet(database, mees) if kind == "sheet" else _device(database, circle, mees)
    gap = builders.Gap()
    monkeypatch.setattr(recovery, "_look_up", gap.after(recovery._look_up))
    answers = builders.at_once(lambda: _come_back(database, code, "one"), lambda: _come_back(database, code, "two"))
    assert sorted(type(a).__name__ for a in answers) == ["NotFound", "int"]
    with database.read() as r:
        won = "one" if isinstance(answers[0], int) else "two"
        assert r.db.get_one(Person, mees.person_id).secret_hash == won


def test_two_facilitators_at_the_same_instant_leave_one_code_that_works(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = builders.circle(database, members=1)
    monkeypatch.setattr(recovery, "_withdraw", builders.Gap().after(recovery._withdraw))
    ilse = circle.second_lead()

    def make(who: builders.Someone) -> str:
        with database.work(who.actor) as w:
            return joining.renew_access(w, circle.group, circle.members[0].ref)

    codes = builders.at_once(lambda: make(circle.hanna), lambda: make(ilse))
    assert builders.refusals(codes) == []
    with database.read() as r:
        assert len(r.db.scalars(select(DeviceCode).where(DeviceCode.used_at.is_(None))).all()) == 1


def test_every_code_that_does_not_work_is_refused_alike(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database, members=3)
    used, suspended, late = circle.members
    codes = [_sheet(database, used), _sheet(database, suspended), _device(database, circle, late)]
    _come_back(database, codes[0])
    with database.work() as w:
        accounts.suspend(w, suspended.person_id)
    clock.forward(days=2)
    told = set()
    for code in (*codes, slips.recovery_code(), "", "\x00", "é" * 90, "x" * 100_000):
        with pytest.raises(NotFound) as refusal:
            _come_back(database, code)
        told.add((refusal.value.message, refusal.value.status))
        with pytest.raises(NotFound) as refusal, database.read() as r:
            recovery.look_up(r, code)
        told.add((refusal.value.message, refusal.value.status))
    assert len(told) == 1


def somebody(visitor: Visitor) -> Slip:
    """A client of this house, with a slip of their own."""
    slip = slips.draw("nl")
    secret_hash = passwords.hash_secret(slip.passphrase)
    database = visitor.house.database
    organisation = builders.organisation(database)
    with database.work() as w:
        accounts.create_person(
            w, organisation, Role.CLIENT, slip.login, secret_hash, recovery_hash=w.digest(slip.recovery)
        )
    return slip


def is_in(visitor: Visitor) -> bool:
    """Are they signed in at this moment?"""
    return visitor.inside


def shown(page: str) -> Slip:
    """The slip on a page."""
    words = re.search(r'<ol class="words">(.*?)</ol>', page, re.S)
    login = re.search(r'codename">([^<]+)<', page)
    code = re.search(r'recovery-code num">([^<]+)<', page)
    assert words
    assert login
    assert code
    return Slip(login[1], " ".join(re.findall(r"<li>([^<]+)</li>", words[1])), code[1])


def test_the_way_back_without_scripts(site: flask.Flask) -> None:
    visitor = Visitor(site)
    old = somebody(visitor)
    other = Visitor(site)
    other.sign_in(old.login, old.passphrase)
    assert is_in(other)
    assert visitor.post("/terug/herstel", {"code": old.recovery}).headers["Location"] == "/terug/herstel/briefje"
    page = visitor.get("/terug/herstel/briefje").get_data(as_text=True)
    new = shown(page)
    assert new.login == old.login
    assert set(new.words) != set(old.words)
    refused = visitor.post("/terug/herstel/briefje", {"third": "vergeten"})
    assert refused.status_code == 422
    assert shown(refused.get_data(as_text=True)) == new  # the same words, to look once more
    assert is_in(other)  # nothing changed yet
    stale = visitor.keep_visit()
    assert visitor.post("/terug/herstel/briefje", {"third": new.words[2].upper()}).headers["Location"] == "/vandaag"
    assert is_in(visitor)
    assert not is_in(other)
    assert Visitor(site).sign_in(old.login, old.passphrase).status_code == 401
    assert Visitor(site).sign_in(new.login, new.passphrase).status_code == 303
    thief = Visitor(site)
    thief.put_visit(stale)
    assert thief.get("/terug/herstel/briefje").status_code == 404  # shown no more


def test_a_second_tap_on_the_last_button_comes_in_too(site: flask.Flask) -> None:
    visitor = Visitor(site)
    old = somebody(visitor)
    visitor.post("/terug/herstel", {"code": old.recovery})
    new = shown(visitor.get("/terug/herstel/briefje").get_data(as_text=True))
    before = visitor.keep_visit()
    visitor.post("/terug/herstel/briefje", {"third": new.words[2]})
    visitor.put_visit(before)
    assert visitor.post("/terug/herstel/briefje", {"third": new.words[2]}).headers["Location"] == "/vandaag"
    assert is_in(visitor)


def test_guessing_codes_is_slow_and_says_how_long_to_wait(site: flask.Flask) -> None:
    visitor = Visitor(site)
    answers = [visitor.post("/terug/herstel", {"code": slips.recovery_code()}) for _ in range(8)]
    assert [a.status_code for a in answers] == [404] * 5 + [429] * 3
    told = {re.sub(r"csrf[^>]+>", "", a.get_data(as_text=True)) for a in answers[:5]}
    assert len({re.search(r'class="problem".*?</p>', page, re.S)[0] for page in told}) == 1  # type: ignore[index]


def test_a_forged_or_somebody_elses_half_finished_return_opens_nothing(site: flask.Flask) -> None:
    visitor = Visitor(site)
    keys = visitor.house.keys
    for half in ("forged", keys.seal("half-finished join", b"{}"), keys.seal("something else", b"{}")):
        with visitor.client.session_transaction(base_url=visitor.base) as session:
            session["half"] = half
        for path in ("/terug/herstel/briefje", "/kiezen" if half == "forged" else "/aanmelden"):
            answer = visitor.get(path)
            assert answer.status_code == 404
            assert "Begin opnieuw met je code" in answer.get_data(as_text=True)


def test_the_printed_card_says_nothing_about_the_house() -> None:
    root = Path(__file__).resolve().parents[2]
    page = (root / "templates/components/slip.html").read_text(encoding="utf-8")
    print_rules = (root / "static/css/adapt.css").read_text(encoding="utf-8").split("@page", 1)[1]
    assert "ui.brand" not in page
    assert "margin: 0" in print_rules  # so the browser adds neither title nor address
    for hidden in (".slip__foot", ".slip__aside"):
        assert hidden in print_rules
