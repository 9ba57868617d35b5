"""What the worker does for groups: reminders come by themselves, and go away when they say nothing any more."""

from __future__ import annotations

from app.part import Sweep
from groups import reminders, retention

SWEEPS = (
    Sweep("reminders", every=20.0, run=reminders.sweep),
    Sweep("reminders put away", every=60.0, run=reminders.put_away),
    Sweep("retention", every=3600.0, run=retention.sweep),
)
