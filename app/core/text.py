"""The only place where text becomes safe HTML, and the only one that knows bleach.

What people write is plain text and stays plain text: it is escaped where it is shown, never cleaned. Only the
programme's own Markdown becomes HTML, and even that goes through an allow-list.
"""

from __future__ import annotations

import unicodedata

import bleach
from markdown_it import MarkdownIt
from markupsafe import Markup

from app.core.errors import Invalid, TooLarge
from app.core.i18n import N_

MESSAGE_LIMIT = 4_000  # characters after normalisation
_TAGS = frozenset({"p", "ul", "ol", "li", "strong", "em", "blockquote", "br", "h3"})
_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)))

_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False}).disable(
    ["image", "link", "autolink", "html_block", "html_inline", "reference"]
)


def markdown(source: str) -> Markup:
    """Programme Markdown as safe HTML: paragraphs, lists, emphasis; no links, images or raw HTML."""
    return Markup(bleach.clean(_markdown.render(source), tags=_TAGS, attributes={}, protocols=(), strip=False))


def plain(value: object, *, limit: int = MESSAGE_LIMIT) -> str:
    """A person's text as it is stored: NFC, no control characters, 1 to `limit` characters.

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
    text = unicodedata.normalize("NFC", text).strip()
    if not any(unicodedata.category(c)[0] not in "CZ" for c in text):  # nothing anybody could see
        raise Invalid(N_("Er staat nog niets. Typ eerst iets."))
    if len(text) > limit:
        raise TooLarge
    return text
