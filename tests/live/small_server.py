"""A server for few and hurried people: six places, and one second for the head of a request."""

from __future__ import annotations

PLACES, SECONDS = 6, 1.0


def main() -> None:
    from app import wsgi  # before anything else: it prepares the loop

    wsgi.loop.MAX_SOCKETS = PLACES  # type: ignore[attr-defined]
    wsgi.loop.HANDSHAKE_SECONDS = SECONDS  # type: ignore[attr-defined]
    wsgi.main()


if __name__ == "__main__":
    main()
