"""Copies the few third-party front-end files that pages use from node_modules to static/vendor, and nothing else."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"

FILES = {
    "socket.io-client/dist/socket.io.esm.min.js": "socket.io.js",
    "socket.io-client/LICENSE": "socket.io.LICENSE.txt",
    "@fontsource/atkinson-hyperlegible-next/files/atkinson-hyperlegible-next-latin-400-normal.woff2": "text-400.woff2",
    "@fontsource/atkinson-hyperlegible-next/files/atkinson-hyperlegible-next-latin-600-normal.woff2": "text-600.woff2",
    "@fontsource/atkinson-hyperlegible-next/LICENSE": "fonts.LICENSE.txt",
    "lucide-static/LICENSE": "icons.LICENSE.txt",
}

# our name for an icon: its name in the set
ICONS = {
    "add": "plus",
    "alert": "triangle-alert",
    "back": "chevron-left",
    "book": "book-open",
    "calendar": "calendar-days",
    "check": "check",
    "clock": "clock",
    "close": "x",
    "door": "door-open",
    "dots": "ellipsis",
    "down": "arrow-down",
    "duo": "heart-handshake",
    "edit": "pencil-line",
    "eye": "eye",
    "flag": "flag",
    "group": "messages-square",
    "hand": "hand",
    "heart": "heart",
    "help": "life-buoy",
    "hide": "eye-off",
    "leave": "log-out",
    "link": "link",
    "lock": "lock",
    "more": "menu",
    "mute": "mic-off",
    "next": "chevron-right",
    "note": "notebook-pen",
    "offline": "cloud-off",
    "pause": "pause",
    "people": "users",
    "person": "user-round",
    "phone": "phone",
    "print": "printer",
    "reading": "glasses",
    "refresh": "refresh-cw",
    "reply": "reply",
    "send": "arrow-up",
    "shield": "shield",
    "speech": "message-square",
    "strength": "sprout",
    "thanks": "hand-heart",
    "today": "sunrise",
    "trash": "trash-2",
    "wave": "waves",
    "wait": "hourglass",
}


def main() -> None:
    VENDOR.mkdir(parents=True, exist_ok=True)
    for source, name in FILES.items():
        shutil.copyfile(MODULES / source, VENDOR / name)
    symbols = "\n".join(
        symbol(name, MODULES / "lucide-static" / "icons" / f"{file}.svg") for name, file in ICONS.items()
    )
    (VENDOR / "icons.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n', encoding="utf-8"
    )


def symbol(name: str, file: Path) -> str:
    """One icon of the set as a symbol: only its shapes; size and stroke come from our style sheet."""
    inner = re.sub(r"\s+", " ", re.sub(r"(?s)^.*?<svg.*?>|</svg>\s*$", "", file.read_text(encoding="utf-8"))).strip()
    return f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>'


if __name__ == "__main__":
    main()
