"""What templates may use: dates in the reader's zone, alias marks, asset addresses, the crisis numbers."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import flask
import flask_babel
from flask_babel import format_date, format_datetime, format_time

from app import crisis, web
from app.core.assets import folder
from app.core.i18n import LANGUAGES

LOCALE = str(Path(__file__).parent / "locale")

SHAPES = ("leaf", "pebble", "drop", "sun", "moon", "hill", "wave", "arch", "seed", "star")
TINTS = 8


def gettext(message: str, **params: Any) -> str:
    """A sentence in the reader's language."""
    text: str = flask_babel.gettext(message, **params)
    return text


def furnish(site: flask.Flask) -> None:
    """Give an app's templates what they may use, and nothing else."""
    site.jinja_env.trim_blocks = site.jinja_env.lstrip_blocks = True
    site.jinja_env.globals.update(
        asset=asset,
        crisis=crisis.routes,
        crisis_shown=crisis.shown,
        actor=web.maybe_actor,
        own_mark=own_mark,
        reader_language=web.language,
        languages=LANGUAGES,
        settings=lambda: web.house().settings,
        gettext=gettext,
        _=gettext,
        now=lambda: web.house().database.clock(),
        kind_name=kind_name,
        mark_of=mark,
        may=lambda permission: web.actor().may(permission),
        role_name=role_name,
        step_kind=step_kind,
        refusal_text=refusal_text,
        greeting=greeting,
    )
    site.jinja_env.filters.update(
        clock=clock,
        day=day,
        moment=moment,
        iso=iso,
        minutes_left=minutes_left,
        wire_clock=wire_clock,
        weekday=weekday,
        plain_day=plain_day,
        full_day=full_day,
        kind_name=kind_name,
        role_name=role_name,
    )


def asset(path: str) -> str:
    """The address of a static file, with a fingerprint, so that it may be kept for ever."""
    file = folder("static") / path
    version = _fingerprint(file, file.stat().st_mtime_ns) if file.is_file() else "missing"
    return flask.url_for("static", filename=path, v=version)


@lru_cache(maxsize=256)
def _fingerprint(file: Path, _changed: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:10]


@lru_cache(maxsize=4096)
def mark(alias: str) -> dict[str, Any]:
    """The calm mark beside an alias: a shape and a tint, made from the alias and from nothing else."""
    number = 2166136261  # FNV-1a, which the browser computes just as well (static/js/mark.js)
    for byte in alias.encode():
        number = (number ^ byte) * 16777619 & 0xFFFFFFFF
    return {"shape": SHAPES[number % len(SHAPES)], "tint": number // len(SHAPES) % TINTS + 1}


def own_mark() -> str:
    """What tells a browser that another account came in than the one it keeps something of. Empty for a visitor."""
    who = web.maybe_actor()
    key = web.house().keys.derive("whose browser store")
    return hmac.new(key, str(who.person_id).encode(), hashlib.sha256).hexdigest()[:16] if who else ""


def _zone() -> ZoneInfo:
    who = web.maybe_actor()
    return ZoneInfo(who.timezone if who else "Europe/Amsterdam")


def clock(at: datetime) -> str:
    """A time of day as the reader writes it: 19.30 in Dutch, 19:30 in English."""
    text: str = format_time(at.astimezone(_zone()), "HH:mm", rebase=False)
    return text.replace(":", ".") if web.language() == "nl" else text


def day(at: datetime) -> str:
    """A day as a reader says it: `dinsdag 17 november`."""
    text: str = format_date(at.astimezone(_zone()), "EEEE d MMMM", rebase=False)
    return text


def moment(at: datetime) -> str:
    """Day and time, short: `di 17 nov 19.30`."""
    text: str = format_datetime(at.astimezone(_zone()), "EEE d MMM", rebase=False)
    return f"{text} {clock(at)}"


def weekday(on: date) -> str:
    """The name of a day of the week."""
    text: str = format_date(on, "EEEE")
    return text


def plain_day(on: date) -> str:
    """A day that has no time: `17 november`."""
    text: str = format_date(on, "d MMMM", rebase=False)
    return text


def full_day(on: date) -> str:
    """A day of whatever year: `17 november 2026`."""
    text: str = format_date(on, "d MMMM y", rebase=False)
    return text


def greeting() -> str:
    """Good morning, or whatever fits the reader's hour."""
    hour = web.house().database.clock().astimezone(_zone()).hour
    if hour < 6:
        return gettext("Hallo")
    if hour < 12:
        return gettext("Goedemorgen")
    return gettext("Goedemiddag") if hour < 18 else gettext("Goedenavond")


def wire_clock(at: str) -> str:
    """The time of day of a moment as the protocol writes it."""
    return clock(datetime.fromisoformat(at))


def iso(at: datetime) -> str:
    """For the `datetime` attribute."""
    return at.strftime("%Y-%m-%dT%H:%MZ")


def minutes_left(at: datetime) -> int:
    """Whole minutes until `at`; negative when it is past."""
    return int((at - web.house().database.clock()).total_seconds() // 60)


def kind_name(kind: str) -> str:
    """What a reason for looking is called on a card: the kind before the text."""
    names = {
        "contact": gettext("Contactgegevens"),
        "identity": gettext("Herkenbaar"),
        "link": gettext("Link"),
        "crisis_self": gettext("Mogelijk in nood"),
        "crisis_other": gettext("Mogelijk gevaar voor een ander"),
        "child_safety": gettext("Zorg om een kind"),
        "harassment": gettext("Scherpe toon"),
        "explicit": gettext("Te veel detail"),
        "solicitation": gettext("Vraagt of biedt iets aan"),
        "flood": gettext("Veel berichten"),
        "flagged": gettext("Gemeld door deelnemers"),
    }
    return names.get(kind, kind)


def role_name(role: str) -> str:
    """A role in the reader's language."""
    names = {
        "client": gettext("deelnemer"),
        "facilitator": gettext("begeleider"),
        "moderator": gettext("moderator"),
        "administrator": gettext("beheerder"),
    }
    return names.get(role, role)


def step_kind(kind: str) -> str:
    """What kind of step it is, or of timer, in a word."""
    names = {
        "text": gettext("uitleg"),
        "choice": gettext("zelf kijken"),
        "reflection": gettext("oefening"),
        "question": gettext("vraag"),
        "poll": gettext("peiling"),
        "scale": gettext("schaal"),
        "round": gettext("ronde"),
        "timer": gettext("pauze"),
        "pause": gettext("pauze"),
        "breath": gettext("ademen"),
        "wave": gettext("een golf"),
        "list-builder": gettext("lijst"),
        "week": gettext("je week"),
        "plan-card": gettext("voor je plan"),
    }
    return names.get(kind, kind)


def refusal_text(reason: str) -> str:
    """Why a message was not placed, said to its author."""
    texts = {
        "contact": gettext("Er stonden gegevens in waarmee iemand je kan bereiken."),
        "identity": gettext("Er stond iets in waaraan je te herkennen bent."),
        "tone": gettext("Voor een ander in de groep kan het hard aankomen."),
        "explicit": gettext("Er stonden details in die een ander uit balans kunnen brengen."),
        "link": gettext("Er stond een verwijzing in; die plaatsen we hier niet."),
        "safety": gettext("Voor de groep was het nu niet veilig. Voor jou is er wel iemand."),
    }
    return texts.get(reason, gettext("Een begeleider vond het hier niet passen."))
