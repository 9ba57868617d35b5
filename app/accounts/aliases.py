"""Aliases: offered, never typed, and each used by one person at a time in the whole organisation.

A typed name is often one that somebody uses elsewhere. An alias that comes free waits a year before it is offered
again, so that nobody is taken for who had it before.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.accounts import names
from app.accounts.models import AliasUse
from app.core.errors import Invalid
from app.core.i18n import N_
from app.core.work import Work

RESTS = timedelta(days=365)


def offer(w: Work, organisation_id: int, amount: int = 4, *, besides: Collection[str] = ()) -> tuple[str, ...]:
    """So many aliases that are free in the organisation, none of them in `besides`. One query."""
    held = AliasUse.free_from.is_(None) | (AliasUse.free_from > w.now.date())
    taken = w.db.scalars(select(AliasUse.alias).where(AliasUse.organisation_id == organisation_id, held))
    return names.offer_aliases(frozenset(taken) | frozenset(besides), amount)


def take(w: Work, organisation_id: int, alias: str) -> None:
    """Take a free alias into use. Raises `Invalid` when somebody was faster, or it still rests."""
    again = w.db.execute(
        update(AliasUse)
        .where(AliasUse.organisation_id == organisation_id, AliasUse.alias == alias, AliasUse.free_from <= w.now.date())
        .values(free_from=None)
        .returning(AliasUse.alias)
    ).first()
    if again is not None:
        return
    try:
        with w.db.begin_nested():
            w.db.add(AliasUse(organisation_id=organisation_id, alias=alias, free_from=None))
    except IntegrityError:
        raise Invalid(
            N_("Deze naam is net door iemand anders gekozen. Kies een andere; verder is alles bewaard.")
        ) from None


def give_back(w: Work, organisation_id: int, taken: Collection[str]) -> None:
    """Let these aliases rest for a year; then they may be offered again."""
    w.db.execute(
        update(AliasUse)
        .where(AliasUse.organisation_id == organisation_id, AliasUse.alias.in_(taken), AliasUse.free_from.is_(None))
        .values(free_from=w.now.date() + RESTS)
    )
