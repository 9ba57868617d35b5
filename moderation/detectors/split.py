"""Find a telephone number or account number that an author spreads over several lines."""

from __future__ import annotations

from collections.abc import Iterator

from moderation.detectors.model import Finding
from moderation.detectors.numbers import is_helpline, is_phone, spoken_digits
from moderation.normalise import normalise

_LINES_BACK = 5
_LINE_LENGTH = 200
_SHORTEST, _LONGEST = 8, 15


def find_split(text: str, recent: tuple[str, ...]) -> Iterator[Finding]:
    """Give the part of a split number that stands in folded `text`.

    `recent` are the author's last lines as written, oldest first.  The line must begin with digits (or words
    for digits), and the lines before it must end with the rest.
    """
    if not recent:
        return
    head = _digits_at_start(text)
    if not head or len(head[0]) > 11:
        return
    number, size = head
    for line in reversed(recent[-_LINES_BACK:]):
        tail, whole = _digits_at_end(normalise(line[-_LINE_LENGTH:]).text)
        if not tail:
            return
        number = tail + number
        if is_helpline(number):
            return
        written = "+" if number.startswith(("00", "316", "324", "447", "491")) else ""
        if _SHORTEST <= len(number) <= _LONGEST and is_phone(number, written):
            yield Finding("contact", "phone_split", 0, size, "mask", label="phone")
            return
        if not whole:
            return


def continues(text: str) -> bool:
    """Could folded `text` be the rest of a number that began in the lines before?"""
    return _digits_at_start(text) is not None


def _digits_at_start(text: str) -> tuple[str, int] | None:
    """Give the digits that open a line, and where they end; None when a word follows that they count."""
    digits, start, end = spoken_digits(text, from_start=True)
    if not digits or text[:start].strip(" .-/("):
        return None
    return digits, end


def _digits_at_end(text: str) -> tuple[str, bool]:
    """Give the digits that close a line, and whether the line holds nothing else."""
    digits, start, end = spoken_digits(text, from_start=False)
    if not digits or text[end:].strip(" .-/…\n"):
        return "", False
    return digits, not text[:start].strip(" .-/+(")
