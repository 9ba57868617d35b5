"""Marks a sentence for translation where no request exists yet.

Dutch is the source language: the sentence in the code is what Dutch readers see. `app/locale/en` holds the
English. The doors translate (`app.web`, `app.live.gateway`); this floor only marks.
"""

from __future__ import annotations

LANGUAGES = ("nl", "en")


def N_(message: str) -> str:
    """Mark `message` for the catalogue and return it unchanged."""
    return message
