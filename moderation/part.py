"""What moderation offers to the house."""

from __future__ import annotations

from app.part import Part
from moderation import personal, web

PART = Part(name="moderation", blueprints=(web.blueprint,), personal=personal)
