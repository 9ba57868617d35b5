"""A server with a planted defect: nobody is cut when their session ends, and nobody looks again whether it did."""

from __future__ import annotations

from app import wsgi  # first: it prepares the loop


def main() -> None:
    from app import worker
    from app.live.fanout import Fanout

    Fanout._revoke = lambda _fanout, _topic: None  # type: ignore[method-assign]
    worker.recheck_sessions = lambda _house: None
    wsgi.main()


if __name__ == "__main__":
    main()
