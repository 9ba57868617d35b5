"""Duo: the pair's week and room for clients; pairing for facilitators."""

from __future__ import annotations

import uuid
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.permissions import Permission
from app.core.work import Work
from app.notify import outbox
from groups import readers, rooms
from groups.programme import shared
from groups.talk import pages
from matching import buddies, checkins

blueprint = Blueprint("buddies", __name__)


@blueprint.get("/duo")
@web.needs(Permission.OWN_PAIR_READ)
def duo() -> Any:
    """Both people's week and the conversation between them."""
    with web.read() as w:
        own = _here(w)
        if not own:
            return flask.render_template("duo/none.html")
        found = rooms.place(w, own[0].room)
        weeks = [("", checkins.week(w, found.membership_id, own=True))]
        weeks += [(b.alias, checkins.week(w, b.membership_id, own=False)) for b in own if b.room == found.room]
        page: dict[str, Any] = pages.talk(w, found) | {"readers": readers.of_room(w, found)}
        page["from_buddy"] = shared.in_room(w, found, 1)
        told = any(line.kind == "checkin" and line.ref == found.room for line in outbox.inbox(w))
    if told:
        with web.work() as w:
            outbox.mark_read(w, "checkin", found.room)
    key = str(uuid.uuid4())
    return flask.render_template("duo/pair.html", place=found, buddies=own, weeks=weeks, key=key, **page)


def _here(w: Work) -> list[buddies.Buddy]:
    """One's buddies in the group one is in now."""
    own = buddies.mine(w)
    if len({buddy.own_membership_id for buddy in own}) < 2:
        return own
    place = rooms.home(w, web.group_here())
    return [buddy for buddy in own if buddy.own_membership_id == place.membership_id]


@blueprint.get("/groepen/<group>")
@web.needs(Permission.GROUP_MEMBER_LIST)
def group(group: str) -> Any:
    """A group for its facilitators: members, pairs, and a form to make a pair."""
    with web.read() as w:
        found = rooms.lead_place(w, group)
        members = rooms.members(w, found)
        paired = buddies.paired(w, found.group_id)
        pairs = buddies.pairs(w, found)
    return flask.render_template("groups/group.html", place=found, members=members, paired=paired, pairs=pairs)


@blueprint.post("/groepen/<group>/duo")
@web.needs(Permission.GROUP_PAIR_MAKE)
def pair(group: str) -> Any:
    """Make a pair."""
    with web.work() as w:
        buddies.pair(w, group, request.form.getlist("member"))
    return web.done(flask.url_for("buddies.group", group=group))
