"""A text for somebody's file holds what they did and shared, in short quotes, and never the alias of anybody else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.accounts import names as lists
from groups.after import dossier, redaction
from groups.after.attendance import CAME, EXCUSED, MISSED, Judged, judge, span
from groups.after.dossier import About, Deeds, Together
from groups.after.redaction import Named, Names
from moderation.normalise import normalise

NAMED = Named("Cliënt", "een groepsgenoot", "de begeleider")
BEGAN = datetime(2026, 11, 17, 18, 30, tzinfo=UTC)
SPEECH = dossier.Speech(
    lambda message, **fill: message.format(**fill) if fill else message,
    lambda at: at.strftime("%d-%m-%Y"),
    lambda at: at.strftime("%H.%M"),
)
MEES = Names(frozenset({"Mees_duin"}), frozenset({"Noor_eik", "Bo_wilg", "Jip_kiezel"}), frozenset({"Hanna"}))


def taken_out(text: str, names: Names = MEES) -> str:
    return names.taken_out(text, NAMED)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Ik dacht aan Noor_eik.", "Ik dacht aan een groepsgenoot."),
        ("@Noor_eik dankjewel", "een groepsgenoot dankjewel"),
        ("noor_EIK’s verhaal", "een groepsgenoot verhaal"),
        ("Noors verhaal, en Noor's hond", "een groepsgenoot verhaal, en een groepsgenoot hond"),
        ("Nooreik, noor eik en Noor-Eik", "een groepsgenoot, een groepsgenoot en een groepsgenoot"),
        ("Nóór en N o o r en N00r", "een groepsgenoot en een groepsgenoot en een groepsgenoot"),
        ("Jip\u200b_kie\u00adzel", "een groepsgenoot"),
        ("Jipje en Bo", "een groepsgenoot en een groepsgenoot"),
        ("Noor_eikBo_wilg", "een groepsgenoot een groepsgenoot"),
        ("xxNoor_eikxx", "xx een groepsgenoot xx"),
        ("Sil_haven van de andere groep", "een groepsgenoot van de andere groep"),
        ("Mees_duin zei: ik ben Mees", "Cliënt zei: ik ben Cliënt"),
        ("Hanna hielp me", "de begeleider hielp me"),
        ("In Noorwegen, bij een boek over eikels", "In Noorwegen, bij een boek over eikels"),
    ],
)
def test_however_an_alias_is_typed_it_is_taken_out(said: str, left: str) -> None:
    assert taken_out(said) == left


def test_half_a_name_that_two_people_share_is_somebody_else() -> None:
    names = Names(frozenset({"Mees_duin"}), frozenset({"Mees_eik"}), frozenset())
    assert taken_out("Mees_duin en Mees_eik, of gewoon Mees", names) == (
        "Cliënt en een groepsgenoot, of gewoon een groepsgenoot"
    )


FIRST, SECOND = lists.words("alias-first-nl"), lists.words("alias-second-nl")
aliases = st.builds("{}_{}".format, st.sampled_from(FIRST), st.sampled_from(SECOND))
any_aliases = aliases | st.from_regex(r"[A-Z][a-z]{1,5}_[a-z]{2,7}", fullmatch=True)


def _accented(alias: str) -> str:
    return unicodedata.normalize("NFC", "".join(c + "\u0301" if c in "aeiou" else c for c in alias))


WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "at": lambda a: f"@{a}",
    "capitals": str.upper,
    "small": str.lower,
    "of": lambda a: f"{a}'s",
    "of, without a sign": lambda a: f"{a}s",
    "first half": lambda a: a.split("_")[0],
    "second half": lambda a: a.split("_")[1],
    "small first half": lambda a: a.split("_")[0].lower() + "je",
    "with a blank": lambda a: a.replace("_", " "),
    "with a dash": lambda a: a.replace("_", "-"),
    "as one word": lambda a: a.replace("_", ""),
    "accents": _accented,
    "invisible": lambda a: a[0] + "\u200b" + a[1:],
    "full width": lambda a: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in a),
}
glue = st.sampled_from([" ", ", ", ". ", "\n", " (", ") ", "“", "”", "/", "…", "!", "_", "-", "🙂"])
filler = st.sampled_from(["ik", "dacht", "vandaag", "aan", "het", "strand", "12", "é", ""]) | st.text(max_size=6)


@st.composite
def said_in_a_group(draw: st.DrawFn) -> tuple[Names, str]:
    """Some aliases, and a text in which the others' stand in every way people type them."""
    everybody = draw(st.lists(any_aliases, min_size=2, max_size=7, unique_by=str.lower))
    pieces = []
    for _ in range(draw(st.integers(1, 8))):
        way = WAYS[draw(st.sampled_from(sorted(WAYS)))]
        pieces += [draw(filler), draw(glue), way(draw(st.sampled_from(everybody))), draw(glue)]
    return Names(frozenset(everybody[:1]), frozenset(everybody[1:]), frozenset()), "".join(pieces)


def still_named(text: str, others: Collection[str]) -> list[str]:
    """The aliases and halves of aliases that can be read in a text, but for the words that replaced them."""
    bare = text
    for word in (NAMED.own, NAMED.other, NAMED.staff):
        bare = bare.replace(word, " \u2022 ")
    folded = normalise(bare).text
    words = set(re.findall(r"[^\W_]+", folded))
    plain = {alias: normalise(alias).text for alias in others}
    whole = [alias for alias, one in plain.items() if one in folded or one.replace("_", "") in words]
    halves = {half: {half, f"{half}s", f"{half}je"} for alias in others for half in normalise(alias).text.split("_")}
    return whole + [half for half, spellings in halves.items() if spellings & words]


@settings(max_examples=400)
@given(said_in_a_group())
def test_of_no_text_and_no_aliases_anything_of_another_is_left(said: tuple[Names, str]) -> None:
    names, text = said
    assert still_named(taken_out(text, names), names.others) == []


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="_\ue000\ue001\ue002")))
def test_a_text_that_names_nobody_stays_as_it_is(text: str) -> None:
    names = Names(frozenset({"Qqxxqz_qvvxq"}), frozenset({"Zzqvxq_xxvzq"}), frozenset({"Vvqzxqx"}))
    assert taken_out(text, names) == text


@pytest.mark.parametrize(
    "way", ["first half", "second half", "as one word", "accents", "invisible", "small", "full width"]
)
def test_a_search_for_the_alias_alone_would_be_caught(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted defect: whoever replaces only the exact alias leaves people readable."""

    def simple(self: Names, text: str, named: Named) -> str:
        for alias in self.others:
            text = text.replace(alias, named.other)
        return text

    said = WAYS[way]("Noor_eik")
    assert still_named(taken_out(f"En toen zei {said} iets"), MEES.others) == []
    monkeypatch.setattr(redaction.Names, "taken_out", simple)
    assert still_named(taken_out(f"En toen zei {said} iets"), MEES.others) != []


ABOUT = About(BEGAN, BEGAN + timedelta(minutes=90), "Begrijpen", 4, ("Inchecken", "Wat het voor je doet"))
THERE = Judged(CAME, BEGAN + timedelta(minutes=14), BEGAN + timedelta(minutes=80), 66, 14, 10)


def test_the_text_says_what_somebody_did_and_shared() -> None:
    deeds = Deeds(THERE, (("Wat het voor je doet", "Rust, ook bij Noor_eik"),), 3, True, True, True, True)
    assert dossier.of_member(ABOUT, deeds, MEES, SPEECH) == (
        "Groepsbijeenkomst op 17-11-2026, 18.30 tot 20.00 uur.\n"
        "Bijeenkomst 4 van de reeks.\n"
        "Onderwerp: Begrijpen.\n"
        "\n"
        "Cliënt was er van 18.44 tot 19.50 uur (66 min).\n"
        "Cliënt kwam 14 minuten na het begin.\n"
        "Cliënt ging 10 minuten voor het eind.\n"
        "\n"
        "Wat de groep deed:\n"
        "- Inchecken\n"
        "- Wat het voor je doet\n"
        "\n"
        "Wat Cliënt met de groep deelde:\n"
        "- Bij ‘Wat het voor je doet’: “Rust, ook bij een groepsgenoot”\n"
        "\n"
        "Cliënt schreef 3 berichten in de groep.\n"
        "Cliënt nam een beurt in een ronde.\n"
        "Cliënt gaf een beurt in een ronde door.\n"
        "Cliënt schreef ook toen de groep twee aan twee was.\n"
        "Cliënt schreef de begeleider een persoonlijk bericht.\n"
        "\n"
        "Indruk en afspraken:\n"
    )


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (EXCUSED, "Cliënt was er niet, en had dat laten weten."),
        (MISSED, "Cliënt was er niet, zonder bericht."),
    ],
)
def test_of_who_was_not_there_nothing_else_is_said(kind: str, line: str) -> None:
    text = dossier.of_member(ABOUT, Deeds(Judged(kind), (("Stap", "iets"),), 3, True), MEES, SPEECH)
    assert line in text
    assert not any(word in text for word in ("Inchecken", "iets", "berichten", "beurt"))


@given(said_in_a_group(), st.lists(st.text(max_size=400), max_size=3))
def test_nobody_else_is_named_in_a_whole_text(said: tuple[Names, str], more: list[str]) -> None:
    """Wherever it came from: a quote, the title of a step, the subject."""
    names, text = said
    about = About(BEGAN, ABOUT.end, text, 0, (text,))
    shared = tuple((text, one) for one in (text, *more))
    spoken = dossier.of_member(about, Deeds(THERE, shared), names, SPEECH)
    together = Together(1, 1, 0, ((text, (text, *more)),), (text, *more))
    summary = dossier.of_group(about, together, names, SPEECH)
    for alias in names.others:
        assert normalise(alias).text not in normalise(spoken).text
        assert normalise(alias).text not in normalise(summary).text


def test_a_summary_names_nobody_at_all() -> None:
    names = Names(frozenset(), MEES.others | MEES.own, MEES.staff)
    together = Together(3, 1, 0, (("Welk gevoel?", ("Rust: 3", "Boos, net als Mees_duin: 0")),), ("Bellen met Bo",))
    assert dossier.of_group(ABOUT, together, names, SPEECH) == (
        "Groepsbijeenkomst op 17-11-2026, 18.30 tot 20.00 uur.\n"
        "Bijeenkomst 4 van de reeks.\n"
        "Onderwerp: Begrijpen.\n"
        "\n"
        "Aanwezig: 3. Afgemeld: 1. Niet geweest: 0.\n"
        "\n"
        "Wat de groep deed:\n"
        "- Inchecken\n"
        "- Wat het voor je doet\n"
        "\n"
        "Welk gevoel?\n"
        "- Rust: 3\n"
        "- Boos, net als een groepsgenoot: 0\n"
        "\n"
        "Wat mensen meenemen:\n"
        "- “Bellen met een groepsgenoot”\n"
    )


@given(st.text(min_size=1))
def test_a_quote_is_short_on_one_line_and_marked(text: str) -> None:
    made = dossier.quote(text)
    assert made[0] == "“"
    assert made[-1] == "”"
    assert "“" not in made[1:]
    assert "”" not in made[:-1]
    assert len(made) <= dossier.LONGEST_QUOTE + 4
    assert "\n" not in made


def test_a_long_quote_ends_at_a_whole_word() -> None:
    made = dossier.quote("woorden " * 40)
    assert made.endswith("woorden …”")


moments = st.datetimes(BEGAN.replace(tzinfo=None), (BEGAN + timedelta(hours=4)).replace(tzinfo=None)).map(
    lambda at: at.replace(tzinfo=UTC)
)


@given(moments, st.integers(30, 120), moments, moments, moments, moments, st.booleans())
def test_minutes_fit_into_the_session_and_nobody_is_late_within_five_minutes(
    starts: Any, minutes: int, opened: Any, closed: Any, came: Any, last: Any, excused: bool
) -> None:
    assume(opened <= closed)
    times = span(starts, minutes, opened, closed)
    assert opened <= times.begin <= times.end
    how = judge(times, came, last, excused=excused)
    assert how.kind == CAME
    assert how.came is not None
    assert how.last is not None
    assert times.opened <= how.came <= how.last
    assert 0 <= how.minutes <= max(1, round((max(closed, came) - opened).total_seconds() / 60) + 1)
    assert (how.late_by > 0) == (how.came - times.begin > timedelta(minutes=5))
    assert (how.early_by > 0) == (times.end - how.last > timedelta(minutes=5))
    assert judge(times, None, None, excused=excused).kind == (EXCUSED if excused else MISSED)


@pytest.mark.parametrize(
    ("opened", "came", "late"),
    [(0, 5, 0), (0, 6, 6), (-10, 5, 0), (12, 17, 0), (12, 18, 6), (12, 2, 0)],
    ids=["five minutes", "six minutes", "early door", "late door", "late for a late door", "before the door"],
)
def test_late_counts_from_the_plan_or_the_door_whichever_was_later(opened: int, came: int, late: int) -> None:
    def at(minutes: int) -> datetime:
        return BEGAN + timedelta(minutes=minutes)

    times = span(BEGAN, 90, at(opened), at(100))
    assert judge(times, at(came), at(95), excused=False).late_by == late
