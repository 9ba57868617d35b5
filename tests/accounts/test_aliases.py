"""Aliases: offered from the lists, each used by one person at a time, resting a year before the next."""

from __future__ import annotations

import pytest

from app.accounts import aliases, names
from app.core.errors import Invalid
from app.core.work import Database
from moderation.screening import screen
from tests import builders
from tests.conftest import FrozenClock


def _take(database: Database, organisation: int, alias: str) -> None:
    with database.work() as w:
        aliases.take(w, organisation, alias)


def test_every_alias_that_can_be_offered_passes_the_screening_that_messages_pass() -> None:
    firsts, seconds = names.words("alias-first-nl"), names.words("alias-second-nl")
    everyone = [f"{first}_{seconds[n % len(seconds)]}" for n, first in enumerate(firsts)]
    everyone += [f"{firsts[n % len(firsts)]}_{second}" for n, second in enumerate(seconds)]
    for language in ("nl", "en"):
        assert [alias for alias in everyone if screen(alias, lang=language).action != "allow"] == []
    assert screen("Jan 0612345678", lang="nl").action != "allow"  # and the screening can say no


def test_offers_are_different_free_and_from_the_lists(database: Database) -> None:
    organisation = builders.organisation(database)
    with database.read() as r:
        offered = aliases.offer(r, organisation, 8)
    assert len({alias.split("_")[0] for alias in offered}) == 8
    _take(database, organisation, offered[0])
    with database.read() as r:
        again = aliases.offer(r, organisation, 200, besides=offered[1:4])
    assert not set(again) & set(offered[:4])


def test_an_alias_is_taken_once_in_an_organisation_and_again_elsewhere(database: Database) -> None:
    organisation, other = builders.organisation(database), builders.organisation(database)
    _take(database, organisation, "Rik_vos")
    with pytest.raises(Invalid):
        _take(database, organisation, "Rik_vos")
    _take(database, other, "Rik_vos")


@pytest.mark.parametrize(("days", "free"), [(0, False), (364, False), (365, True), (4000, True)])
def test_an_alias_that_came_free_rests_for_a_year(
    database: Database, clock: FrozenClock, days: int, free: bool
) -> None:
    organisation = builders.organisation(database)
    _take(database, organisation, "Rik_vos")
    with database.work() as w:
        aliases.give_back(w, organisation, ["Rik_vos", "Nooit_gebruikt"])
    clock.forward(days=days)
    if not free:
        with pytest.raises(Invalid):
            _take(database, organisation, "Rik_vos")
        return
    _take(database, organisation, "Rik_vos")
    with pytest.raises(Invalid):
        _take(database, organisation, "Rik_vos")


def test_of_two_who_choose_the_same_alias_at_the_same_instant_one_gets_it(database: Database) -> None:
    organisation = builders.organisation(database)
    answers = builders.at_once(*[lambda: _take(database, organisation, "Rik_vos")] * 4)
    assert sorted(type(a).__name__ for a in answers) == ["Invalid", "Invalid", "Invalid", "NoneType"]
