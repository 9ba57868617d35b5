"""Build the passphrase word lists from the raw candidates beside them.

    python tools/build_words.py [--words DIRECTORY]

The same input always gives the same bytes. Exits with 1 when a list would hold fewer than MINIMUM words.
"""

from __future__ import annotations

import argparse
import heapq
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path

WORDS = Path(__file__).resolve().parent.parent / "app" / "accounts" / "words"
LANGUAGES = {"nl": "Dutch", "en": "English"}
MINIMUM = 2048
SHAPE = re.compile(r"[a-z]{3,8}")
SOUNDS = (("ij", "ei"), ("ou", "au"))
HEADER = """\
# {language} passphrase words. Source: self-made for this project; CC0 1.0 (public domain dedication).
# Built by tools/build_words.py from raw/; change the candidates there, not this file.
# Rules: 3-8 letters a-z; common and easy to spell; no blocked word; no word begins another; no two sound
# alike or are one typing slip apart (a letter added, left out or changed, or two neighbours swapped).
"""


def read_words(path: Path) -> list[str]:
    """The lines of a list, without comments and empty lines."""
    lines = (line.split("#", 1)[0].strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in lines if line]


def blocked(words: Iterable[str], rules: Iterable[str], language: str) -> set[str]:
    """The words a rule forbids: 'word', 'stem*' (any ending), or either for one language: 'nl:word'."""
    exact: set[str] = set()
    stems: list[str] = []
    for rule in rules:
        scope, colon, word = rule.rpartition(":")
        if not colon or scope == language:
            (stems.append(word[:-1]) if word.endswith("*") else exact.add(word))
    return {word for word in words if word in exact or word.startswith(tuple(stems))}


def one_slip_apart(a: str, b: str) -> bool:
    """Whether the Damerau-Levenshtein distance between two different words is one."""
    if len(a) > len(b):
        a, b = b, a
    if len(a) < len(b):
        return len(b) - len(a) == 1 and any(b[:i] + b[i + 1 :] == a for i in range(len(b)))
    differ = [i for i in range(len(a)) if a[i] != b[i]]
    if len(differ) == 2:
        i, j = differ
        return j == i + 1 and a[i] == b[j] and a[j] == b[i]
    return len(differ) == 1


def clashes(words: Iterable[str], alike: Iterable[str] = ()) -> Iterator[tuple[str, str, str]]:
    """Pairs of words that may not stand in one list, each with the reason."""
    chosen = sorted(set(words))
    known = set(chosen)
    shortened: dict[str, list[str]] = defaultdict(list)
    sounding: dict[str, list[str]] = defaultdict(list)
    for word in chosen:
        for end in range(1, len(word)):
            if word[:end] in known:
                yield word[:end], word, "prefix"
        for form in {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}:
            shortened[form].append(word)
        sound = word
        for spelling, same in SOUNDS:
            sound = sound.replace(spelling, same)
        sounding[sound].append(word)
    slips = {pair for group in shortened.values() for pair in combinations(group, 2) if one_slip_apart(*pair)}
    yield from ((a, b, "one slip apart") for a, b in sorted(slips))
    heard = [*sounding.values(), *(line.split() for line in alike)]
    for group in heard:
        yield from ((a, b, "sounds alike") for a, b in combinations([w for w in group if w in known], 2))


def choose(words: Iterable[str], alike: Iterable[str] = ()) -> list[str]:
    """A large set without clashes: the word with the fewest open clashes goes first, ties by alphabet."""
    rivals: dict[str, set[str]] = {word: set() for word in words}
    for a, b, _ in clashes(rivals, alike):
        rivals[a].add(b)
        rivals[b].add(a)
    queue = [(len(others), word) for word, others in rivals.items()]
    heapq.heapify(queue)
    kept: list[str] = []
    while queue:
        count, word = heapq.heappop(queue)
        if word not in rivals or count != len(rivals[word]):
            continue  # already out, or counted anew since
        kept.append(word)
        for loser in rivals.pop(word):
            for other in rivals.pop(loser):
                if other in rivals:
                    rivals[other].discard(loser)
                    heapq.heappush(queue, (len(rivals[other]), other))
    return sorted(kept)


def build(language: str, folder: Path = WORDS) -> tuple[str, int, int]:
    """The text of one passphrase list, the number of its words, and of the candidates."""
    raw = set(read_words(folder / "raw" / f"passphrase-{language}.txt"))
    fitting = {word for word in raw if SHAPE.fullmatch(word)}
    fitting -= blocked(fitting, read_words(folder / "raw" / "blocked.txt"), language)
    kept = choose(fitting, read_words(folder / "raw" / f"alike-{language}.txt"))
    text = HEADER.format(language=LANGUAGES[language]) + "".join(f"{word}\n" for word in kept)
    return text, len(kept), len(raw)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Build the passphrase word lists.")
    parser.add_argument("--words", type=Path, default=WORDS, help="folder with the lists and raw/")
    folder: Path = parser.parse_args(arguments).words
    short = False
    for language in LANGUAGES:
        text, kept, candidates = build(language, folder)
        print(f"passphrase-{language}: {kept} words kept of {candidates} candidates")
        if kept < MINIMUM:
            print(f"passphrase-{language}: at least {MINIMUM} are needed; nothing written", file=sys.stderr)
            short = True
        else:
            (folder / f"passphrase-{language}.txt").write_bytes(text.encode())
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
