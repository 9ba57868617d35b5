"""People, how they prove who they are, the sessions they are signed in to, and the invitations that let them in.

Nothing here can say who somebody is in life: no name, address, e-mail or phone number has a column. Nothing says
when somebody was here either: days are kept, not times, but for what runs out within hours.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.crypto import Sealed
from app.core.db import Base, Moment


class Organisation(Base):
    __tablename__ = "organisations"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    created_on: Mapped[date]


class Person(Base):
    """Somebody who can sign in. Clients have a random `login`; staff choose one. `name` is shown for staff only.

    `recovery_hash` is all that is stored of the code on a client's recovery sheet. `institution_hash` is a hash of
    who a member of staff is at their institution's own sign-in.
    """

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    role: Mapped[str] = mapped_column(String(20))
    login: Mapped[str] = mapped_column(String(60), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(200))
    recovery_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    institution_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(40), default="")
    language: Mapped[str] = mapped_column(String(5), default="nl")
    timezone: Mapped[str] = mapped_column(String(40), default="Europe/Amsterdam")
    theme: Mapped[str] = mapped_column(String(8), default="system")
    created_on: Mapped[date]
    suspended_at: Mapped[datetime | None] = mapped_column(Moment)


class SignIn(Base):
    """One signed-in browser. `token_hash` is all that is stored of the cookie; revoking the row ends the session.

    `public_id` names it on its owner's own list. `last_on` is the last day it was used. `confirmed_at` is when its
    owner last proved again to be the one who signed in, as weighty actions ask.
    """

    __tablename__ = "sign_ins"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    started_on: Mapped[date]
    last_on: Mapped[date]
    expires_at: Mapped[datetime] = mapped_column(Moment)
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index(None, "person_id"),)


class Authenticator(Base):
    """The authenticator app of a member of staff. `used_step` is the last time step whose code was taken: no code
    counts twice. Until `confirmed_on` it is being set up.
    """

    __tablename__ = "authenticators"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(Sealed)
    used_step: Mapped[int] = mapped_column(default=0)
    confirmed_on: Mapped[date | None]


class BackupCode(Base):
    """One of the codes that stand in for a lost authenticator, once."""

    __tablename__ = "backup_codes"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    used_on: Mapped[date | None]

    __table_args__ = (Index(None, "person_id"),)


class Passkey(Base):
    """A passkey: the public half only. `sign_count` rises where the device counts; a step back means a copy."""

    __tablename__ = "passkeys"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int]
    added_on: Mapped[date]

    __table_args__ = (Index(None, "person_id"),)


class DeviceCode(Base):
    """A code, handed over by a facilitator, with which a client who lost their words comes in again, once."""

    __tablename__ = "device_codes"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    made_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index(None, "person_id"),)


class Attempt(Base):
    """How often a sign-in was tried under one name or from one source; or that something which counts once was used.

    `key` is a hash with a salt of the day.
    """

    __tablename__ = "attempts"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (Index(None, "last_at"),)


class Invitation(Base):
    """A code that lets somebody into one group, or into the organisation with a role. Only its hash is stored.

    `role` is what it makes of whoever uses it; with a group, `client` joins it and `facilitator` helps to lead it.
    `hint` is the end of the code, so that who made it can tell its slips apart.
    """

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(4), default="")
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id"))
    role: Mapped[str] = mapped_column(String(20))
    made_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    made_on: Mapped[date]
    uses: Mapped[int]
    uses_left: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index(None, "organisation_id"), Index(None, "group_id"))


class AliasUse(Base):
    """An alias that is taken somewhere in the organisation, or was within the last year (`free_from`).

    It says nothing about whose it is. No alias is used twice at the same time, so that the same one in two places
    never points at one person, nor seems to.
    """

    __tablename__ = "alias_uses"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    alias: Mapped[str] = mapped_column(String(40), primary_key=True)
    free_from: Mapped[date | None]
