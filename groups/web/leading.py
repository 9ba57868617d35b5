"""Leading groups: opening one, its invitations, and a way back in for a member who lost their words."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.accounts import invitations, qr, slips
from app.core import ids
from app.core.errors import AppError, Invalid
from app.core.i18n import LANGUAGES
from app.core.permissions import Permission, Role
from groups import rooms
from groups.people import joining
from groups.programme import curriculum

blueprint = Blueprint("leading", __name__)

_MAY_MAKE = {Role.CLIENT.value: Role.CLIENT, Role.FACILITATOR.value: Role.FACILITATOR}


@blueprint.get("/groepen")
@web.needs(Permission.GROUP_MEMBER_LIST)
def groups() -> Any:
    """The groups one leads, and a form to open one."""
    return _show_groups()


@blueprint.post("/groepen")
@web.needs(Permission.ORGANISATION_GROUP_OPEN)
def open_group() -> Any:
    """Open a group and lead it."""
    name, language = request.form.get("name", ""), request.form.get("language", "")
    programme = request.form.get("programme", curriculum.DEFAULT)
    if language not in LANGUAGES:
        raise Invalid
    try:
        with web.work() as w:
            group = joining.open_group(w, name, language, programme)
    except AppError as refusal:
        if web.wants_json():
            raise
        return _show_groups(name[: joining.LONGEST_NAME], web.translated(refusal.message)), refusal.status
    return web.done(flask.url_for("leading.show_invitations", group=group))


@blueprint.get("/groepen/<group>/uitnodigingen")
@web.needs(Permission.GROUP_INVITATION_MAKE)
def show_invitations(group: str) -> Any:
    """The codes of a group that can still be used, and a form to make one."""
    with web.read() as w:
        found = rooms.lead_place(w, group)
        open_ones = invitations.slips(w, invitations.of_group(found.group_id))
    return flask.render_template("groups/invitations.html", place=found, slips=open_ones)


@blueprint.post("/groepen/<group>/uitnodiging")
@web.needs(Permission.GROUP_INVITATION_MAKE)
def invite(group: str) -> Any:
    """Make an invitation code, shown once on the next page."""
    role = _MAY_MAKE.get(request.form.get("role", Role.CLIENT.value))
    if role is None:
        raise Invalid
    uses = ids.number(request.form.get("uses", "1"), 1, invitations.MOST)
    days = ids.number(request.form.get("days", str(invitations.DAYS)), 1, invitations.LONGEST)
    with web.work() as w:
        found = rooms.lead_place(w, group)
        code = invitations.invite(w, w.who.organisation_id, role, group_id=found.group_id, uses=uses, days=days)
    purpose = f"invitation {group}"
    slips.hand_over(flask.session, web.house().keys, purpose, f"{code} {role.value} {uses} {days}")
    return web.done(flask.url_for("leading.invitation", group=group))


@blueprint.get("/groepen/<group>/uitnodiging")
@web.needs(Permission.GROUP_INVITATION_MAKE)
def invitation(group: str) -> Any:
    """The code that was just made, on a neutral slip: in letters, and as a QR code for a phone."""
    with web.read() as w:
        found = rooms.lead_place(w, group)
    made = (slips.take_over(flask.session, web.house().keys, f"invitation {group}") or "").split()
    origin = web.house().settings.origins[0]
    if not made:
        return flask.render_template("groups/invitation.html", place=found, code=None)
    code, role, uses, days = made
    return flask.render_template(
        "groups/invitation.html",
        place=found,
        code=code,
        drawing=qr.drawing(f"{origin}/#{code}"),
        role=role,
        uses=int(uses),
        days=int(days),
    )


@blueprint.post("/groepen/<group>/uitnodigingen/<ref>/intrekken")
@web.needs(Permission.GROUP_INVITATION_MAKE)
def revoke(group: str, ref: str) -> Any:
    """Take a code back."""
    with web.work() as w:
        found = rooms.lead_place(w, group)
        invitations.revoke(w, ref, invitations.of_group(found.group_id))
    return web.done(flask.url_for("leading.show_invitations", group=group))


@blueprint.get("/groepen/<group>/deelnemers/<member>/toegang")
@web.needs(Permission.GROUP_ACCESS_RENEW, confirmed=True)
def access(group: str, member: str) -> Any:
    """What a code to come back in with does, before it is made; and the code, once, after."""
    with web.read() as w:
        found = rooms.lead_place(w, group)
        alias = joining.member_of(w, group, member).alias
    code = slips.take_over(flask.session, web.house().keys, f"access {group} {member}")
    return flask.render_template("groups/access.html", place=found, member=member, alias=alias, code=code)


@blueprint.post("/groepen/<group>/deelnemers/<member>/toegang")
@web.needs(Permission.GROUP_ACCESS_RENEW, confirmed=True)
def renew_access(group: str, member: str) -> Any:
    """Make a code with which a member comes in again. The member is told."""
    with web.work() as w:
        code = joining.renew_access(w, group, member)
    slips.hand_over(flask.session, web.house().keys, f"access {group} {member}", code)
    return web.done(flask.url_for("leading.access", group=group, member=member))


def _show_groups(name: str = "", error: str | None = None) -> str:
    with web.read() as w:
        places = [p for p in rooms.places(w) if p.kind == "group" and p.leads]
    programmes = curriculum.titles(web.language())
    return flask.render_template("groups/list.html", places=places, programmes=programmes, name=name, error=error)
