"""Every permission by name, `scope:resource:action`, and the roles as bundles of them.

A permission opens a door; it never says whose data lies behind it. `own` permissions reach what the person
made, `group` permissions reach groups the person has a place in, `organisation` permissions reach the whole
organisation. Use-cases check that reach again, on rows.
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    CLIENT = "client"
    FACILITATOR = "facilitator"
    MODERATOR = "moderator"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    GROUP_HAND_RAISE = "group:hand:raise"
    GROUP_INVITATION_MAKE = "group:invitation:make"
    GROUP_MEMBER_LIST = "group:member:list"
    GROUP_MEMBER_MUTE = "group:member:mute"
    GROUP_MESSAGE_POST = "group:message:post"
    GROUP_MESSAGE_READ = "group:message:read"
    GROUP_PAIR_MAKE = "group:pair:make"
    GROUP_SESSION_ATTEND = "group:session:attend"
    GROUP_SESSION_LEAD = "group:session:lead"
    ORGANISATION_CASE_DECIDE = "organisation:case:decide"
    ORGANISATION_CASE_READ = "organisation:case:read"
    OUTREACH_STEP_ACKNOWLEDGE = "own:outreach:acknowledge"
    OWN_ACCOUNT_CHANGE = "own:account:change"
    OWN_ANSWER_WRITE = "own:answer:write"
    OWN_CHECKIN_WRITE = "own:checkin:write"
    OWN_PAIR_READ = "own:pair:read"
    OWN_REPORT_WRITE = "own:report:write"
    OWN_TODAY_READ = "own:today:read"
    PROGRAMME_CHAPTER_READ = "programme:chapter:read"


_EVERYBODY = frozenset({Permission.OWN_ACCOUNT_CHANGE, Permission.OWN_TODAY_READ, Permission.PROGRAMME_CHAPTER_READ})
_IN_THE_ROOM = frozenset(
    {Permission.GROUP_MESSAGE_POST, Permission.GROUP_MESSAGE_READ, Permission.GROUP_SESSION_ATTEND}
)

BUNDLES: dict[Role, frozenset[Permission]] = {
    Role.CLIENT: _EVERYBODY
    | _IN_THE_ROOM
    | {
        Permission.GROUP_HAND_RAISE,
        Permission.OUTREACH_STEP_ACKNOWLEDGE,
        Permission.OWN_ANSWER_WRITE,
        Permission.OWN_CHECKIN_WRITE,
        Permission.OWN_PAIR_READ,
        Permission.OWN_REPORT_WRITE,
    },
    Role.FACILITATOR: _EVERYBODY
    | _IN_THE_ROOM
    | {
        Permission.GROUP_INVITATION_MAKE,
        Permission.GROUP_MEMBER_LIST,
        Permission.GROUP_MEMBER_MUTE,
        Permission.GROUP_PAIR_MAKE,
        Permission.GROUP_SESSION_LEAD,
        Permission.ORGANISATION_CASE_DECIDE,
        Permission.ORGANISATION_CASE_READ,
        Permission.OUTREACH_STEP_ACKNOWLEDGE,
    },
    Role.MODERATOR: _EVERYBODY
    | {
        Permission.ORGANISATION_CASE_DECIDE,
        Permission.ORGANISATION_CASE_READ,
        Permission.OUTREACH_STEP_ACKNOWLEDGE,
    },
    Role.ADMINISTRATOR: _EVERYBODY | {Permission.OUTREACH_STEP_ACKNOWLEDGE},
}
