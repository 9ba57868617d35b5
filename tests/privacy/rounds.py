"""One round through the whole product, by HTTP and socket, with marked strings in every field there is."""

from __future__ import annotations

import re
import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyotp
import socketio

from tests.privacy.caller import OWN_ADDRESS, Answer, Caller
from tests.privacy.evidence import Canary
from tests.server import Server

ALIAS = ("memberships.alias", "seats.alias", "alias_uses.alias")
LOGIN = ("people.login",)
STAFF_NAME = ("people.name", "memberships.alias", "seats.alias")
WRITTEN = {  # what people write, by what it is: an ordinary sentence with one word that nobody else would use
    "message": "Vandaag dacht ik aan een zwaluwkruik op de vensterbank.",
    "message by socket": "Er lag een mosfluitje op de stoep.",
    "held message": "Je bent een vieze hoer met je korenkwast.",
    "message of danger": "Ik wil dood, dat denk ik steeds bij de rietlampion.",
    "message to a buddy": "Zullen we het over de egelhangmat hebben?",
    "shared answer": "Het gaf me rust, als een varenkussen.",
    "private answer": "Niemand hoeft te weten van de beukenharp.",
    "shared from home": "Op een bankje bij de havermolen kwam ik tot rust.",
    "check-in line": "Een dag als een natte kiezelsjaal.",
    "analysis": "Het begon bij de koperen dauwtrompet.",
    "moderation note": "Besproken bij de linnen sterrenketel.",
    "glass note": "Hanna is ziek, zie de ijzeren wolkenlade.",
    "message after a change": "Vandaag dacht ik aan een rozenkompas op tafel.",
    "change that waits": "Je bent een vieze hoer met je veenbloesje.",
    "note": "Mag ik straks even weg? Het gaat over de zandlepelaar.",
    "answer to a note": "Ja hoor, neem de tijd voor je schoorsteenmuts.",
    "topic": "Over de vilten maanschommel",
    "run-sheet line": "Wat hoort er bij een kalkrietje?",
    "pooled answer": "Iets als een grasharmonica.",
    "message two by two": "Met ons tweeën bij de palingvlieger.",
}
WORD = {name: max(re.findall(r"\w+", text), key=len) for name, text in WRITTEN.items()}
CARRIED = {
    "X-Forwarded-For": "203.0.113.77",
    "X-Real-IP": "2001:db8:7777::42",
    "User-Agent": "Kanariebrowser/7.7 (duinpaviljoen)",
    "Referer": "https://vorige.example/schelpenlade",
    "Accept-Language": "xx-grasbalkon, nl;q=0.8",
    "Cookie": "volgkoekje=hooivlieger",
}


@dataclass(slots=True)
class Member:
    browser: Caller
    alias: str
    login: str
    words: str


@dataclass(slots=True)
class Round:
    """Goes through everything; `canaries` grows with what it meets, `headers` with what the server says."""

    server: Server
    canaries: dict[str, Canary] = field(default_factory=dict)
    headers: list[tuple[str, str]] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)
    group: str = ""
    room: str = ""

    def mark(self, name: str, text: str, *allowed: str) -> str:
        assert len(text) >= 6, (name, text)
        self.canaries[name] = Canary(text, allowed)
        return text

    def browser(self) -> Caller:
        self.callers.append(Caller(self.server.url, CARRIED, self.headers))
        return self.callers[-1]

    def staff(self, role: str, code: str, name: str) -> Caller:
        """Somebody joins the staff with a code for a role, and sets up an app for codes."""
        browser, login = self.browser(), self.mark(f"{role}'s user name", f"{role[:4]}.pollepel", *LOGIN)
        self.mark(f"{role}'s code", code)
        self.mark(f"{role}'s name", name, *STAFF_NAME)
        password = self.mark(f"{role}'s password", f"{name} fietst door zacht mulzand")
        browser.post("/", {"code": code})
        browser.post("/aanmelden", {"login": login, "name": name, "secret": password})
        shown = browser.get("/terug/instellen").one(r'class="num secret">([^<]+)<')
        secret = self.mark(f"{role}'s app secret", shown.replace(" ", ""))
        self.mark(f"{role}'s app secret as shown", shown)
        browser.post("/terug/instellen", {"code": "000000"}, 422)
        page = browser.post("/terug/instellen", {"code": pyotp.TOTP(secret).now()}, 200)
        backup = page.all(r"<li>([a-z0-9]{4}(?:-[a-z0-9]{4}){2})</li>")
        for number, one in enumerate(backup):
            self.mark(f"{role}'s backup code {number}", one)
        browser.post("/uit")
        browser.post("/terug", {"login": login, "secret": password})
        browser.post("/terug/stap", {"code": backup[0]})
        return browser

    def code_for(self, administrator: Caller, role: str) -> str:
        administrator.post("/beheer/uitnodiging", {"role": role})
        return administrator.get("/beheer/uitnodiging").one(r"data-code>([^<]+)<")

    def client(self, number: int, code: str) -> Member:
        """Somebody new comes in with an invitation."""
        browser = self.browser()
        browser.post("/", {"code": code})
        page = browser.get("/kiezen")
        slip = self._slip(page, f"client {number}")
        alias = self.mark(f"alias {number}", page.one(r'name="alias" value="([^"]+)"'), *ALIAS)
        browser.post("/kiezen", {"alias": alias, "third": slip[1].split()[2]})
        browser.post("/afspraken", {"agree": "yes"})
        return Member(browser, alias, *slip)

    def _slip(self, page: Answer, whose: str) -> tuple[str, str]:
        login = self.mark(f"code name of {whose}", page.one(r'codename">([^<]+)<'), *LOGIN)
        words = self.mark(f"words of {whose}", " ".join(page.all(r"<li>([a-zé]+)</li>")[:6]))
        self.mark(f"some words of {whose}", " ".join(words.split()[1:4]))
        self.mark(f"recovery code of {whose}", page.one(r'recovery-code num">([^<]+)<'))
        return login, words

    def open_group(self, hanna: Caller, uses: int) -> str:
        """A group with a name of its own, and a code for it."""
        name = self.mark("group name", "Waterlelieclub", "groups.name")
        self.group = hanna.post("/groepen", {"name": name, "language": "nl"}).location.split("/")[2]
        hanna.post(f"/groepen/{self.group}/uitnodiging", {"uses": uses})
        code = hanna.get(f"/groepen/{self.group}/uitnodiging").one(r"data-code>([^<]+)<")
        return self.mark("invitation code", code)

    def write(self, one: Member) -> None:
        """Messages that are posted, masked, held, and one that needs help."""
        self.room = one.browser.get("/groep", 302).location.split("/")[2]
        path = f"/ruimte/{self.room}"
        for name in ("message", "held message", "message of danger"):
            self.mark(name, WORD[name])
            one.browser.post(path, {"text": WRITTEN[name]})
        number = self.mark("phone number", "06-48151623")
        self.mark("digits of a phone number", "48151623")
        address = self.mark("mail address", "mail@klaverspiegel.example")
        text = f"Bel me op {number} of mail {address}"
        key = str(uuid.uuid4())
        one.browser.post(path, {"text": text, "key": key}, 200)
        one.browser.post(path, {"text": text, "key": key, "mask_ok": "1"})
        self._change(one)
        self._by_socket(one)

    def _change(self, one: Member) -> None:
        """The first message says something else, and a second change waits for a moderator."""
        for name in ("message after a change", "change that waits"):
            self.mark(name, WORD[name])
            one.browser.post(f"/ruimte/{self.room}/bericht/1/wijzig", {"text": WRITTEN[name]})

    def _by_socket(self, one: Member) -> None:
        """A message over the live connection, and what no event is called."""
        self.mark("message by socket", WORD["message by socket"])
        carried = CARRIED | {"Cookie": f"samen_session={one.browser.cookie}; {CARRIED['Cookie']}"}
        screen = socketio.Client(reconnection=False)
        screen.connect(self.server.url, headers=carried, transports=["websocket"])
        screen.call("room.join", {"room": self.room})
        said = {"room": self.room, "key": str(uuid.uuid4()), "text": WRITTEN["message by socket"]}
        assert screen.call("message.send", said)["ok"] is True
        nonsense = self.mark("name of an event", "grindtulp")
        assert screen.call(nonsense, {"room": nonsense})["ok"] is False
        assert screen.call("room.join", {"room": nonsense})["ok"] is False
        screen.disconnect()

    def meet(self, hanna: Caller, one: Member, two: Member) -> None:
        """An evening with shared, private, pooled and counted answers, notes, pairs, and what follows on it."""
        path = f"/ruimte/{self.room}"
        self.mark("topic", WORD["topic"])
        hanna.post(f"/groepen/{self.group}/ruimte/onderwerp", {"title": WRITTEN["topic"]})
        session = self._plan(hanna)
        hanna.post(f"{session}/open", {"version": self._version()})
        for member in (one, two):
            member.browser.get(path)
        own = self._one("SELECT step FROM session_steps WHERE kind = 'question'")
        for name, step in (("shared answer", "in-the-moment"), ("private answer", "a-moment"), ("pooled answer", own)):
            self.mark(name, WORD[name])
            share = {"share": "1"} if name == "shared answer" else {}
            one.browser.post(f"{path}/antwoord", {"step": step, "text": WRITTEN[name], **share})
        one.browser.post(f"{path}/antwoord", {"step": "which-feeling", "option": "2"})
        at_home = "/programma/understanding/in-the-moment"
        self.mark("shared from home", WORD["shared from home"])
        one.browser.post(at_home, {"text": WRITTEN["shared from home"]})
        for audience in ("group", "staff"):
            one.browser.post(f"{at_home}/delen", {"audience": audience})
        two.browser.get(f"/groep/{self.room}/gedeeld")
        hanna.get(f"/groep/{self.group}/voortgang")
        one.browser.post(f"{path}/hand", {"up": "1"})
        self.mark("note", WORD["note"])
        one.browser.post(f"{path}/notitie", {"text": WRITTEN["note"]})
        self.mark("answer to a note", WORD["answer to a note"])
        answer = {"alias": one.alias, "text": WRITTEN["answer to a note"], "key": str(uuid.uuid4())}
        hanna.post(f"{session}/notities", answer)
        hanna.get(f"{session}/notities")
        self._pair_up(hanna, session, one)
        one.browser.get(path)
        hanna.get(session)
        hanna.post(f"{session}/sluit", {"version": self._version()})
        for ref in dict.fromkeys(hanna.get(f"{session}/verslag").all(r'/verslag/([a-z0-9]{12})"')):
            hanna.get(f"{session}/verslag/{ref}")
            hanna.post(f"{session}/verslag/{ref}", {"kind": "missed"})
        self._take_times_along(one)

    def _plan(self, hanna: Caller) -> str:
        """A session with a line of the facilitator's own; its address."""
        starts = (datetime.now() + timedelta(minutes=30)).isoformat(timespec="minutes")
        plan = {"group": self.group, "chapter": "understanding", "starts_at": starts, "minutes": "90"}
        session = "/bijeenkomst/" + hanna.post("/bijeenkomsten", plan).location.split("/")[2]
        self.mark("run-sheet line", WORD["run-sheet line"])
        words = {"phase": "exercise", "kind": "question", "sharing": "pooled", "title": WRITTEN["run-sheet line"]}
        hanna.post(f"{session}/draaiboek", words | {"version": self._version(), "position": "1", "minutes": "5"})
        return session

    def _pair_up(self, hanna: Caller, session: str, one: Member) -> None:
        """Two by two for some minutes."""
        hanna.post(f"{session}/twee-aan-twee", {"version": self._version(), "minutes": "5"})
        apart = self._one("SELECT public_id FROM rooms WHERE kind = 'breakout'")
        self.mark("message two by two", WORD["message two by two"])
        one.browser.post(f"/ruimte/{apart}", {"text": WRITTEN["message two by two"]})
        hanna.post(f"{session}/terugroepen", {"version": self._version()})

    def _take_times_along(self, one: Member) -> None:
        """An address for a calendar, which asks there without being signed in."""
        one.browser.post("/meer/agenda")
        address = one.browser.get("/meer/agenda").one(r'id="feed" value="[^"]*(/agenda/[^"]+)"')
        self.mark("calendar address", address.split("/")[2].removesuffix(".ics"))
        self.browser().get(address)

    def _version(self) -> str:
        return self._one("SELECT version FROM group_sessions")

    def _one(self, query: str) -> str:
        with closing(sqlite3.connect(self.server.folder / "samen.db")) as database:
            return str(database.execute(query).fetchone()[0])

    def look_after(self, hanna: Caller, one: Member, other: Member) -> None:
        """A pair, a check-in, a report with its analysis."""
        refs = hanna.get(f"/groepen/{self.group}").all(r'name="member" value="([^"]+)"')
        hanna.post(f"/groepen/{self.group}/duo", {"member": refs[:2]})
        page = one.browser.get("/duo")
        self.mark("alias to a buddy", page.one(r'data-alias="([^"]+)"'), *ALIAS)
        self.mark("message to a buddy", WORD["message to a buddy"])
        between = page.one(r'data-room="([^"]+)"')
        one.browser.post(f"/ruimte/{between}", {"text": WRITTEN["message to a buddy"]})
        self.mark("check-in line", WORD["check-in line"])
        line = WRITTEN["check-in line"]
        for question, value in {"mood": "2", "urge": "3", "halt": "lonely", "line": line, "share": "all"}.items():
            one.browser.post(f"/check-in/{question}", {"value": value})
        report = one.browser.post("/verslag", {"kind": "lapse", "key": str(uuid.uuid4())}).location.rpartition("/")[0]
        one.browser.post(f"{report}/veilig", {"safe": "yes"})
        one.browser.post(f"{report}/wie", {"who": ["buddy", "facilitator"]})
        self.mark("analysis", WORD["analysis"])
        one.browser.post(f"{report}/kijken", {"part": "situation", "text": WRITTEN["analysis"]})
        ask = other.browser.get("/vandaag")
        ref, version = re.findall(r'action="/contact/([a-z0-9]+)/ja".*?name="version" value="(\d+)"', ask.text, re.S)[0]
        other.browser.post(f"/contact/{ref}/ja", {"version": version})

    def review(self, hanna: Caller, ilse: Caller) -> None:
        """Cases are decided with a note; a colleague breaks the glass of the group."""
        self.mark("moderation note", WORD["moderation note"])
        for case in set(hanna.get("/beoordelen").all(r'href="(/beoordelen/[a-z0-9]+)"')):
            page = hanna.get(case)
            decision = "reject" if 'value="reject"' in page.text else "seen"
            version = page.one(r'name="version" value="(\d+)"')
            note = WRITTEN["moderation note"]
            hanna.post(case, {"version": version, "decision": decision, "reason": "tone", "note": note})
        self.mark("glass note", WORD["glass note"])
        ilse.post(f"/elders-meelezen/{self.group}", {"reason": "absence", "note": WRITTEN["glass note"]})
        ilse.get(f"/elders-meelezen/{self.group}")

    def come_back(self, hanna: Caller, one: Member) -> None:
        """Somebody lost their words and comes back with a code from their facilitator; another changes theirs."""
        page = hanna.get(f"/groepen/{self.group}")
        path = page.one(r'href="(/groepen/[^"]+/toegang)">[^<]*<span class="vh"> ' + re.escape(one.alias))
        hanna.post(path)
        code = self.mark("device code", hanna.get(path).one(r'recovery-code num">([^<]+)<'))
        lost = self.browser()
        lost.post("/terug/herstel", {"code": code})
        _login, words = self._slip(lost.get("/terug/herstel/briefje"), "who came back")
        lost.post("/terug/herstel/briefje", {"third": words.split()[2]})
        lost.get("/vandaag")
        lost.post("/bevestigen", {"secret": words})
        _login, words = self._slip(lost.get("/woorden"), "who changed them")
        lost.post("/woorden", {"third": words.split()[2]})

    def try_wrongly(self) -> None:
        """What somebody types or asks for that is no good."""
        stranger = self.browser()
        login, secret = (
            self.mark("wrong code name", "stille-kapstok-77"),
            self.mark("wrong words", "grint veulentas moor"),
        )
        stranger.post("/terug", {"login": login, "secret": secret}, 401)
        stranger.post("/", {"code": self.mark("wrong code", "ZWKW-9P3T")}, 404)
        stranger.post("/terug/herstel", {"code": self.mark("wrong recovery code", "ZWKW-9P3T-KKRW-2222")}, 404)
        stranger.get("/" + self.mark("unknown address", "vlierbalkon"), 404)
        stranger.get("/?zoek=" + self.mark("search words", "lisdoddebed"))

    def take_along(self, one: Member) -> None:
        """One's own data, asked for before and after proving who one is."""
        asked = self.mark("search words inside", "wolgrasbank")
        one.browser.get(f"/vandaag?zoek={asked}")
        with closing(sqlite3.connect(self.server.folder / "samen.db")) as database, database:  # ten minutes go by
            database.execute("UPDATE sign_ins SET confirmed_at = NULL")
        one.browser.get(f"/gegevens.json?zoek={asked}", 303)
        one.browser.post("/bevestigen", {"secret": "niet deze woorden"}, 422)
        one.browser.post("/bevestigen", {"secret": one.words})
        assert WORD["analysis"] in one.browser.get("/gegevens").text
        assert WORD["message"] in one.browser.get("/gegevens.json").text

    def carry_on(self) -> None:
        """What every request brought along."""
        for name, value in {
            "network address": "203.0.113.77",
            "real address": "2001:db8:7777::42",
            "own address": OWN_ADDRESS,
            "browser": "duinpaviljoen",
            "page before": "schelpenlade",
            "language tag": "grasbalkon",
            "foreign cookie": "hooivlieger",
        }.items():
            self.mark(name, value)
        for number, caller in enumerate(self.callers):
            if caller.cookie:
                self.mark(f"session {number}", caller.cookie, "header set-cookie")
            for count, token in enumerate(sorted(caller.tokens)):
                self.mark(f"form token {number}.{count}", token)
