"""Names for things that leave the server."""

from __future__ import annotations

import re
import uuid

from hypothesis import given
from hypothesis import strategies as st

from app.core import ids
from app.core.errors import Invalid


def test_ids_are_short_random_and_never_misread() -> None:
    made = {ids.public_id() for _ in range(2_000)}
    assert len(made) == 2_000
    assert all(re.fullmatch(r"[a-z2-9]{12}", one) and not set(one) & set("ilou01") for one in made)


def test_session_tokens_are_long_and_only_their_hash_is_kept() -> None:
    token = ids.session_token()
    assert len(token) >= 43
    assert token != ids.session_token()
    assert re.fullmatch(r"[0-9a-f]{64}", ids.digest(token))
    assert ids.digest(token) == ids.digest(token) != ids.digest(token + " ")


def test_an_invitation_code_has_no_letters_that_are_mistaken_for_digits() -> None:
    codes = {ids.invitation_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(re.fullmatch(r"[A-HJKMNP-TV-Z2-9]{4}-[A-HJKMNP-TV-Z2-9]{4}", code) for code in codes)


HAND = st.tuples(
    st.sampled_from("ABCDEFGHJKMNPQRSTVWXYZ23456789"), st.sampled_from(["", " ", "-", ".", "–"]), st.booleans()
)


@given(st.lists(HAND, min_size=8, max_size=8))
def test_an_invitation_code_survives_being_typed_by_hand(hand: list[tuple[str, str, bool]]) -> None:
    letters = "".join(letter for letter, _, _ in hand)
    code = f"{letters[:4]}-{letters[4:]}"
    typed = "".join(gap + (letter.lower() if low else letter) for letter, gap, low in hand)
    assert ids.fold_code(typed) == code
    assert ids.fold_code(code) == code


@given(st.text(max_size=60))
def test_whatever_is_typed_as_a_code_can_be_looked_up(typed: str) -> None:
    assert len(ids.digest(ids.fold_code(typed))) == 64


@given(st.uuids())
def test_a_client_key_is_a_uuid_in_its_usual_spelling(key: uuid.UUID) -> None:
    assert ids.client_key(str(key)) == str(key)
    assert ids.client_key(str(key).upper()) == str(key)


@given(st.one_of(st.text(max_size=50), st.integers(), st.none(), st.binary(), st.lists(st.text())))
def test_any_other_key_is_refused_or_brought_to_that_spelling(value: object) -> None:
    try:
        key = ids.client_key(value)
    except Invalid:
        return
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", key)
