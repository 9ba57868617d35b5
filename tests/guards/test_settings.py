"""Every setting is documented, and every documented setting exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_settings_page_and_the_code_name_the_same_settings() -> None:
    code = (ROOT / "app/core/settings.py").read_text(encoding="utf-8")
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    read = set(re.findall(r'"((?:SAMEN_\w+|PORT))"', code))
    told = set(re.findall(r"^\| `((?:SAMEN_\w+|PORT))`", page, re.M))
    assert read == told
