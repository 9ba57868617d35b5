"""A text about one member for their file elsewhere, and one about a whole session. Pure: facts in, a draft out.

Nothing of it is stored here. Only what a member did and shared with the group is in it, in their own short quotes, and
no alias: theirs is the client, everybody else's is somebody from the group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.i18n import N_
from groups.after.attendance import CAME, EXCUSED, Judged
from groups.after.redaction import Named, Names

LONGEST_QUOTE = 180  # characters

CLIENT, PEER, LEAD = N_("Cliënt"), N_("een groepsgenoot"), N_("de begeleider")


@dataclass(frozen=True, slots=True)
class Speech:
    """How the group speaks: a sentence in its language (`{name}` is filled in), a day, and a time of day."""

    say: Callable[..., str]
    day: Callable[[datetime], str]
    clock: Callable[[datetime], str]


@dataclass(frozen=True, slots=True)
class About:
    """The session: its subject, its place in a series (0 for none), the steps that were done."""

    begin: datetime
    end: datetime
    theme: str
    number: int
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deeds:
    """What one member did and shared: `shared` are titles of steps with the member's answers, `messages` how many they
    wrote in the group's room. `spoke` and `passed`: they had the word in a round, or let it go by; `wrote_note`: they
    wrote the facilitators a personal message; `apart`: they were in a small group.
    """

    how: Judged
    shared: tuple[tuple[str, str], ...] = ()
    messages: int = 0
    spoke: bool = False
    passed: bool = False
    apart: bool = False
    wrote_note: bool = False


@dataclass(frozen=True, slots=True)
class Together:
    """What the whole group did: how many came, excused themselves and stayed away; what was answered without names
    (`pooled`: a title with lines), and what people take along.
    """

    came: int
    excused: int
    missed: int
    pooled: tuple[tuple[str, tuple[str, ...]], ...] = ()
    take_along: tuple[str, ...] = ()


def of_member(about: About, deeds: Deeds, names: Names, speech: Speech) -> str:
    """A draft for one member's file, to be edited and copied."""
    say, bare = speech.say, _Bare(names, speech)
    who = say(CLIENT)
    parts = [_heading(about, bare), _presence(about, deeds.how, who, speech)]
    if deeds.how.kind == CAME:
        parts.append(_steps(about, bare))
        if deeds.shared:
            quoted = [
                say(N_("Bij ‘{title}’: {quote}"), title=bare(title), quote=quote(bare(text)))
                for title, text in deeds.shared
            ]
            parts.append(_list(say(N_("Wat {who} met de groep deelde:"), who=who), quoted))
        parts.append("\n".join(_took_part(deeds, who, say)))
    parts.append(say(N_("Indruk en afspraken:")))
    return "\n\n".join(filter(None, parts)) + "\n"


def of_group(about: About, together: Together, names: Names, speech: Speech) -> str:
    """A summary of the session without anybody in it, to be edited and copied."""
    say, bare = speech.say, _Bare(names, speech)
    present = say(
        N_("Aanwezig: {came}. Afgemeld: {excused}. Niet geweest: {missed}."),
        came=together.came,
        excused=together.excused,
        missed=together.missed,
    )
    parts = [_heading(about, bare), present, _steps(about, bare)]
    parts += [_list(bare(title), [bare(line) for line in lines]) for title, lines in together.pooled if lines]
    if together.take_along:
        kept = [quote(bare(text)) for text in together.take_along]
        parts.append(_list(say(N_("Wat mensen meenemen:")), kept))
    return "\n\n".join(filter(None, parts)) + "\n"


def quote(text: str) -> str:
    """A short piece of what somebody wrote, between quotation marks. A longer text ends at a whole word."""
    flat = " ".join(text.split()).replace("“", "‘").replace("”", "’").replace('"', "’")
    if len(flat) > LONGEST_QUOTE:
        flat = flat[:LONGEST_QUOTE].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"
    return f"“{flat}”"


@dataclass(frozen=True, slots=True)
class _Bare:
    """Takes every name out of a text."""

    names: Names
    speech: Speech

    def __call__(self, text: str) -> str:
        say = self.speech.say
        return self.names.taken_out(text, Named(say(CLIENT), say(PEER), say(LEAD)))


def _heading(about: About, bare: _Bare) -> str:
    say, clock = bare.speech.say, bare.speech.clock
    lines = [
        say(
            N_("Groepsbijeenkomst op {day}, {begin} tot {end} uur."),
            day=bare.speech.day(about.begin),
            begin=clock(about.begin),
            end=clock(about.end),
        )
    ]
    if about.number:
        lines.append(say(N_("Bijeenkomst {number} van de reeks."), number=about.number))
    if about.theme:
        lines.append(say(N_("Onderwerp: {theme}."), theme=bare(about.theme)))
    return "\n".join(lines)


def _presence(about: About, how: Judged, who: str, speech: Speech) -> str:
    say = speech.say
    if how.kind == EXCUSED:
        return say(N_("{who} was er niet, en had dat laten weten."), who=who)
    if how.kind != CAME or how.came is None or how.last is None:
        return say(N_("{who} was er niet, zonder bericht."), who=who)
    times = {"begin": speech.clock(how.came), "end": speech.clock(how.last), "minutes": how.minutes}
    lines = [say(N_("{who} was er van {begin} tot {end} uur ({minutes} min)."), who=who, **times)]
    if how.late_by:
        lines.append(say(N_("{who} kwam {minutes} minuten na het begin."), who=who, minutes=how.late_by))
    if how.early_by:
        lines.append(say(N_("{who} ging {minutes} minuten voor het eind."), who=who, minutes=how.early_by))
    return "\n".join(lines)


def _steps(about: About, bare: _Bare) -> str:
    say = bare.speech.say
    return _list(say(N_("Wat de groep deed:")), [bare(title) for title in about.steps]) if about.steps else ""


def _took_part(deeds: Deeds, who: str, say: Callable[..., str]) -> list[str]:
    wrote = {0: N_("{who} las mee en schreef zelf niets."), 1: N_("{who} schreef 1 bericht in de groep.")}
    lines = [say(wrote.get(deeds.messages, N_("{who} schreef {n} berichten in de groep.")), who=who, n=deeds.messages)]
    for done, line in (
        (deeds.spoke, N_("{who} nam een beurt in een ronde.")),
        (deeds.passed, N_("{who} gaf een beurt in een ronde door.")),
        (deeds.apart, N_("{who} schreef ook toen de groep twee aan twee was.")),
        (deeds.wrote_note, N_("{who} schreef de begeleider een persoonlijk bericht.")),
    ):
        if done:
            lines.append(say(line, who=who))
    return lines


def _list(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, *(f"- {line}" for line in lines)])
