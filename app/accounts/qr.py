"""QR codes as plain shapes, for a template to draw: no picture file, no style, nothing from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import segno

_MARGIN = 4  # modules of white that readers ask for


@dataclass(frozen=True, slots=True)
class Drawing:
    """A square of `size` by `size` units and the path of its dark parts."""

    size: int
    path: str


def drawing(text: str) -> Drawing:
    """The QR code of `text`. It survives a fold or a smudge (15 % may be lost)."""
    code = segno.make(text, error="m", micro=False)
    strokes = []
    size = 0
    for y, row in enumerate(code.matrix_iter(border=_MARGIN)):
        size += 1
        start: int | None = None
        for x, dark in enumerate([*row, 0]):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                strokes.append(f"M{start} {y}h{x - start}v1H{start}z")
                start = None
    return Drawing(size, "".join(strokes))
