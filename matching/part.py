"""What matching offers to the house."""

from __future__ import annotations

from app.accounts import recovery
from app.part import Part
from groups.people import leaving
from matching import departures, personal, sweeps
from matching.web import buddies, checkins, help, insight, offline, outreach, reports, today

PART = Part(
    name="matching",
    blueprints=(
        today.blueprint,
        buddies.blueprint,
        checkins.blueprint,
        reports.blueprint,
        outreach.blueprint,
        help.blueprint,
        offline.blueprint,
        insight.blueprint,
    ),
    sweeps=sweeps.SWEEPS,
    personal=personal,
)

leaving.on_leave("matching", departures.follow)
recovery.on_device_code(departures.tell_buddies)
