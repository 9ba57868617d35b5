"""Starts the server. The loop is chosen and patched before anything else is imported: keep that order."""

from __future__ import annotations

import gc
import os

from app.live import driver

_mode = os.environ.get("SAMEN_ASYNC_MODE") or "eventlet"
loop = driver.choose(_mode if _mode in ("eventlet", "gevent", "threading") else "eventlet")
loop.prepare()


def main() -> None:
    """Serve the product until stopped. Raises `SettingsError` if it must not start like this."""
    from app import demo
    from app.core import logs
    from app.core import settings as config
    from app.main import create_app
    from app.worker import start_inside

    settings = config.load()
    logs.configure(settings.log_level)
    site = create_app(settings)
    house = site.extensions["samen"]
    demo.refuse_leftovers(settings, house.database)
    for writer in house.writers.values():
        writer.start()
    start_inside(house)
    if demo.is_here(settings, house.database):
        print(demo.greeting(settings), flush=True)
    gc.collect()
    gc.freeze()  # what was built so far stays; looking through it again would stop the loop for a tenth of a second
    gc.set_threshold(20_000, 50, 1_000)
    loop.serve(site, settings.host, settings.port)


if __name__ == "__main__":
    main()
