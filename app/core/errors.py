"""Everything the product refuses, in one shape for pages and for live events.

A refusal carries a code for machines and a sentence for people. The sentence says what happened, that nothing
was lost, and what to do; it never says whether a person or a room exists. Sentences are written in Dutch, the
product's first language, and translated where they are shown.
"""

from __future__ import annotations

from typing import Any

from app.core.i18n import N_


class AppError(Exception):
    """A refusal on purpose. `retry_after` is in whole seconds where waiting helps."""

    code = "invalid"
    status = 400
    default = N_("Dat lukte niet. Er is niets veranderd.")

    def __init__(self, message: str | None = None, *, retry_after: int | None = None, **params: Any) -> None:
        super().__init__(message or self.default)
        self.message = message or self.default
        self.params = params
        self.retry_after = retry_after


class Unauthenticated(AppError):
    code, status = "unauthenticated", 401
    default = N_("Je bent niet meer ingelogd. Log opnieuw in; wat je typte staat er nog.")


class Forbidden(AppError):
    code, status = "forbidden", 403
    default = N_("Dit kun je hier niet doen. Er is niets veranderd.")


class Unconfirmed(Forbidden):
    """The session stands, but what is asked weighs more than that: the person must first prove again who they are."""

    default = N_("Bevestig eerst dat jij het bent. Er is nog niets veranderd.")


class NotFound(AppError):
    code, status = "not_found", 404
    default = N_("Deze bladzijde bestaat niet, of je kunt hem niet openen.")


class Invalid(AppError):
    code, status = "invalid", 422
    default = N_("Er klopt iets niet in wat je invulde. Er is nog niets verstuurd.")


class TooLarge(AppError):
    code, status = "too_large", 413
    default = N_("Dit is te lang. Er is nog niets verstuurd; maak het wat korter.")


class RateLimited(AppError):
    code, status = "rate_limited", 429
    default = N_("Dat ging even te snel. Er is niets kwijt; probeer het zo nog eens.")


class Muted(AppError):
    code, status = "muted", 403
    default = N_("Je kunt nu even niet schrijven in deze ruimte. Meelezen kan wel.")


class Closed(AppError):
    code, status = "closed", 409
    default = N_("Dit is al afgerond. Er is niets veranderd; ververs de bladzijde.")


class Unavailable(AppError):
    code, status = "unavailable", 503
    default = N_("Het lukt nu even niet. Er is niets kwijt; probeer het zo nog eens.")
