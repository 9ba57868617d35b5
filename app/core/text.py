"""The only place where text becomes safe HTML, and the only one that knows bleach.

What people write is plain text and stays plain text: it is escaped where it is shown, never cleaned. Only the
programme's own Markdown becomes HTML, and even that goes through an allow-list.
"""

from __future__ import annotations

import re
import unicodedata

import bleach
from markdown_it import MarkdownIt
from markupsafe import Markup

from app.core.errors import Invalid, TooLarge
from app.core.i18n import N_

MESSAGE_LIMIT = 4_000  # characters after normalisation
_TAGS = frozenset({"p", "ul", "ol", "li", "strong", "em", "blockquote", "br", "h3"})
_RUN = 30  # marks on one letter: no language needs more (UAX 15), and putting a long run in order takes forever
_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)))

_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False}).disable(
    ["image", "link", "autolink", "html_block", "html_inline", "reference"]
)


def _stacked() -> re.Pattern[str]:
    """The marks of a run that are too many. Three of them only show what they are once they are taken apart."""
    marks = [c for c in map(chr, range(0x300, 0x20000)) if unicodedata.combining(c)]
    some = "[" + "".join([*marks, "\u0f73\u0f75\u0f81"]) + "]"
    return re.compile(f"({some}{{{_RUN}}}){some}+")


_STACKED = _stacked()


def markdown(source: str) -> Markup:
    """Programme Markdown as safe HTML: paragraphs, lists, emphasis; no links, images or raw HTML."""
    return Markup(bleach.clean(_markdown.render(source), tags=_TAGS, attributes={}, protocols=(), strip=False))


def plain(value: object, *, limit: int = MESSAGE_LIMIT) -> str:
    """A person's text as it is stored: NFC, no control characters, no towers of accents, 1 to `limit` characters.

    Raises `Invalid` when it is empty or not text at all, `TooLarge` when it is longer than `limit`.
    """
    if not isinstance(value, str):
        raise Invalid(N_("We konden je tekst niet lezen. Er is nog niets verstuurd."))
    if len(value) > 4 * limit:  # refuse before spending time on normalisation
        raise TooLarge
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair: no database would take it
        raise Invalid(N_("We konden je tekst niet lezen. Er is nog niets verstuurd.")) from None
    text = value.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)
    if not text.isascii():
        text = _STACKED.sub(r"\1", unicodedata.normalize("NFC", _STACKED.sub(r"\1", text)))  # a mark may be two
    text = text.strip()
    if not any(unicodedata.category(c)[0] not in "CZ" for c in text):  # nothing anybody could see
        raise Invalid(N_("Er staat nog niets. Typ eerst iets."))
    if len(text) > limit:
        raise TooLarge
    return text
