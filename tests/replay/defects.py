"""Defects to plant in a record, each with how the sentence begins in which the checker must tell of it."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.replay.record import Heard, Noted, Record, Row


def _lost(record: Record) -> None:
    record.talks["Noor_eik"].pop(5)


def _lost_in_the_room(record: Record) -> None:
    for rows in (*record.talks.values(), *record.kept_talks.values()):
        rows.pop()


def _doubled(record: Record) -> None:
    record.talks["Toon_riet"].append(record.talks["Toon_riet"][-1])


def _stored_twice(record: Record) -> None:
    for rows in (*record.talks.values(), *record.kept_talks.values()):
        rows.append(Row(rows[-1].seq + 1, rows[-1].alias, rows[-1].text))


def _swapped(record: Record) -> None:
    rows = record.talks["Bo_wilg"]
    rows[3], rows[4] = rows[4], rows[3]


def _hole(record: Record) -> None:
    record.said[-1] = record.said[-1]._replace(seq=record.said[-1].seq + 1)


def _sent_again(record: Record) -> None:
    record.wrong.append("Bo_wilg was sent number 4 after 6")


def _pooled_too_early(record: Record) -> None:
    line = record.revealed_at["Wat helpt jou in een lastig uur?"] - 1
    record.heard.append(Heard(line, "Hanna", "a page", "<p>Een rondje met de hond.</p>"))


def _counted_too_early(record: Record) -> None:
    line = record.revealed_at["Wanneer is het voor jou het lastigst?"]
    at = next(n for n, heard in enumerate(record.heard) if heard.line == line and heard.name == "session.state")
    record.heard[at] = record.heard[at]._replace(line=line - 1)


def _named(record: Record) -> None:
    line = record.revealed_at["Wat helpt jou in een lastig uur?"]
    for at, heard in enumerate(record.heard):
        told = json.loads(heard.text) if heard.name == "session.state" and heard.line == line else None
        if told and told["session"]["answers"]["pooled"]:
            told["session"]["answers"]["pooled"][0] += " (Bo_wilg)"
            record.heard[at] = heard._replace(text=json.dumps(told, ensure_ascii=False))


def _private_shown(record: Record) -> None:
    record.heard.append(Heard(10**6, "Lot_berk", "a page", "Morgen bel ik mijn broer."))


def _held_shown(record: Record) -> None:
    held = next(secret for secret in record.secrets if "loser" in secret.text)
    assert held.since is not None
    record.heard.append(Heard(held.since - 1, "Jip_kiezel", "messages", json.dumps(held.text)))


def _pair_overheard(record: Record) -> None:
    text = "Fijn, zo met weinig."
    strangers = set(record.cast) - next(secret.readers for secret in record.secrets if secret.text == text)
    record.heard.append(Heard(10**6, min(strangers), "messages", text))


def _note_read(record: Record) -> None:
    record.heard.append(Heard(10**6, "Mees_duin", "a page", "Ik ben geschrokken van mezelf."))


def _note_twice(record: Record) -> None:
    for notes in record.kept_notes.values():
        notes += [note for note in notes if note.member == "Rune_mos"][:1]


def _note_elsewhere(record: Record) -> None:
    record.kept_notes["Mees_duin"].append(Noted("Gijs_klei", False, "Ik ben geschrokken van mezelf."))


def _note_lost(record: Record) -> None:
    record.kept_notes["Hanna"].pop()


def _sign_overheard(record: Record) -> None:
    roster = next(heard for heard in record.heard if heard.name == "session.roster")
    record.heard.append(roster._replace(alias="Lot_berk"))


def _answer_lost(record: Record) -> None:
    record.kept_answers.pop()


def _answer_twice(record: Record) -> None:
    record.kept_answers.append(record.kept_answers[0])


def _answer_of_before(record: Record) -> None:
    old = next(one for one in record.kept_answers if one.alias == "Fenna_beek")
    record.kept_answers.append(old._replace(value="Douchen en vroeg naar bed."))


def _back_in_time(record: Record) -> None:
    first = next(heard for heard in record.heard if heard.name == "session.state" and heard.alias == "Bo_wilg")
    record.heard.append(first)


def _moved_unmarked(record: Record) -> None:
    at = max(n for n, heard in enumerate(record.heard) if heard.name == "session.state")
    told = json.loads(record.heard[at].text)
    told["session"]["position"] -= 1
    record.heard[at] = record.heard[at]._replace(text=json.dumps(told, ensure_ascii=False))


def _time_of_day(record: Record) -> None:
    at = next(n for n, heard in enumerate(record.heard) if heard.name == "session.state")
    told = json.loads(record.heard[at].text)
    told["session"]["ends"] = "2026-11-17T19:10Z"
    record.heard[at] = record.heard[at]._replace(text=json.dumps(told, ensure_ascii=False))


def _on_time(record: Record) -> None:
    record.attendance["Ava_zand"] = ["came", 0, 0]


def _forgotten(record: Record) -> None:
    del record.attendance["Sil_haven"]


def _not_looked_after(record: Record) -> None:
    record.follow_up = []


def _alarmed_twice(record: Record) -> None:
    record.alerts = 2


def _anothers_name(record: Record) -> None:
    record.dossier = record.dossier.replace("een groepsgenoot", "Noor_eik")


def _anothers_words(record: Record) -> None:
    record.dossier += "- “Dat ik het alleen wil oplossen.”\n"


DEFECTS: tuple[tuple[Callable[[Record], None], str], ...] = (
    (_lost, "lost: Noor_eik's screen misses"),
    (_lost_in_the_room, "lost: Mees_duin's room misses"),
    (_doubled, "doubled: Toon_riet's screen"),
    (_stored_twice, "invented: Ava_zand's room"),
    (_swapped, "disordered: Bo_wilg's screen"),
    (_hole, "numbers:"),
    (_sent_again, "Bo_wilg was sent"),
    (_pooled_too_early, "too early: Hanna came across 'Een rondje"),
    (_counted_too_early, "too early: the state that"),
    (_named, "named:"),
    (_private_shown, "too early: Lot_berk"),
    (_held_shown, "too early: Jip_kiezel"),
    (_pair_overheard, "too early:"),
    (_note_read, "too early: Mees_duin"),
    (_note_twice, "note too many: Hanna"),
    (_note_elsewhere, "note too many: Mees_duin"),
    (_note_lost, "note lost: Hanna"),
    (_sign_overheard, "roster: Lot_berk"),
    (_answer_lost, "answer lost:"),
    (_answer_twice, "an answer is kept twice"),
    (_answer_of_before, "answer invented:"),
    (_back_in_time, "back: Bo_wilg"),
    (_moved_unmarked, "unmarked:"),
    (_time_of_day, "moment: the state that Hanna"),
    (_on_time, "attendance of Ava_zand"),
    (_forgotten, "attendance of Sil_haven"),
    (_not_looked_after, "to be looked after"),
    (_alarmed_twice, "alerts: 2"),
    (_anothers_name, "dossier: the name of Noor_eik"),
    (_anothers_words, "dossier:"),
)
