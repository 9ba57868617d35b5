"""People, the sessions in which they are signed in, and the invitations that let them in.

Nothing here can say who somebody is in life: no name, address, e-mail or phone number has a column.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Moment


class Organisation(Base):
    __tablename__ = "organisations"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    created_on: Mapped[date]


class Person(Base):
    """Somebody who can sign in. Clients have a random `login`; staff choose one. `name` is shown for staff only."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    role: Mapped[str] = mapped_column(String(20))
    login: Mapped[str] = mapped_column(String(60), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(40), default="")
    language: Mapped[str] = mapped_column(String(5), default="nl")
    timezone: Mapped[str] = mapped_column(String(40), default="Europe/Amsterdam")
    theme: Mapped[str] = mapped_column(String(8), default="system")
    created_on: Mapped[date]
    suspended_at: Mapped[datetime | None] = mapped_column(Moment)


class SignIn(Base):
    """One signed-in browser. `token_hash` is all that is stored of the cookie; revoking the row ends the session."""

    __tablename__ = "sign_ins"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    expires_at: Mapped[datetime] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index(None, "person_id"),)


class Invitation(Base):
    """A code that lets somebody into one group with one role. Only its hash is stored."""

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    made_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    uses_left: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
