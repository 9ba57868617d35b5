"""Looks through a record for everything that must not be: each finding is a sentence. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from difflib import unified_diff
from typing import Any

from tests.replay.record import Noted, Record, Row

_MOMENT = re.compile(r"\d\d:\d\d|\d{4}-\d\d-\d\d|\b\d{9,}\b")


def problems(record: Record) -> list[str]:
    """All that is wrong with an evening; nothing where it went as it should."""
    looks = (
        _talks,
        _too_early,
        _answers_in_states,
        _moments,
        _for_leads,
        _versions,
        _kept_answers,
        _notes,
        _attendance,
        _dossier,
    )
    return [*record.wrong, *(found for look in looks for found in look(record))]


def _talks(record: Record) -> Iterator[str]:
    """Everybody has the same conversation, and it is the one of the play: nothing lost, doubled or swapped."""
    wanted = [Row(said.seq, said.alias, said.text) for said in sorted(record.said, key=lambda said: said.seq)]
    numbers = [row.seq for row in wanted]
    if numbers != list(range(1, len(wanted) + 1)):
        yield f"numbers: {numbers} are not one after the other"
    for where, talks in (("screen", record.talks), ("room", record.kept_talks)):
        if set(talks) != set(record.cast):
            yield f"somebody's {where} is missing"
        for alias, rows in talks.items():
            yield from (f"lost: {alias}'s {where} misses {row}" for row in wanted if row not in rows)
            yield from (f"invented: {alias}'s {where} has {row}" for row in rows if row not in wanted)
            yield from (f"doubled: {alias}'s {where} has {row}" for row in set(rows) if rows.count(row) > 1)
            if rows != sorted(rows):
                yield f"disordered: {alias}'s {where}"


def _too_early(record: Record) -> Iterator[str]:
    """Nobody comes across words that are not for them, or not yet: on no page, in no event, in no answer."""
    for secret in record.secrets:
        quoted = json.dumps(secret.text, ensure_ascii=False)[1:-1]
        for heard in record.heard:
            if heard.alias in secret.readers or (secret.since is not None and heard.line >= secret.since):
                continue
            if secret.text in heard.text or quoted in heard.text:
                yield f"too early: {heard.alias} came across {secret.text!r} in {heard.name} at line {heard.line}"


def _states(record: Record) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for heard in record.heard:
        if heard.name in ("session.state", "room.join"):
            state = json.loads(heard.text).get("session")
            if state:
                yield heard.line, heard.alias, state


def _answers_in_states(record: Record) -> Iterator[str]:
    """Before a facilitator shows them, a state says how many answered and no more; what is pooled never has a name."""
    for line, alias, state in _states(record):
        answers, step = state["answers"], state["step"]["title"]
        shown = answers["revealed"] or answers["shared"] or answers["pooled"] or answers["tally"] is not None
        if shown and line < record.revealed_at.get(step, 10**9):
            yield f"too early: the state that {alias} heard at line {line} shows answers of {step!r}"
        if answers["pooled"] and any(name in json.dumps(answers, ensure_ascii=False) for name in record.cast):
            yield f"named: {alias} heard who wrote what at {step!r}"


def _moments(record: Record) -> Iterator[str]:
    """A state speaks of seconds from now, never of what time it is: the clock of who hears it may be wrong."""
    for line, alias, state in _states(record):
        if _MOMENT.search(json.dumps(state)):
            yield f"moment: the state that {alias} heard at line {line} has a time of day in it"


def _for_leads(record: Record) -> Iterator[str]:
    """Who is here, who asks for a pause and who wrote a note is for the facilitator's screen alone."""
    for heard in record.heard:
        events = heard.name in ("session.roster", "session.notes")
        if heard.alias != record.cast[0] and (events or '"roster":' in heard.text or '"pause":' in heard.text):
            yield f"roster: {heard.alias} heard it in {heard.name} at line {heard.line}"


def _versions(record: Record) -> Iterator[str]:
    """The version of what somebody hears never goes back, and nothing moves under one and the same version."""
    last: dict[str, int] = {}
    moved: dict[int, Any] = {}
    for line, alias, state in _states(record):
        if state["version"] < last.get(alias, 0):
            yield f"back: {alias} heard version {state['version']} after {last[alias]} at line {line}"
        last[alias] = state["version"]
        if moved.setdefault(state["version"], _moved(state)) != _moved(state):
            yield f"unmarked: version {state['version']} says two things, {alias} heard the second at line {line}"
    if len(set(last.values())) > 1:
        yield f"apart: the last versions that were heard are {last}"


def _moved(state: dict[str, Any]) -> Any:
    """What no two states of one version may differ in."""
    turn = state["round"] or {}
    told = [turn.get(name) for name in ("speaking", "spoken", "passed")]
    return [state["status"], state["position"], state["paused"], state["answers"]["revealed"], *told]


def _kept_answers(record: Record) -> Iterator[str]:
    wanted, found = sorted(record.answered), sorted(record.kept_answers)
    yield from (f"answer lost: {answer}" for answer in wanted if answer not in found)
    yield from (f"answer invented: {answer}" for answer in found if answer not in wanted)
    if len(found) != len(set(found)):
        yield "an answer is kept twice"


def _notes(record: Record) -> Iterator[str]:
    """A facilitator reads all notes, a member their own, nobody else any."""
    lead, *members = record.cast
    for reader in (lead, *members):
        wanted = [note for note in record.noted if reader in (lead, note.member)]
        found = record.kept_notes.get(reader, [])
        yield from (f"note lost: {reader} misses {note}" for note in wanted if note not in found)
        yield from (f"note too many: {reader} has {note}" for note in _more(found, wanted))


def _more(found: list[Noted], wanted: list[Noted]) -> list[Noted]:
    return [note for note in set(found) if found.count(note) > wanted.count(note)]


def _attendance(record: Record) -> Iterator[str]:
    wanted = record.wanted["attendance"]
    for alias in sorted({*wanted, *record.attendance}):
        if wanted.get(alias) != record.attendance.get(alias):
            yield f"attendance of {alias}: {record.attendance.get(alias)}, not {wanted.get(alias)}"
    if record.follow_up != record.wanted["follow_up"]:
        yield f"to be looked after: {record.follow_up}, not {record.wanted['follow_up']}"
    if record.alerts != record.wanted["alerts"]:
        yield f"alerts: {record.alerts}, not {record.wanted['alerts']}"


def _dossier(record: Record) -> Iterator[str]:
    about = record.wanted["dossier"]
    wanted, found = about["text"].strip().splitlines(), record.dossier.strip().splitlines()
    yield from (f"dossier: {line}" for line in unified_diff(wanted, found, "play", "page", n=0, lineterm=""))
    for alias in {*record.cast, *record.wanted["attendance"]} - {record.cast[0]}:
        if alias in record.dossier or alias.partition("_")[0] in record.dossier:
            yield f"dossier: the name of {alias} is in it"
