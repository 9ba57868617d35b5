"""Find numbers that lead to a person: telephone (also spelled out), IBAN, BSN and other identity numbers.

All patterns have bounded repeats, so the time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from moderation.detectors.model import Finding
from moderation.detectors.tokens import letters_of
from moderation.lexicon import load_table, word_set

_FILE = "numbers.toml"

# Digits with up to three separators between them; "o" may stand for a zero at the start ("o6").
_CANDIDATE = re.compile(r"(?<![\w.,@#/])(?:\+ ?|00|\( ?\+?)?[\do](?:[\s().\-/_*~|,;:=+]{0,3}[\do]){6,16}(?![\w])")
_DATE = re.compile(
    r"(?:0?[1-9]|[12]\d|3[01])\s?[-/. ]\s?(?:0?[1-9]|1[0-2])\s?[-/. ]\s?(?:19|20)\d\d(?!\d)"
    r"|(?:19|20)\d\d[-/.](?:0[1-9]|1[0-2])[-/.](?:0[1-9]|[12]\d|3[01])(?!\d)"
)
_CLOCK = re.compile(r"\b[0-2]?\d[:.][0-5]\d\b")
_ODD_SEPARATOR = re.compile(r"[_*~|,;:=\n]|\d[\s().\-/]{3}\d")
_DIGIT = re.compile(r"\d")
_NOT_DIGIT = re.compile(r"\D+")
_IBAN = re.compile(r"\b[a-z]{2}\s?\d\d(?:[ .\-]{0,2}[a-z0-9]){11,30}")
_NINE = re.compile(r"(?<![\w.,\-/])\d(?:[ .\-]?\d){7,8}(?![\w\-/]|[.,]\d)")
_BELGIAN = re.compile(r"(?<![\w.\-])\d\d[. ]?\d\d[. ]?\d\d[-. ]?\d{3}[-. ]?\d\d(?![\w.\-])")
_INSURANCE = re.compile(r"\b(?!bg|gb|nk|kn|tn|nt|zz)[a-ceghj-prstw-z][a-ceghj-nprstw-z](?: ?\d\d){3} ?[a-d]\b")
_CARD = re.compile(r"(?<![\w.,\-])\d(?:[ \-]?\d){15}(?![\w\-])")
_DOCUMENT = re.compile(r"\b[a-z0-9]{8,10}\b")
_BIRTH_DATE = re.compile(
    r"(?:geboortedatum|geboren op|geb\.|date of birth|dob|born on)(?: is)?[ :]{0,3}"
    r"(?P<date>\d{1,2}[-/. ](?:\d{1,2}|[a-z]{3,9})[-/. ]\d{2,4})"
)
_LONGEST_RUN = 24  # words for digits that can make one telephone number
_SHORTEST_SPELLED = 8  # digits
_CUE_REACH = 40  # characters before a number in which a cue word counts

_MOBILE_NL = re.compile(r"(?:0|31|0031|310|00310)?6[1-5,8]\d{7}")
_INTERNATIONAL = re.compile(
    r"(?:3[0-69]|4\d|5[1-8]|6[0-6]|7|8[1246]|9[0-58]|1|2[017]|2[1-69]\d|35\d|37\d|38\d|42\d)\d{7,11}"
)
_NATIONAL = re.compile(
    r"0(?:1[0135678]|2[0346]|3[0358]|4[03567]|5[0358]|7[0-9]|8[4578]|9[01])\d{7}"  # NL, short area codes
    r"|0[1-57-9]\d{8}"  # NL, long area codes, and BE mobile
    r"|0[1-9]\d{7}"  # BE, fixed lines
    r"|01[567]\d{8,9}|07\d{9}|0[12]\d{9}"  # DE mobile, UK mobile, UK fixed lines
)
_MOBILE = re.compile(r"06\d{8}|04[5-9]\d{7}|01[567]\d{8,9}|07\d{9}")


def find_numbers(text: str) -> Iterator[Finding]:
    """Give the numbers in folded `text` that lead to a person; helplines, dates and times are left alone."""
    if not _has_digit(text):
        return
    yield from _ibans(text)
    yield from _identity_numbers(text)
    for match in _CANDIDATE.finditer(text):
        span = phone_span(text, match.start(), match.end())
        if span:
            yield Finding("contact", "phone", *span, "mask", label="phone")


def find_spelled(text: str) -> Iterator[Finding]:
    """Give telephone numbers with digits written as words ("nul zes een twee ...")."""
    if _digits_said(text) < _SHORTEST_SPELLED:
        return
    run: list[tuple[str, int, int]] = []
    spelled = 0
    for match in _words(text):
        digits = _digits_of(match.group())
        if digits is not None and (not run or match.start() - run[-1][2] <= 4):
            run.append((digits, match.start(), match.end()))
            spelled += not match.group().isdigit()
            continue
        if digits is None and run and match.group() in word_set(_FILE, "fillers"):
            continue
        yield from _spelled_phone(text, run, spelled)
        run, spelled = [], 0
        if digits is not None:
            run, spelled = [(digits, match.start(), match.end())], int(not match.group().isdigit())
    yield from _spelled_phone(text, run, spelled)


def _digits_said(text: str) -> int:
    """How many digits all words of a text could stand for, at most: most texts are over with this."""
    words = _WORD.findall(text) if _DIGIT.search(text) else letters_of(text)
    said = [_digits_of(word) for word in words if word not in _without_digits]
    found = [digits for digits in said if digits]
    times = 3 if "x2" in found or "x3" in found else 1  # "dubbel" and "triple" say the next one again
    return sum(times * len(digits) for digits in found)


def phone_span(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Give the part of a run of digits that is a telephone number, or None."""
    while True:
        date = _DATE.match(text, start)
        if not date or date.end() >= end:
            break
        start = date.end()
        while start < end and not text[start].isdigit():
            start += 1
    raw = text[start:end]
    if _DATE.search(raw) or len(_CLOCK.findall(raw)) > 1:
        return None
    digits = digits_in(raw)
    cued = _cue(text, start, "phone_cues")
    if is_helpline(digits) or not is_phone(digits, raw, cued):
        return None
    return start, end


def digits_in(raw: str) -> str:
    """Give only the digits; "o" counts as a zero."""
    return _NOT_DIGIT.sub("", raw.replace("o", "0").replace("(0)", ""))


def is_phone(digits: str, raw: str = "", cued: bool = False) -> bool:
    """Tell whether these digits, written as `raw`, are a telephone number; `cued` when the text says so."""
    if len(set(digits)) < 3 and not cued:
        return False
    if digits in "01234567890123456789" or digits in "98765432109876543210":
        return cued
    if _MOBILE.fullmatch(digits) or (digits.startswith(("316", "00316")) and _MOBILE_NL.fullmatch(digits)):
        return True
    plus = raw.lstrip("( ").startswith(("+", "00"))
    if plus and 8 <= len(digits) <= 15 and _INTERNATIONAL.fullmatch(digits.removeprefix("00")):
        return True
    if cued and 7 <= len(digits) <= 15:
        return True
    if _ODD_SEPARATOR.search(raw):
        return False
    if _NATIONAL.fullmatch(digits):
        return len(digits) >= 10 or bool(re.search(r"\d[ ./\-]\d", raw))
    if re.fullmatch(r"6[ \-]\d[\d \-]{7,11}", raw) and len(digits) == 9:
        return True
    return bool(re.fullmatch(r"\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}", raw))


def is_helpline(digits: str) -> bool:
    """Tell whether these digits are one of the published helplines, in any of their usual forms."""
    return digits in _helplines()


@lru_cache(maxsize=1)
def _helplines() -> frozenset[str]:
    national = word_set("helplines.toml", "numbers")
    forms = set(national)
    for number in national:
        if number.startswith("0"):
            for country in ("31", "32", "44", "49"):
                forms |= {country + number[1:], "00" + country + number[1:], country + number}
    return frozenset(forms)


def _has_digit(text: str) -> bool:
    return any(digit in text for digit in "0123456789")


def _cue(text: str, start: int, key: str) -> bool:
    before = text[max(0, start - _CUE_REACH) : start]
    return any(word in word_set(_FILE, key) for word in re.findall(r"[^\W\d_]+", before)[-5:])


def _ibans(text: str) -> Iterator[Finding]:
    lengths: dict[str, int] = load_table(_FILE)["iban_lengths"]
    for match in _IBAN.finditer(text):
        size = lengths.get(match.group()[:2])
        if not size:
            continue
        seen = 0
        for index in range(match.start(), match.end()):
            seen += text[index].isalnum()
            if seen == size:
                if _mod97("".join(filter(str.isalnum, text[match.start() : index + 1]))):
                    yield Finding("contact", "iban", match.start(), index + 1, "mask", label="iban")
                break


def _mod97(iban: str) -> bool:
    if not iban.isascii():
        return False
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1


def _identity_numbers(text: str) -> Iterator[Finding]:
    for match in _NINE.finditer(text):
        digits = _NOT_DIGIT.sub("", match.group())
        if _cue(text, match.start(), "bsn_cues") or (
            len(digits) == 9 and _eleven_test(digits) and not _cue(text, match.start(), "order_cues")
        ):
            yield Finding("identity", "bsn", *match.span(), "mask", label="bsn")
    for match in _BIRTH_DATE.finditer(text):
        yield Finding("identity", "birth_date", *match.span("date"), "mask", label="birth")
    for match in _BELGIAN.finditer(text):
        digits = _NOT_DIGIT.sub("", match.group())
        check = int(digits[9:])
        if check in (97 - int(digits[:9]) % 97, 97 - int("2" + digits[:9]) % 97):
            yield Finding("identity", "belgian_id", *match.span(), "mask", label="id")
    for match in _INSURANCE.finditer(text):
        yield Finding("identity", "uk_id", *match.span(), "mask", label="id")
    for match in _CARD.finditer(text):
        if _luhn(_NOT_DIGIT.sub("", match.group())):
            yield Finding("contact", "card", *match.span(), "mask", label="id")
    if any(cue in text for cue in ("paspoort", "passport", "rijbewijs", "id-kaart", "licence", "klantnummer")):
        for match in _DOCUMENT.finditer(text):
            if sum(char.isdigit() for char in match.group()) >= 4 and _cue(text, match.start(), "document_cues"):
                yield Finding("identity", "document", *match.span(), "mask", label="id")


def _eleven_test(digits: str) -> bool:
    if len(set(digits)) == 1:
        return False
    total = sum(int(d) * weight for d, weight in zip(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True))
    return total % 11 == 0


def _luhn(digits: str) -> bool:
    doubled = [int(d) * (2 - i % 2) for i, d in enumerate(digits)]
    return len(set(digits)) > 2 and sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def spoken_digits(text: str, *, from_start: bool) -> tuple[str, int, int]:
    """Give the digits (also as words) at the start or the end of a line, with their span; "" when none."""
    run: list[tuple[str, int, int]] = []
    for match in _words(text) if from_start else reversed(list(_words(text))):
        digits = _digits_of(match.group())
        if digits is None:
            break
        run.append((digits, match.start(), match.end()))
    if not from_start:
        run.reverse()
    if not run:
        return "", 0, 0
    return _joined(run), run[0][1], run[-1][2]


_WORD = re.compile(r"[^\W_]+")


_without_digits: set[str] = set()  # ordinary words, as they come by: what `_digits_of` need not be asked again
_ORDINARY_WORDS = 20_000


def _words(text: str) -> Iterator[re.Match[str]]:
    return _WORD.finditer(text)


@lru_cache(maxsize=4096)
def _digits_of(word: str) -> str | None:
    """Give the digits a word stands for: "zes", "06", "nulzes", "vierendertig", "dubbelzes"; None if none."""
    if word.isascii() and word.isdigit():
        return word if len(word) <= 10 else None
    table: dict[str, str] = load_table(_FILE)["digit_words"]
    known = table.get(word)
    if known is not None or len(word) > 60:
        return known
    found, rest = "", word
    while rest:
        for size in range(min(len(rest), 14), 0, -1):
            part = table.get(rest[:size]) or (rest[:size] if size == 1 and rest[0] in "0123456789" else None)
            if part:
                found, rest = found + part, rest[size:]
                break
        else:
            if len(_without_digits) < _ORDINARY_WORDS:
                _without_digits.add(word)
            return None
    return found if len(found) > 1 else None


def _spelled_phone(text: str, run: list[tuple[str, int, int]], spelled: int) -> Iterator[Finding]:
    if not spelled or len(run) < 2:
        return
    run = run[-_LONGEST_RUN:]
    for skip in range(len(run)):
        plain = _joined(run[skip:])
        if is_helpline(plain):
            return
        cued = len(plain) == 9 and plain[0] == "6" and _cue(text, run[skip][1], "phone_cues")
        if cued or (len(plain) >= 8 and (_MOBILE.fullmatch(plain) or _spelled_shape(plain))):
            yield Finding("contact", "phone_spelled", run[skip][1], run[-1][2], "mask", label="phone")
            return


def _joined(run: list[tuple[str, int, int]]) -> str:
    """Join the digits of a run; "dubbel" and "triple" repeat the digit after them."""
    pieces: list[str] = []
    times = 1
    for digits, _, _ in run:
        if digits in ("x2", "x3"):
            times = int(digits[1])
            continue
        pieces.append(digits * times if len(digits) == 1 else digits)
        times = 1
    return "".join(pieces)


def _spelled_shape(digits: str) -> bool:
    if digits in "01234567890123456789":
        return False
    abroad = digits.startswith(("0031", "316", "0032", "0044", "447")) and len(digits) >= 11
    return abroad or bool(_NATIONAL.fullmatch(digits))
