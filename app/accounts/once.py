"""What counts once: a half-finished sign-in or a passkey's challenge travels with the browser, and can be copied.

That it was used is kept as a row among the attempts, which are swept after a day; both run out within minutes.
"""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from app.accounts.models import Attempt
from app.core import ids
from app.core.errors import Unauthenticated
from app.core.i18n import N_
from app.core.work import Work

STALE = N_("Dit stond te lang open, of het is al gebruikt. Er is niets veranderd; begin nog eens.")


def spend(w: Work, secret: str) -> None:
    """Use up something random that was handed out, in the same transaction as what it lets somebody do.

    Writes its hash. Raises `Unauthenticated` the second time, also of two at once.
    """
    try:
        with w.db.begin_nested():
            w.db.add(Attempt(key=ids.digest(f"spent {secret}"), failures=0, last_at=w.now))
    except IntegrityError:
        raise Unauthenticated(STALE) from None
