"""What the worker does for matching: no ask for contact may lie still."""

from __future__ import annotations

from app.part import Sweep
from matching import outreach

SWEEPS = (Sweep("outreach", every=2.0, run=outreach.sweep),)
