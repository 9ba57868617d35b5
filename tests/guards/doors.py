"""Knocking on every door of the app: how each route and live event is asked about the things of the world, and what
the answer means.

A door is named by its endpoint and method, or by its event. Where it has to be tried on more than one thing, the line
goes on with which: `room.show GET, the pair's`.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import flask
import pyotp
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, TestResponse

from app.core.clock import system
from app.core.permissions import Role
from app.core.ratelimit import Tempo
from app.live.fanout import Fanout
from app.live.gate import Gate
from app.live.gateway import Gateway
from app.main import PARTS
from app.part import LiveEvent, refused
from groups import rooms
from groups.led import breakouts, presence, rounds, sessions
from groups.rules import FACILITATOR
from tests import builders
from tests.world import BASE, PASSWORD, THIRD_WORD, Inhabitant, World, login_of

# What is copied from the page that a form stands on: a word of the slip, the secret that an app makes codes with.
APP_SECRET = re.compile(r"otpauth://[^\"]*secret=(\w+)")

IN, STEP_UP, REFUSED, UNKNOWN = "y", "c", ".", "-"

# What a parameter of an address is filled with: the thing of its own name, a word, or by endpoint another thing.
WORDS = {"question": "mood", "chapter": "understanding", "step": "self-check", "kind": "paired", "rung": "wie"}
WORDS |= {"seq": "1"}
WORDS |= {"home step": "a-moment"}
WORDS |= {"card chapter": "plan", "card step": "rules-card"}
OF_ENDPOINT = {
    "afterwards.correct": {"session": "closed session"},
    "afterwards.follow_up": {"ref": "missed"},
    "leaving.ask_remove_colleague": {"member": "co-lead"},
    "leaving.remove_colleague": {"member": "co-lead"},
    "attending.step": {"line": "current line"},
    "attending.step_out": {"room": "breakout room"},
    "checkups.answer": {"ref": "check-up"},
    "goals.change": {"ref": "goal"},
    "goals.change_page": {"ref": "goal"},
    "goals.pause": {"ref": "goal"},
    "goals.resume": {"ref": "goal"},
    "goals.start": {"ref": "goal"},
    "goals.stop": {"ref": "goal"},
    "leading.revoke": {"ref": "invitation"},
    "help.finish": {"ref": "ride"},
    "plan.ask": {"ref": "card"},
    "plan.change": {"ref": "card"},
    "plan.collect": {"chapter": "card chapter", "step": "card step"},
    "plan.move": {"ref": "card"},
    "plan.remove": {"ref": "card"},
    "planning.absent": {"session": "planned session"},
    "planning.cancel": {"session": "planned session"},
    "planning.let_in": {"ref": "waiting"},
    "planning.move": {"session": "planned session"},
    "planning.one": {"session": "planned session"},
    "planning.skip": {"session": "planned session"},
    "planning.step_back": {"ref": "own wait"},
    "outreach.acknowledge": {"ref": "ask"},
    "outreach.hand_on": {"ref": "ask"},
    "own.end_session": {"ref": "browser"},
    "passkeys.remove": {"ref": "passkey"},
    "programme.ask_remove": {"ref": "home answer"},
    "programme.remove": {"ref": "home answer"},
    "reports.analyse": {"ref": "report"},
    "reports.safe": {"ref": "draft"},
    "reports.send": {"ref": "draft"},
    "reports.show": {"ref": "report"},
    "reports.step": {"ref": "draft", "step": "rung"},
    "reports.stop": {"ref": "report"},
    "running.remove_topic": {"ref": "topic"},
    "sessions.open_session": {"session": "planned session"},
    "sharing.ask": {"step": "home step"},
    "sharing.ask_flag": {"ref": "Noor's share"},
    "sharing.flag": {"ref": "Noor's share"},
    "sharing.share": {"step": "home step"},
    "sharing.take_back": {"ref": "share"},
    "staff.colleague": {"ref": "colleague"},
    "staff.reinstate": {"ref": "colleague"},
    "staff.revoke": {"ref": "role invitation"},
    "staff.start_over": {"ref": "colleague"},
    "staff.suspend": {"ref": "colleague"},
    "today.seen": {"ref": "pair"},
    "view.ask_flag": {"seq": "number of Noor's"},
    "view.flag": {"seq": "number of Noor's"},
    "view.flagged": {"seq": "number of Noor's"},
}
VARIANTS: dict[str, dict[str, str]] = {
    "the pair's": {"room": "pair room", "case": "pair case"},
    "to lead": {"code": "code to lead"},
    "with broken glass": {},
}


@dataclass(frozen=True, slots=True)
class Door:
    """One route with one method, or one live event (then `method` is empty), and which thing of several is meant."""

    name: str
    method: str = ""
    variant: str = ""

    @classmethod
    def read(cls, line: str) -> Door:
        """A door from its name in the matrix."""
        name, _, variant = line.partition(", ")
        name, _, method = name.partition(" ")
        return cls(name, method, variant)

    @property
    def line(self) -> str:
        """Its name in the matrix."""
        return f"{self.name} {self.method}".strip() + (f", {self.variant}" if self.variant else "")


def doors(site: flask.Flask) -> Iterator[Door]:
    """Every door there is: from the app's own list of routes, and the events of its parts."""
    for rule in site.url_map.iter_rules():
        if rule.endpoint != "static":
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield Door(rule.endpoint, method)
    for event in events():
        yield Door(event)


def events() -> dict[str, LiveEvent]:
    """Every live event by name."""
    return {event.name: event for part in PARTS for event in part.live_events}


def address(world: World, door: Door, of: dict[str, str] | None = None) -> str:
    """The address of a route, filled with things of the first group and of Mees; `of` names other things."""
    chosen = OF_ENDPOINT.get(door.name, {}) | VARIANTS.get(door.variant, {}) | (of or {})
    rule = next(r for r in world.site.url_map.iter_rules() if r.endpoint == door.name)
    words = WORDS | world.things
    values: dict[str, Any] = {name: words[chosen.get(name, name)] for name in rule.arguments}
    with world.site.test_request_context():
        return flask.url_for(door.name, **values)


def form(world: World, door: Door, who: Inhabitant) -> dict[str, Any]:
    """A form that does what it is for, if whoever sends it may."""
    things = world.things | {name: world.things[thing] for name, thing in VARIANTS.get(door.variant, {}).items()}
    tomorrow = (system() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    code = pyotp.TOTP(world.secret).now()
    version = {"version": things["version"]}
    forms: dict[str, dict[str, Any]] = {
        "accounts.settings": {"language": "nl", "theme": "dark"},
        "accounts.sign_in": {"login": login_of(world, "Marit"), "secret": PASSWORD},
        "accounts.visitor_language": {"language": "en"},
        "afterwards.correct": {"kind": "missed"},
        "afterwards.follow_up": {"version": "1", "outcome": "reached"},
        "attending.ask_pause": {"on": "1"},
        "attending.closing_questions": {"session": things["session"], "together": "4", "safe": "5"},
        "attending.note": {"text": "Mag ik even niets zeggen?", "key": str(uuid.uuid4())},
        "attending.turn": {"what": "pass"},
        "buddies.pair": {"member": [things["member"], things["last member"]]},
        "checkins.save": {"value": "4"},
        "checkups.answer": dict.fromkeys(("calm", "urge", "contact", "mood", "values"), "5") | {"line": "Wandelen"},
        "code.check": {"code": things.get("code", things["code to another group"])},
        "code.join": {"agree": "yes"},
        "conducting.answer_note": {"alias": "Jip_kiezel", "text": "Natuurlijk", "key": str(uuid.uuid4())},
        "conducting.ask": version | {"kind": "poll", "title": "Hoe nu?", "options": "goed\nmoe", "minutes": "3"},
        "conducting.breathe": version | {"kind": "breath", "minutes": "2"},
        "conducting.call_back": version,
        "conducting.finish_round": version,
        "conducting.let_in": {"alias": "Jip_kiezel"},
        "conducting.next_turn": {"version": str(int(things["version"]) + 1)},
        "conducting.notes_read": {"alias": "Jip_kiezel"},
        "conducting.pair_up": version | {"minutes": "5"},
        "conducting.pause": version | {"on": "1"},
        "conducting.pause_seen": {"alias": "Jip_kiezel"},
        "conducting.send_out": {"alias": "Jip_kiezel"},
        "conducting.start_round": version,
        "confirming.answer": {"code": code, "secret": PASSWORD},
        "data.erase": {"word": "wissen"},
        "glass.break_glass": {"reason": "absence", "note": "Er is vanavond niemand anders"},
        "help.begin": {"key": str(uuid.uuid4()), "minutes": "15", "before": "7"},
        "help.bring": {"key": str(uuid.uuid4()), "minutes": "5", "ago": "900", "lasted": "300", "outcome": "rode"},
        "help.finish": {"after": "3", "helped": "Koud water", "outcome": "rode"},
        "goals.ask": {"kind": "pause", "weeks": "12", "words": "Rust"},
        "goals.change": {"weeks": "6", "days": "3", "words": "Niet na tienen"},
        "goals.start": {"version": "1"},
        "help.ping": {"key": str(uuid.uuid4())},
        "joining.check_code": {"code": things["code to the group"]},
        "joining.chosen": {"third": THIRD_WORD},
        "joining.join": {"agree": "yes"},
        "leading.invite": {"role": "client", "uses": "1", "days": "7"},
        "leading.open_group": {"name": "Donderdag", "language": "nl"},
        "leaving.remove": {"reason": "agreed"},
        "messages.edit": {"text": f"Anders gezegd door {who.name}"},
        "messages.react": {"kind": "recognise", "on": "1"},
        "messages.read": {"seq": "1"},
        "messages.withdraw_held": {"key": things["held key"]},
        "moderation.decide": {"version": "1", "decision": "reject", "reason": "tone", "note": "Te hard"},
        "outreach.acknowledge": {"version": things["ask version"]},
        "outreach.hand_on": {"version": things["ask version"]},
        "own.change_password": {"secret": "heel andere losse woorden"},
        "own.change_words": {"third": THIRD_WORD},
        "own.end_sessions": {"which": "others"},
        "programme.answer": {"option": "1"},
        "programme.keep_draft": {"option": "1"},
        "recovery.check": {"code": things["code to come back"]},
        "recovery.come_back": {"third": THIRD_WORD},
        "reports.analyse": {"part": "trigger", "text": "Het was laat"},
        "reports.begin": {"kind": "urge", "key": str(uuid.uuid4())},
        "reports.safe": {"safe": "yes"},
        "reports.send": {"who": ["facilitator"]},
        "room.answer": {"step": "in-the-moment", "text": "Rust", "share": "1"},
        "room.hand": {"up": "1"},
        "room.post": {"text": f"Fijn dat je er bent {who.name}"},
        "running.keep_hours": {"open": "some", "open-2-from": "19:00", "open-2-until": "21:00"},
        "running.lock": {"locked": "1"},
        "running.open_topic": {"title": "Week 3: triggers"},
        "running.retain": {"days": "60"},
        "running.slow": {"seconds": "30"},
        "second_step.answer": {"code": code},
        "second_step.finish_set_up": {"code": APP_SECRET},
        "second_step.take_another_app": {"code": APP_SECRET},
        "sharing.flag": {"reason": "touches_me"},
        "sharing.share": {"audience": "staff"},
        "sessions.extend": version,
        "sessions.close": version,
        "sessions.give_word": {"alias": "Jip_kiezel"},
        "sessions.lock": version | {"locked": "1"},
        "sessions.move": version | {"position": "4"},
        "sessions.mute": {"alias": "Jip_kiezel"},
        "sessions.open_session": {"version": "1"},
        "calendar.name": {"word": "busy"},
        "plan.add": {"card": "people", "text": "Mijn broer"},
        "plan.change": {"text": "Telefoon in de keuken"},
        "plan.collect": {"text": "Na elf uur geen scherm"},
        "plan.move": {"to": "up"},
        "planning.cancel": {"version": "1"},
        "planning.extend": {"count": "2", "more": "1"},
        "planning.move": {"version": "1", "starts_at": tomorrow},
        "planning.plan_series": {"group": things["group"], "starts_on": tomorrow[:10], "at": "20:00"},
        "planning.resize": {"cap": "8", "minimum": "3"},
        "planning.skip": {"version": "1"},
        "sheets.add": version | {"phase": "theme", "kind": "text", "title": "Even stil", "minutes": "5"},
        "sheets.bind": version | {"step": "the-word"},
        "sheets.change": version | {"minutes": "7", "phase": "theme"},
        "sheets.move": version | {"position": "6"},
        "sheets.remove": version,
        "planning.plan": {"group": things["group"], "chapter": "understanding", "starts_at": tomorrow},
        "sessions.reveal": version,
        "view.find": {"words": "hoi"},
        "view.flag": {"reason": "touches_me"},
        "view.hide": {"seq": things["number of Noor's"]},
        "view.show": {"seq": things["number of Noor's"]},
        "staff.invite": {"role": "moderator", "days": "7"},
        "staff.join": {"login": "nieuw", "name": "Nieuweling", "secret": "heel andere losse woorden"},
    }
    return forms.get(door.name, {})


# What is half-way done in the browser when it comes to a door: it was begun at other doors, by whoever had a code.
VISITS = {
    "joining.choose": "join",
    "joining.chosen": "join",
    "joining.rules": "join",
    "joining.join": "join",
    "recovery.come_back": "recovery",
    "recovery.show_slip": "recovery",
    "second_step.answer": "prove",
    "second_step.ask": "prove",
    "second_step.challenge": "prove",
    "second_step.finish_set_up": "set up",
    "second_step.set_up": "set up",
    "staff.join": "staff",
    "staff.newcomer": "staff",
}
# What the same person does just before, in the same browser.
BEFORE: dict[str, Callable[[World, FlaskClient], object]] = {
    "view.flagged": lambda world, browser: _flag(world, browser),
    "view.flagged, the pair's": lambda world, browser: _flag(world, browser, "the pair's"),
    "attending.closing_questions": lambda world, browser: (_come_in(world), _lead(world, sessions.close)),
    "attending.step_out": lambda world, browser: (_come_in(world), _go_apart(world)),
    "attending.turn": lambda world, browser: (_come_in(world), _lead(world, rounds.start)),
    "conducting.next_turn": lambda world, browser: (_come_in(world), _lead(world, rounds.start)),
    "conducting.pair_up": lambda world, browser: _come_in(world),
    "conducting.start_round": lambda world, browser: _come_in(world),
    "code.choose": lambda world, browser: _give_code(world, browser),
    "leaving.ask_remove_colleague": lambda world, browser: _lead_together(world),
    "leaving.remove_colleague": lambda world, browser: _lead_together(world),
    "code.chosen": lambda world, browser: _give_code(world, browser),
    "code.rules": lambda world, browser: _choose_name(world, browser),
    "code.join": lambda world, browser: _choose_name(world, browser),
    "glass.look, with broken glass": lambda world, browser: browser.post(
        f"/elders-meelezen/{world.things['group']}", data={"reason": "danger", "note": "Iemand vroeg om hulp"}
    ),
}


def _come_in(world: World) -> None:
    """Three members are in the session now."""
    for name in ("Mees", "Noor", "Jip"):
        with world.database.work(world.people[name].known) as w:
            presence.arrive(w, rooms.place(w, world.things["room"]))


def _lead(world: World, change: Callable[..., object], *more: object) -> None:
    """Hanna does something in the session."""
    with world.database.work(world.people["Hanna"].known) as w:
        change(w, world.things["session"], int(world.things["version"]), *more)


def _go_apart(world: World) -> None:
    _lead(world, breakouts.start, 5)
    with world.database.read(world.people["Mees"].known) as r:
        [aside] = breakouts.mine(r, rooms.place(r, world.things["room"]))
    world.things["breakout room"] = aside.room


def _lead_together(world: World) -> None:
    """Somebody leads the first group beside Hanna."""
    hanna = world.people["Hanna"].known
    with world.database.read(hanna) as r:
        group_id = rooms.lead_place(r, world.things["group"]).group_id
    els = builders.someone(world.database, hanna.organisation_id, Role.FACILITATOR, name="Els")
    world.things["co-lead"] = builders.seat(world.database, group_id, *els, "Els", FACILITATOR).ref


def _give_code(world: World, browser: FlaskClient) -> None:
    browser.post("/code", data={"code": world.things["code to another group"]})


def _choose_name(world: World, browser: FlaskClient) -> None:
    _give_code(world, browser)
    browser.post("/code/naam", data={"alias": ""})


def _come_back(world: World, browser: FlaskClient) -> str:
    """Where the institution sends Marit back to, when she was sent there."""
    assert world.institution is not None
    sent_to = browser.get("/terug/instelling").location or ""
    return world.institution.sign_in(sent_to).removeprefix(BASE)


def _flag(world: World, browser: FlaskClient, variant: str = "") -> None:
    browser.post(address(world, Door("view.flag", "POST", variant)), data={"reason": "touches_me"})


def open_route(world: World, door: Door, who: Inhabitant, *, confirmed: bool) -> TestResponse:
    """Try a route as somebody."""
    browser = world.client(who.confirmed if confirmed else who.token, world.visits.get(VISITS.get(door.name, ""), ""))
    before = BEFORE.get(", ".join(filter(None, (door.name, door.variant))))
    if before is not None:
        before(world, browser)
    path = _come_back(world, browser) if door.name == "institution.finish" else address(world, door)
    fields = form(world, door, who)
    for name, pattern in ((name, value) for name, value in fields.items() if isinstance(value, re.Pattern)):
        found = pattern.search(browser.get(path).get_data(as_text=True))
        fields[name] = found[1] if found else ""
        if pattern is APP_SECRET and found:
            fields[name] = pyotp.TOTP(found[1]).now()
    return browser.open(path, method=door.method, data=fields)


def meaning(answer: TestResponse) -> str:
    """What the answer of a route says to whoever asked: a letter of the matrix, or a status that has no place there."""
    asked_by_link = answer.request.method == "GET"
    if answer.status_code == 401 or (asked_by_link and answer.location == "/"):
        return UNKNOWN
    if answer.status_code in (302, 303) and answer.location == "/bevestigen":
        return STEP_UP
    if answer.status_code in (403, 404):
        return REFUSED
    return IN if answer.status_code < 400 or answer.status_code in (409, 422) else str(answer.status_code)


@dataclass(slots=True)
class Screens:
    """The live door of a world with a line in its hand instead of a network: its own gate, gateway and fan-out."""

    world: World
    handlers: dict[str, Callable[..., Any]] = field(default_factory=dict)
    heard: list[tuple[str, str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        house, fanout = self.world.house, Fanout()
        fanout.attach(str, lambda sid: None)
        gateway = Gateway(
            house.database, fanout, house.writers, self._identify, lambda _, refusal: refused(refusal), Tempo()
        )
        gateway.serve(self, events(), lambda sid, environ: Hearing(sid, self.heard), str)
        house.database.announcer = fanout.announce

    def open(self, who: Inhabitant) -> str:
        """A socket of somebody, if the gate lets it through; else nothing."""
        let_through: list[dict[str, Any]] = []
        cookie = self.world.house.cookie

        def inside(environ: dict[str, Any], _start: object) -> list[bytes]:
            let_through.append(environ)
            return []

        gate = Gate(inside, cookie, (BASE,), self._identify)
        asked = EnvironBuilder("/socket.io/", headers=[("Cookie", f"{cookie}={who.token}")]).get_environ()
        gate(asked, lambda *_: None)
        if not let_through:
            return ""
        self.handlers["connect"](who.name, let_through[0])
        return who.name

    def ask(self, sid: str, event: str, data: dict[str, Any]) -> dict[str, Any]:
        """Send an event over a socket, and return its acknowledgement."""
        found: dict[str, Any] = self.handlers[event](sid, data)
        return found

    def _identify(self, session: str) -> Any:
        return self.world.actor_of_session(session)

    def on(self, event: str, handler: Callable[..., Any]) -> None:
        self.handlers[event] = handler


@dataclass(frozen=True, slots=True)
class Hearing:
    """The line to one screen: whatever is written to it is heard."""

    sid: str
    heard: list[tuple[str, str, Any]]

    def write(self, frame: str) -> None:
        self.heard.append((self.sid, *json.loads(frame[1:])))

    hold = write

    def flush(self) -> None:
        """Nothing is held."""


def send(world: World, door: Door, who: Inhabitant) -> str:
    """Send a live event as somebody, about the first group's room; a letter of the matrix, or a code without one."""
    screens = Screens(world)
    sid = screens.open(who)
    if not sid:
        return UNKNOWN
    room = world.things["pair room" if door.variant == "the pair's" else "room"]
    data = {"room": room, "after": 0, "seq": 0, "key": str(uuid.uuid4()), "text": f"Dag van {who.name}"}
    ack = screens.ask(sid, door.name, data)
    if ack["ok"]:
        return IN
    code: str = ack["code"]
    return {"not_found": REFUSED, "forbidden": REFUSED, "unauthenticated": UNKNOWN}.get(code, code)


def knock(world: World, door: Door, who: Inhabitant) -> str:
    """The letter of one cell: what a door says to somebody, at once, and after a fresh proof of who they are."""
    if not door.method:
        world.restore()
        return send(world, door, who)
    world.restore()
    at_once = meaning(open_route(world, door, who, confirmed=False))
    if at_once == IN or who.actor is None:
        return at_once
    world.restore()
    proven = meaning(open_route(world, door, who, confirmed=True))
    return STEP_UP if at_once == STEP_UP and proven == IN else proven
