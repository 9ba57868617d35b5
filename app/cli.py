"""`samen …`: everything an operator does. Data goes to standard output, one line of what was done to standard error.

The server patches the standard library before anything else is imported, so every command imports what it
needs only when it runs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.settings import Settings
    from app.core.work import Database

P = ParamSpec("P")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Samen Loslaten: moderated anonymous peer-support groups."""
    os.umask(0o077)  # whatever is written here is for its owner alone


def clear_errors(command: Callable[P, None]) -> Callable[P, None]:
    """End with one sentence instead of a trace when the operator can mend it."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from app.core.errors import AppError
        from app.core.settings import SettingsError

        try:
            command(*args, **kwargs)
        except (SettingsError, AppError) as error:
            raise click.ClickException(str(error)) from None

    return run


def did(sentence: str) -> None:
    """Say in one line what was done."""
    print(sentence, file=sys.stderr)


@contextmanager
def opened() -> Iterator[tuple[Settings, Database]]:
    """The settings and the database, without a server around them."""
    from app.core import keys, logs
    from app.core import settings as config
    from app.core.crypto import Vault
    from app.core.db import open_engine
    from app.core.work import Database

    settings = config.load()
    logs.configure(settings.log_level)
    secrets = keys.load(settings)
    vault = Vault(keys.masters(settings), lambda: keys.masters(settings))
    database = Database(
        open_engine(settings.database_url),
        vault,
        seal_key=secrets.derive("audit"),
        code_key=secrets.derive("codes on paper"),
    )
    try:
        yield settings, database
    finally:
        database.engine.dispose()


@main.command()
@clear_errors
def run() -> None:
    """Serve the product until stopped."""
    from app import wsgi

    wsgi.main()


@main.command()
@clear_errors
def worker() -> None:
    """Run the sweeps as a process of their own."""
    from app.worker import run_forever
    from groups.agenda import reminders

    with opened() as (settings, database):
        reminders.send_before(settings.reminder_hours, settings.reminder_minutes)
        did("worker: running the sweeps")
        run_forever(database)


@main.command("setup-keys")
@clear_errors
def setup_keys() -> None:
    """Make the installation's secret key, if there is none yet."""
    from app.core import keys
    from app.core import settings as config

    keys.ensure(config.load())
    did("key files: in place")


@main.command("reset-second-step")
@click.argument("login")
@clear_errors
def reset_second_step(login: str) -> None:
    """Let a member of staff who lost phone and codes set up a second step anew, at their next sign-in."""
    from app.accounts import accounts, second_factor
    from app.core.errors import NotFound
    from app.core.permissions import Role

    with opened() as (_settings, database), database.work() as w:
        known = accounts.credentials(w, login)
        if known is None or known.role is Role.CLIENT:
            raise NotFound("There is no member of staff with this login; nothing was changed.")
        second_factor.forget(w, known.person_id)
    did("reset-second-step: done; every session of theirs is over")


@main.command("rotate-keys")
@click.option("--drop-old", is_flag=True, help="Take the master keys off the list that wrap nothing any more.")
@clear_errors
def rotate_keys(drop_old: bool) -> None:
    """Make a new master key and wrap every data key by it. May run beside a server; keep the old file's backup short.

    Stopped half-way, it is simply run again.
    """
    from app.core import keys, rotation
    from app.core import settings as config

    keys.add_master(config.load())
    with opened() as (settings, database):
        wrapped = rotation.rewrap(database)
        dropped = keys.drop_masters(settings, rotation.masters_in_use(database)) if drop_old else 0
    did(f"rotate-keys: {wrapped} keys wrapped anew, {dropped} master keys dropped")


@main.group()
def db() -> None:
    """The database."""


@db.command()
@clear_errors
def upgrade() -> None:
    """Bring the database's tables up to date."""
    from app import migrate
    from app.core import keys
    from app.core import settings as config
    from app.core.crypto import Vault

    settings = config.load()
    did(f"database: at {migrate.upgrade(settings.database_url, Vault(keys.masters(settings)))}")


@main.command()
@clear_errors
def demo() -> None:
    """Fill an empty installation with a demo group, once. Prints the sign-ins. Refused in production."""
    from app import demo as demos

    with opened() as (settings, database):
        made = demos.fill(settings, database)
    did("demo: made" if made else "demo: was there already")


@main.command("first-administrator")
@click.option("--organisation", default="", help="Its name, where there is no organisation yet.")
@clear_errors
def first_administrator(organisation: str) -> None:
    """Make a code for the first administrator of an installation and print it. It is good for a week, once."""
    import groups.models  # noqa: F401 - an invitation may point at a group, so its table must be known
    from app.accounts import staff

    with opened() as (settings, database), database.work() as w:
        code = staff.first_administrator(w, organisation)
    print(code)
    did(f"first-administrator: use this code on {settings.origins[0]}")


@main.command()
@click.argument("login")
@clear_errors
def export(login: str) -> None:
    """Print everything that is kept about one person, as JSON."""
    from app.accounts import erasure
    from app.core import audit as ledger
    from app.main import PARTS

    with opened() as (_settings, database), database.work() as w:
        person_id = erasure.find(w, login)
        data = erasure.export(w, PARTS, person_id)
        ledger.record(w, "person.exported", "person", person_id)
    print(json.dumps(data, ensure_ascii=False, indent=2))
    did("export: done; nobody else's words are in it")


@main.command()
@click.argument("login")
@click.option("--yes", is_flag=True, help="Really do it: it cannot be undone.")
@clear_errors
def erase(login: str, yes: bool) -> None:
    """Destroy one person's account and everything they wrote."""
    from app.accounts import erasure
    from app.main import PARTS

    if not yes:
        raise click.ClickException("This cannot be undone; add --yes to do it. Nothing was erased.")
    with opened() as (_settings, database):
        with database.work() as w:
            erasure.erase(w, PARTS, erasure.find(w, login))
        wiped = erasure.wipe_log(database)
    did("erase: done" if wiped else "erase: done; the database's log is emptied when the server is next stopped")


@main.command("loadtest-people")
@click.option("--groups", type=click.IntRange(1, 2000), required=True)
@click.option("--members", type=click.IntRange(1, 500), required=True)
@click.option("--facilitators", type=click.IntRange(0, 5), default=1, show_default=True)
@clear_errors
def loadtest_people(groups: int, members: int, facilitators: int) -> None:
    """Create groups with signed-in members and print one JSON line a person. Refused in production."""
    from app import demo as demos

    with opened() as (settings, database):
        people = demos.loadtest_people(settings, database, groups, members, facilitators)
        for person in people:
            print(json.dumps(person))
    did(f"loadtest-people: {len(people)} people in {groups} groups")


@main.command()
@click.option("--lang", type=click.Choice(["nl", "en"]), default="nl", show_default=True)
@clear_errors
def screen(lang: str) -> None:
    """Screen JSON lines from standard input to JSON lines on standard output."""
    from moderation.screening import screen as screen_text

    count = 0
    for number, line in enumerate(sys.stdin, 1):
        if not line.strip():
            continue
        item = _screen_line(line, number)
        verdict = screen_text(item["text"], lang=item.get("lang", lang), where=item.get("where", "group"))
        print(json.dumps(_verdict_line(item, verdict), ensure_ascii=False))
        count += 1
    did(f"screen: {count} texts")


def _screen_line(line: str, number: int) -> dict[str, Any]:
    try:
        item: Any = json.loads(line)
    except ValueError:
        raise click.ClickException(f"line {number}: this is not JSON") from None
    if not isinstance(item, dict) or not isinstance(item.get("text"), str):
        raise click.ClickException(f'line {number}: an object with a "text" is needed')
    if item.get("lang", "nl") not in ("nl", "en") or item.get("where", "group") not in (
        "group",
        "pair",
        "report",
    ):
        raise click.ClickException(f'line {number}: "lang" is nl or en, "where" is group, pair or report')
    return item


def _verdict_line(item: dict[str, Any], verdict: Any) -> dict[str, Any]:
    answer = {"id": item["id"]} if "id" in item else {}
    reasons = []
    for reason in verdict.reasons:
        shown: dict[str, Any] = {"kind": reason.kind}
        if reason.start is not None:
            shown |= {"start": reason.start, "end": reason.end}
        reasons.append(shown)
    return answer | {
        "action": verdict.action,
        "alert": verdict.alert,
        "reasons": reasons,
        "text": verdict.text,
    }


@main.group()
def content() -> None:
    """The programmes: what people read and do."""


@content.command("check")
@click.argument("programme", required=False)
@click.option("--language", "measured", is_flag=True, help="Measure how plain the texts are, too.")
@clear_errors
def check_content(programme: str | None, measured: bool) -> None:
    """Look programmes over; one line for each mistake, with file and line. Exit status 0 only if there is none."""
    from app.core import settings as config
    from app.core.errors import NotFound
    from groups.programme import check, curriculum

    folder = config.load().content_dir
    curriculum.look_in(folder)
    mistakes = []
    for slug in [programme] if programme else curriculum.slugs():
        try:
            mistakes += check.check(slug)
        except NotFound:
            raise click.ClickException(f"There is no programme `{slug}`.") from None
        if measured:
            mistakes += _measure(slug)
    for mistake in mistakes:
        print(mistake)
    if mistakes:
        raise click.ClickException(f"content: {len(mistakes)} to mend")
    did("content: everything fits")


def _measure(slug: str) -> list[Any]:
    from app.core.i18n import LANGUAGES
    from groups.programme import plainness

    found: list[Any] = []
    for language in LANGUAGES:
        for name, told in plainness.of_programme(slug, language):
            did(f"{name}: {told.words} words, median {told.median:g}, LIX {told.lix:.0f}")
            found += plainness.mistakes(name, told)
    return found


@main.group()
def audit() -> None:
    """The audit log."""


@audit.command()
@clear_errors
def verify() -> None:
    """Check the whole chain. Exit status 0 only if every line fits."""
    from app.core import audit as ledger

    with opened() as (_settings, database), database.read() as w:
        broken = ledger.verify(w.db, database.seal_key)
    if broken is not None:
        raise click.ClickException(f"audit: line {broken} does not fit the chain")
    did("audit: every line fits")


if __name__ == "__main__":
    main()
