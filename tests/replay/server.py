"""A server for a play: it reads the hour from a file, and can be made to die between a commit and its answer.

`SAMEN_PLAY_CLOCK` names the file with the hour; while `SAMEN_PLAY_PLUG` is there, the next commit with messages in it
is the last thing this process does.
"""

from __future__ import annotations

import os
import signal
from datetime import datetime
from pathlib import Path

from app import wsgi  # first: it prepares the loop
from app.core import clock

CLOCK, PLUG = Path(os.environ["SAMEN_PLAY_CLOCK"]), Path(os.environ["SAMEN_PLAY_PLUG"])


def now() -> datetime:
    """The hour of the play. It stands still until somebody turns the page."""
    return datetime.fromisoformat(CLOCK.read_text(encoding="ascii"))


def seconds() -> float:
    """The same, for what counts how often something comes."""
    return now().timestamp()


def main() -> None:
    clock.system = now  # before anything takes it up
    from app.core.ratelimit import Tempo
    from app.core.work import Database, Work
    from groups.talk import pace, tempo

    for counter in (Tempo, tempo.Tempo, pace.Pace):
        counter.__init__.__defaults__ = (seconds,)
    told = Database._tell

    def tell(self: Database, work: Work) -> None:
        if PLUG.exists() and any(a.event == "messages" for a in work.announcements):
            PLUG.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        told(self, work)

    Database._tell = tell  # type: ignore[method-assign]
    wsgi.main()


if __name__ == "__main__":
    main()
