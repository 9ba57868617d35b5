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
    GROUP_ACCESS_RENEW = "group:access:renew"
    GROUP_DOSSIER_READ = "group:dossier:read"
    GROUP_FLAG_RAISE = "group:flag:raise"
    GROUP_GOAL_START = "group:goal:start"
    GROUP_HAND_RAISE = "group:hand:raise"
    GROUP_INVITATION_MAKE = "group:invitation:make"
    GROUP_MEMBER_LIST = "group:member:list"
    GROUP_MEMBER_MUTE = "group:member:mute"
    GROUP_MEMBER_REMOVE = "group:member:remove"
    GROUP_MESSAGE_POST = "group:message:post"
    GROUP_MESSAGE_READ = "group:message:read"
    GROUP_NOTE_WRITE = "group:note:write"
    GROUP_PAIR_MAKE = "group:pair:make"
    GROUP_PROGRESS_READ = "group:progress:read"
    GROUP_ROOM_RUN = "group:room:run"
    GROUP_SESSION_ATTEND = "group:session:attend"
    GROUP_SESSION_LEAD = "group:session:lead"
    ORGANISATION_CASE_DECIDE = "organisation:case:decide"
    ORGANISATION_CASE_READ = "organisation:case:read"
    ORGANISATION_GLASS_BREAK = "organisation:glass:break"
    ORGANISATION_GROUP_OPEN = "organisation:group:open"
    ORGANISATION_INVITATION_MAKE = "organisation:invitation:make"
    ORGANISATION_STAFF_LIST = "organisation:staff:list"
    ORGANISATION_STAFF_SUSPEND = "organisation:staff:suspend"
    OUTREACH_STEP_ACKNOWLEDGE = "own:outreach:acknowledge"
    OWN_ACCOUNT_CHANGE = "own:account:change"
    OWN_ACCOUNT_ERASE = "own:account:erase"
    OWN_ANSWER_WRITE = "own:answer:write"
    OWN_CALENDAR_READ = "own:calendar:read"
    OWN_CHECKIN_WRITE = "own:checkin:write"
    OWN_DATA_READ = "own:data:read"
    OWN_GOAL_SET = "own:goal:set"
    OWN_GROUP_LEAVE = "own:group:leave"
    OWN_INVITATION_USE = "own:invitation:use"
    OWN_MESSAGE_CHANGE = "own:message:change"
    OWN_INSIGHT_READ = "own:insight:read"
    OWN_PAIR_READ = "own:pair:read"
    OWN_PLAN_WRITE = "own:plan:write"
    OWN_REPORT_WRITE = "own:report:write"
    OWN_TODAY_READ = "own:today:read"
    PROGRAMME_CHAPTER_READ = "programme:chapter:read"


_EVERYBODY = frozenset(
    {
        Permission.OWN_ACCOUNT_CHANGE,
        Permission.OWN_ACCOUNT_ERASE,
        Permission.OWN_DATA_READ,
        Permission.OWN_TODAY_READ,
        Permission.PROGRAMME_CHAPTER_READ,
    }
)
_IN_THE_ROOM = frozenset(
    {
        Permission.GROUP_FLAG_RAISE,
        Permission.GROUP_MESSAGE_POST,
        Permission.GROUP_MESSAGE_READ,
        Permission.GROUP_NOTE_WRITE,
        Permission.GROUP_SESSION_ATTEND,
        Permission.OWN_CALENDAR_READ,
        Permission.OWN_MESSAGE_CHANGE,
    }
)

BUNDLES: dict[Role, frozenset[Permission]] = {
    Role.CLIENT: _EVERYBODY
    | _IN_THE_ROOM
    | {
        Permission.GROUP_HAND_RAISE,
        Permission.OUTREACH_STEP_ACKNOWLEDGE,
        Permission.OWN_ANSWER_WRITE,
        Permission.OWN_CHECKIN_WRITE,
        Permission.OWN_GOAL_SET,
        Permission.OWN_GROUP_LEAVE,
        Permission.OWN_INSIGHT_READ,
        Permission.OWN_INVITATION_USE,
        Permission.OWN_PAIR_READ,
        Permission.OWN_PLAN_WRITE,
        Permission.OWN_REPORT_WRITE,
    },
    Role.FACILITATOR: _EVERYBODY
    | _IN_THE_ROOM
    | {
        Permission.GROUP_ACCESS_RENEW,
        Permission.GROUP_DOSSIER_READ,
        Permission.GROUP_GOAL_START,
        Permission.GROUP_INVITATION_MAKE,
        Permission.GROUP_MEMBER_LIST,
        Permission.GROUP_MEMBER_MUTE,
        Permission.GROUP_MEMBER_REMOVE,
        Permission.GROUP_PAIR_MAKE,
        Permission.GROUP_PROGRESS_READ,
        Permission.GROUP_ROOM_RUN,
        Permission.GROUP_SESSION_LEAD,
        Permission.ORGANISATION_CASE_DECIDE,
        Permission.ORGANISATION_CASE_READ,
        Permission.ORGANISATION_GLASS_BREAK,
        Permission.ORGANISATION_GROUP_OPEN,
        Permission.OUTREACH_STEP_ACKNOWLEDGE,
        Permission.OWN_INVITATION_USE,
    },
    Role.MODERATOR: _EVERYBODY
    | {
        Permission.ORGANISATION_CASE_DECIDE,
        Permission.ORGANISATION_CASE_READ,
        Permission.OUTREACH_STEP_ACKNOWLEDGE,
    },
    Role.ADMINISTRATOR: _EVERYBODY
    | {
        Permission.ORGANISATION_INVITATION_MAKE,
        Permission.ORGANISATION_STAFF_LIST,
        Permission.ORGANISATION_STAFF_SUSPEND,
        Permission.OUTREACH_STEP_ACKNOWLEDGE,
    },
}
