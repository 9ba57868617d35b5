"""What accounts offer to the house."""

from __future__ import annotations

from app.accounts import web
from app.part import Part

PART = Part(name="accounts", blueprints=(web.blueprint,))
