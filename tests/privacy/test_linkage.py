"""An attacker with two accounts in all four groups of fifty people cannot tell who is who from one to another.

The attacker keeps everything that is shown and said to both accounts, and matches each group's aliases to each other
group's: by name, mark, anything written beside them, order, place and time. What a person writes is the same for all,
because against recognising somebody's style no structure helps; the house rules speak of that.

Known and not covered: whoever erases their account is gone from all their groups in the same moment, and may be
recognised by that.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app import pages
from app.core import keys
from app.core.settings import Settings
from app.main import create_app
from groups.models import Membership, Room, Seat
from groups.rules import MEMBER
from groups.talk import conversation
from tests.privacy import linker
from tests.privacy.crowd import ATTACKERS, PEOPLE, Crowd, gather, secrets_of
from tests.privacy.spying import Ear, Seen, Spy

SEEDS = (1, 2, 3)
CHANCE = 1 / (PEOPLE - ATTACKERS)
BEYOND = 0.05  # over chance: more would be a link
CAUGHT = 0.5  # what a planted defect must give away at the least
WORD = re.compile(r"[\w=-]{8,}")
REF = re.compile(r"\b(?=[a-z]*[2-9])[abcdefghjkmnpqrstvwxyz23456789]{12}\b")


@pytest.fixture(scope="module")
def crowds(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[list[Crowd]]:
    """The same month, drawn three times."""
    made = []
    for seed in SEEDS:
        folder = tmp_path_factory.mktemp("crowd")
        shutil.copyfile(migrated_sqlite, folder / "samen.db")
        settings = Settings(data_dir=folder, database_url=f"sqlite:///{folder / 'samen.db'}", async_mode="threading")
        keys.ensure(settings)
        made.append(gather(create_app(settings), seed))
    yield made
    for crowd in made:
        crowd.database.engine.dispose()


def everything(crowd: Crowd) -> list[Seen]:
    return [one for spy in crowd.spies for one in spy.seen]


def hits(crowd: Crowd, seen: Sequence[Seen]) -> dict[str, tuple[int, int]]:
    """How often each clue names the right person from one group to another, and how often it tried."""
    with crowd.database.read() as r:
        mine = Membership.person_id.in_([a.person_id for a in crowd.attackers])
        own = set(r.db.scalars(select(Membership.alias).where(mine)))
    dossiers = [linker.study(seen, room, own) for room in crowd.rooms]
    assert all(len(d.profiles) == PEOPLE - ATTACKERS for d in dossiers)
    return linker.link(dossiers, crowd.known_as(), crowd.seed)


def traces(seen: Sequence[Seen], secrets: Mapping[str, str]) -> set[tuple[str, str]]:
    """Where something stands that is nobody's business, alone or inside a longer word, and what it is."""
    words = {(one.source, word) for one in seen for word in WORD.findall(one.text)}
    lengths = {len(secret) for secret in secrets}
    parts = ((source, word[at : at + n]) for source, word in words for n in lengths for at in range(len(word) - n + 1))
    return {(source, secrets[part]) for source, part in parts if part in secrets}


def refs_in_two_rooms(seen: Sequence[Seen], rooms: Sequence[str], groups: Sequence[str]) -> set[str]:
    """References that were shown in one room and in another, but for those of the rooms and groups themselves."""
    shown: dict[str, set[str]] = {room: set() for room in rooms}
    for one in seen:
        if one.room in shown:
            shown[one.room].update(REF.findall(one.text))
    twice = {ref for one, other in combinations(rooms, 2) for ref in shown[one] & shown[other]}
    return twice - {*rooms, *groups}


def test_two_accounts_in_every_group_link_nobody(crowds: list[Crowd]) -> None:
    right, tried = Counter[str](), Counter[str]()
    for crowd in crowds:
        for clue, (found, tries) in hits(crowd, everything(crowd)).items():
            right[clue] += found
            tried[clue] += tries
    share = {clue: right[clue] / tried[clue] for clue in tried}
    for clue, found in sorted(share.items(), key=lambda line: -line[1]):
        print(f"{found:6.1%}  {clue}")
    print(f"{CHANCE:6.1%}  chance, over {len(SEEDS)} months of {PEOPLE} people")
    assert len(share) >= 12  # pages, answers and events all gave something to try
    assert max(share.values()) <= CHANCE + BEYOND, share


def test_nothing_a_member_sees_is_somebody_elses_id(crowds: list[Crowd]) -> None:
    for crowd in crowds:
        seen = everything(crowd)
        with crowd.database.read() as r:
            secrets = secrets_of(r, crowd)
        assert traces(seen, secrets) == set()
        rooms = [*crowd.rooms, *(room for pair_rooms in crowd.pair_rooms for room in pair_rooms)]
        assert len({one.room for one in seen} & set(rooms)) == 4 + 2 * 4
        assert refs_in_two_rooms(seen, rooms, crowd.groups) == set()


def test_no_alias_is_used_in_two_places(crowds: list[Crowd]) -> None:
    for crowd in crowds:
        with crowd.database.read() as r:
            aliases = r.db.scalars(select(Seat.alias).where(Seat.role == MEMBER)).all()
        assert len(aliases) == len(set(aliases))
        assert len(aliases) > 4 * PEOPLE  # with those of the pair rooms


def test_the_attacker_looked_everywhere(crowds: list[Crowd]) -> None:
    sources = {one.source for one in everything(crowds[0])}
    pages_seen = {"/vandaag", "/groep", "/duo", "/hulp", "/gegevens", "/gegevens.json", "/toestellen", "/ruimte/…"}
    live = {"answer to room.join", "answer to room.sync", "messages", "session.state"}
    assert sources >= pages_seen | live


# Planted defects: the same attacker must catch each of them.


def look_again(crowd: Crowd) -> tuple[dict[str, float], list[Seen]]:
    """What the attacker finds who comes in now and looks into every room: how often each clue is right."""
    spies = [Spy(crowd.site, Ear(), attacker, crowd.tokens[attacker.person_id]) for attacker in crowd.attackers]
    for spy in spies:
        for room in crowd.rooms:
            spy.look(room)
    seen = [one for spy in spies for one in spy.seen]
    return {clue: right / tried for clue, (right, tried) in hits(crowd, seen).items()}, seen


def person_of(crowd: Crowd) -> dict[str, int]:
    return {alias: person for group in crowd.known_as() for alias, person in group.items()}


def test_a_mark_made_from_the_person_is_caught(crowds: list[Crowd], monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = crowds[0]
    latest = conversation.latest  # the whole month on one page
    monkeypatch.setattr(conversation, "latest", lambda w, found, *_: latest(w, found, 200))
    people, known = person_of(crowd), crowd.site.jinja_env.globals
    known["mark_of"] = lambda alias: pages.mark(str(people.get(alias, alias)))
    try:
        found, _seen = look_again(crowd)
    finally:
        known["mark_of"] = pages.mark
    assert found["mark"] > CAUGHT


def test_an_id_made_from_the_person_is_caught(crowds: list[Crowd], monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = crowds[0]
    people, as_dict = person_of(crowd), conversation.View.as_dict

    def with_ref(view: conversation.View) -> dict[str, Any]:
        digest = hashlib.sha256(str(people.get(view.alias)).encode()).hexdigest()[:10]
        return as_dict(view) | ({"ref": digest} if view.alias in people else {})

    monkeypatch.setattr(conversation.View, "as_dict", with_ref)
    found, seen = look_again(crowd)
    assert found["tokens"] > CAUGHT
    with crowd.database.read() as r:
        secrets = secrets_of(r, crowd)
    assert ("answer to room.sync", "something made from the number of a person") in traces(seen, secrets)


def test_a_reference_that_is_the_same_everywhere_is_caught(
    crowds: list[Crowd], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_dict = conversation.View.as_dict
    monkeypatch.setattr(conversation.View, "as_dict", lambda view: as_dict(view) | {"ref": "kqr7mwz2abcd"})
    _found, seen = look_again(crowds[0])
    assert refs_in_two_rooms(seen, crowds[0].rooms, crowds[0].groups) == {"kqr7mwz2abcd"}


def test_a_list_in_the_order_of_people_is_caught(crowds: list[Crowd], monkeypatch: pytest.MonkeyPatch) -> None:
    people, views = person_of(crowds[0]), conversation._views

    def by_person(*args: Any, **kwargs: Any) -> list[conversation.View]:
        return sorted(views(*args, **kwargs), key=lambda view: people.get(view.alias, 0))

    monkeypatch.setattr(conversation, "_views", by_person)
    found, _seen = look_again(crowds[0])
    assert found["order: answer to room.sync.items"] > CAUGHT


@pytest.mark.parametrize("kept", ["the alias", "half of it"])
def test_an_alias_that_is_kept_from_group_to_group_is_caught(crowds: list[Crowd], kept: str) -> None:
    crowd = crowds[0]
    before = crowd.known_as()
    first = {person: alias for alias, person in before[0].items()}
    used = {alias for group in before for alias in group}
    changes = {}
    for alias, person in ((alias, person) for group in before[1:] for alias, person in group.items()):
        half = f"{first[person].split('_')[0]}_{alias.split('_')[1]}"
        if kept == "the alias":
            changes[alias] = first[person]
        elif half not in used:  # two who would get the same name keep their own
            changes[alias] = half
            used.add(half)
    rename(crowd, changes)
    try:
        found, _seen = look_again(crowd)
    finally:
        back = [{new: old for old, new in changes.items() if old in group} for group in before]
        for number, names in enumerate(back):
            rename(crowd, names, crowd.rooms[number])
    assert found["alias"] > CAUGHT
    assert crowd.known_as() == before


def rename(crowd: Crowd, changes: Mapping[str, str], room: str = "") -> None:
    """Give these aliases another spelling, everywhere or in one room."""
    named = select(Seat).join(Room, Room.id == Seat.room_id).where(Seat.alias.in_(changes), Room.kind == "group")
    with crowd.database.work() as w:
        for seat in w.db.scalars(named.where(Room.public_id.contains(room))).all():
            seat.alias = changes[seat.alias]
            w.db.get_one(Membership, seat.membership_id).alias = seat.alias
