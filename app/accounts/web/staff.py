"""Staff: joining by a code for a role, and administering who is in (`/beheer`)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.accounts import invitations, passwords, qr, slips, staff
from app.accounts.web import second_step
from app.core import ids
from app.core.errors import Invalid, NotFound
from app.core.permissions import Permission

blueprint = Blueprint("staff", __name__)

_INVITATION = "role invitation"


@blueprint.get("/aanmelden")
@web.public
def newcomer() -> Any:
    """A user name, a shown name and a password, for whoever holds a code for a role."""
    half = slips.kept(flask.session, web.house().keys, slips.STAFF)
    with web.read() as r:
        role = staff.look_up(r, half["code"]).role
    return flask.render_template("accounts/staff_join.html", role=role, login="", name="", error=None)


@blueprint.post("/aanmelden")
@web.public
def join() -> Any:
    """Create the account and use up the code, both or neither; then on to the second step of signing in."""
    house = web.house()
    half = slips.kept(flask.session, house.keys, slips.STAFF)
    house.limiter.per_minute(20, "join", web.source())
    login, name = request.form.get("login", "")[:80], request.form.get("name", "")[:80]
    try:
        chosen = staff.choose(login, name, request.form.get("secret", ""))
        secret_hash = passwords.hash_secret(chosen.password)
        with house.database.work() as w:
            person_id, role = staff.join(w, half["code"], chosen, secret_hash, web.language())
    except Invalid as refusal:
        if web.wants_json():
            raise
        with web.read() as r:
            role = staff.look_up(r, half["code"]).role
        said = web.translated(refusal.message)
        page = flask.render_template("accounts/staff_join.html", role=role, login=login, name=name, error=said)
        return page, refusal.status
    flask.session.clear()
    return second_step.proceed(person_id, role)


@blueprint.get("/beheer")
@web.needs(Permission.ORGANISATION_STAFF_LIST)
def show_all() -> Any:
    """Everybody on the staff, and the codes for roles that can still be used."""
    with web.read() as r:
        people = [(_ref(c.person_id), c) for c in staff.colleagues(r)]
        open_ones = invitations.slips(r, invitations.of_organisation(r.who.organisation_id))
    return flask.render_template("accounts/staff.html", people=people, slips=open_ones, roles=staff.ROLES)


@blueprint.post("/beheer/uitnodiging")
@web.needs(Permission.ORGANISATION_INVITATION_MAKE, confirmed=True)
def invite() -> Any:
    """Make a code for a role, shown once on the next page."""
    role = next((r for r in staff.ROLES if r.value == request.form.get("role")), None)
    if role is None:
        raise Invalid
    days = ids.number(request.form.get("days", str(invitations.DAYS)), 1, invitations.LONGEST)
    with web.work() as w:
        code = invitations.invite(w, w.who.organisation_id, role, days=days)
    slips.hand_over(flask.session, web.house().keys, _INVITATION, f"{code} {role.value} {days}")
    return web.done(flask.url_for("staff.invitation"))


@blueprint.get("/beheer/uitnodiging")
@web.needs(Permission.ORGANISATION_INVITATION_MAKE)
def invitation() -> Any:
    """The code that was just made, on a neutral slip."""
    made = (slips.take_over(flask.session, web.house().keys, _INVITATION) or "").split()
    if not made:
        return flask.render_template("accounts/staff_invitation.html", code=None)
    code, role, days = made
    drawing = qr.drawing(f"{web.house().settings.origins[0]}/#{code}")
    return flask.render_template(
        "accounts/staff_invitation.html", code=code, drawing=drawing, role=role, uses=1, days=int(days)
    )


@blueprint.post("/beheer/uitnodigingen/<ref>/intrekken")
@web.needs(Permission.ORGANISATION_INVITATION_MAKE)
def revoke(ref: str) -> Any:
    """Take a code for a role back."""
    with web.work() as w:
        invitations.revoke(w, ref, invitations.of_organisation(w.who.organisation_id))
    return web.done(flask.url_for("staff.show_all"))


@blueprint.get("/beheer/collega/<ref>")
@web.needs(Permission.ORGANISATION_STAFF_SUSPEND, confirmed=True)
def colleague(ref: str) -> Any:
    """One colleague, and what letting them in no more does."""
    return flask.render_template("accounts/staff_colleague.html", person=_find(ref), ref=ref)


@blueprint.post("/beheer/collega/<ref>/blokkeren")
@web.needs(Permission.ORGANISATION_STAFF_SUSPEND, confirmed=True)
def suspend(ref: str) -> Any:
    """Let a colleague in no more."""
    person = _find(ref)
    with web.work() as w:
        staff.suspend(w, person.person_id)
    return web.done(flask.url_for("staff.show_all"))


@blueprint.post("/beheer/collega/<ref>/toelaten")
@web.needs(Permission.ORGANISATION_STAFF_SUSPEND, confirmed=True)
def reinstate(ref: str) -> Any:
    """Let a colleague in again."""
    person = _find(ref)
    with web.work() as w:
        staff.reinstate(w, person.person_id)
    return web.done(flask.url_for("staff.show_all"))


@blueprint.post("/beheer/collega/<ref>/tweede-stap")
@web.needs(Permission.ORGANISATION_STAFF_SUSPEND, confirmed=True)
def start_over(ref: str) -> Any:
    """Let a colleague who lost their phone set up a second step anew."""
    person = _find(ref)
    with web.work() as w:
        staff.start_over(w, person.person_id)
    return web.done(flask.url_for("staff.show_all"))


def _find(ref: str) -> staff.Colleague:
    with web.read() as r:
        for person in staff.colleagues(r):
            if hmac.compare_digest(_ref(person.person_id), ref.encode("ascii", "replace").decode()):
                return person
    raise NotFound


def _ref(person_id: int) -> str:
    """What the pages call somebody on the list. It says nothing, and is good for nothing elsewhere."""
    return hmac.new(web.house().keys.derive("staff list"), str(person_id).encode(), hashlib.sha256).hexdigest()[:12]
