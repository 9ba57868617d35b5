"""A small programme with a step of every kind for at home, in a folder of an organisation's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import update

from app.core.work import Database
from groups.models import Group
from groups.programme import curriculum

SLUG = "klein"
CHAPTER = "soorten"
LAST = "eind"

FRONT = """---
chapter: soorten
version: 1
title: "Alle soorten"
goal: "Van alles één."
minutes: 60
this_week: "Doe één ding."
sources: ["Een bron."]
steps:
  - {id: welkom, kind: round, minutes: 10, session: true, prompt: "Hoe zit je erbij?", lead: "Begin zelf."}
  - {id: lezen, kind: text, minutes: 3, session: true, lead: "Lees het samen."}
  - {id: schrijven, kind: reflection, minutes: 10, prompt: "Wat viel je op?"}
  - id: vakken
    kind: reflection
    minutes: 5
    prompt: "Kijk terug."
    fields: [{id: voor, label: "Ervoor", hint: "Waar was je?"}, {id: na, label: "Erna"}]
  - {id: delen, kind: question, minutes: 4, sharing: shared, prompt: "Wat hielp?"}
  - {id: getal, kind: scale, minutes: 1, prompt: "Hoeveel?", low: "niets", high: "alles"}
  - {id: kruisen, kind: choice, many: true, minutes: 2, prompt: "Wat past?", options: ["Een", "Twee", "Drie"]}
  - {id: kiezen, kind: choice, minutes: 2, prompt: "Welke?", options: ["Ja", "Nee"]}
  - {id: lijst, kind: list-builder, minutes: 6, prompt: "Maak een lijst.", columns: ["Als", "Dan"], most: 4}
  - {id: uren, kind: week, minutes: 5, prompt: "Welke uren?"}
  - {id: adem, kind: timer, timer: breath, minutes: 3, prompt: "Adem mee."}
  - {id: golf, kind: timer, timer: wave, minutes: 5, tool: help}
  - {id: plan, kind: plan-card, minutes: 4, card: risks, from: [lijst], prompt: "Wat neem je mee?", tool: plan}
  - {id: peilen, kind: poll, minutes: 5, session: true, options: ["Zo", "Anders"], prompt: "Hoe nu?"}
---
Dit is het begin.

"""
STEPS = re.findall(r"^  - (?:\{)?id: (\w+)", FRONT, re.M)  # as the file has them
PATH = [step for step in STEPS if step not in ("welkom", "peilen")]

LAST_CHAPTER = """---
chapter: eind
version: 1
title: "Het einde"
goal: "Afronden."
minutes: 60
this_week: "Rust uit."
steps:
  - {id: slot, kind: text, minutes: 2}
---
Tot slot.

## Slot {#slot}
Dat was het.
"""


def text(front: str = FRONT, steps: list[str] | None = None) -> str:
    """The chapter's file; `front` and `steps` for another version of it."""
    return front + "".join(
        f"## Kop van {step} {{#{step}}}\nDit is **{step}**, met wat drang.\n\n" for step in steps or STEPS
    )


def write(folder: Path, chapter: str = "") -> None:
    """Write the programme, and use it from now on."""
    (folder / SLUG / "nl").mkdir(parents=True, exist_ok=True)
    (folder / SLUG / "programme.yaml").write_text(
        f"slug: {SLUG}\nversion: 1\ntitle: {{nl: Klein, en: Small}}\nchapters: [{CHAPTER}, {LAST}]\n"
    )
    (folder / SLUG / "nl" / f"01-{CHAPTER}.md").write_text(chapter or text())
    (folder / SLUG / "nl" / f"02-{LAST}.md").write_text(LAST_CHAPTER)
    (folder / SLUG / "nl" / "glossary.yaml").write_text("drang: een sterke zin in iets\n")
    curriculum.look_in(folder)


@contextmanager
def in_use(folder: Path) -> Iterator[Path]:
    """The small programme can be chosen, until the test ends."""
    write(folder)
    try:
        yield folder
    finally:
        curriculum.look_in(None)


def follow(database: Database, group_id: int) -> None:
    """Let a group follow the small programme."""
    with database.work() as w:
        w.db.execute(update(Group).where(Group.id == group_id).values(programme=SLUG))
