"""What matching offers to the house."""

from __future__ import annotations

from app.part import Part
from matching import sweeps
from matching.web import buddies, checkins, help, outreach, reports, today

PART = Part(
    name="matching",
    blueprints=(
        today.blueprint,
        buddies.blueprint,
        checkins.blueprint,
        reports.blueprint,
        outreach.blueprint,
        help.blueprint,
    ),
    sweeps=sweeps.SWEEPS,
)
