"""What accounts offer to the house."""

from __future__ import annotations

from app.accounts import delays, personal, signins
from app.accounts import recovery as returning
from app.accounts.web import confirming, data, entering, institution, own, passkeys, recovery, second_step, staff
from app.part import Part, Sweep

PART = Part(
    name="accounts",
    blueprints=(
        entering.blueprint,
        institution.blueprint,
        second_step.blueprint,
        confirming.blueprint,
        passkeys.blueprint,
        data.blueprint,
        own.blueprint,
        recovery.blueprint,
        staff.blueprint,
    ),
    sweeps=(
        Sweep("attempts", every=3600.0, run=delays.sweep),
        Sweep("sign-ins", every=3600.0, run=signins.sweep),
        Sweep("device codes", every=3600.0, run=returning.sweep),
    ),
    personal=personal,
)
