"""What moderation offers to the house."""

from __future__ import annotations

from app.part import Part
from moderation import web

PART = Part(name="moderation", blueprints=(web.blueprint,))
