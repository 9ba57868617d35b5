"""What the worker does for groups: reminders come by themselves, and go away when they say nothing any more."""

from __future__ import annotations

from app.part import Sweep
from groups.agenda import reminders
from groups.house import retention
from groups.own import checkups, goals

SWEEPS = (
    Sweep("reminders", every=20.0, run=reminders.sweep),
    Sweep("reminders put away", every=60.0, run=reminders.put_away),
    Sweep("retention", every=3600.0, run=retention.sweep),
    Sweep("goals that end", every=3600.0, run=goals.sweep),
    Sweep("check-ups", every=900.0, run=checkups.sweep),
)
