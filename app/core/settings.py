"""All settings: typed, frozen, read from the environment once. `docs/settings.md` explains each of them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypeVar

T = TypeVar("T", bound=str)

AsyncMode = Literal["eventlet", "gevent", "threading"]
ASYNC_MODES: tuple[AsyncMode, ...] = ("eventlet", "gevent", "threading")


class SettingsError(Exception):
    """The environment asks for something that cannot be; the message is one clear sentence."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process runs. Paths are absolute; times are in seconds unless the name says otherwise."""

    environment: Literal["local", "production"] = "local"
    data_dir: Path = field(default_factory=lambda: Path("instance").resolve())
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = 5000
    origin: str = ""
    async_mode: AsyncMode = "eventlet"
    sweeps: Literal["inside", "apart"] = "inside"
    leave_url: str = "/elders"
    content_dir: Path | None = None
    session_days: int = 30
    staff_hours: int = 12
    outreach_minutes_buddy: int = 120
    outreach_minutes_facilitator: int = 120
    follow_up_hours: int = 24
    reminder_hours: int = 24
    reminder_minutes: int = 60
    proxies: int = 0
    log_level: str = "INFO"
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_secret_file: Path | None = None
    oidc_name: str = ""
    oidc_second_factor: Literal["own", "institution"] = "own"

    @property
    def production(self) -> bool:
        return self.environment == "production"

    def lasts(self, *, staff: bool) -> timedelta:
        """How long a session may last at most: days for clients, a working day for staff."""
        return timedelta(hours=self.staff_hours) if staff else timedelta(days=self.session_days)

    @property
    def origins(self) -> tuple[str, ...]:
        """The only origins that may open a live connection. Never empty: an empty list would switch the check off."""
        if self.origin:
            return (self.origin,)
        return (f"http://127.0.0.1:{self.port}", f"http://localhost:{self.port}")


def load(env: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `env` (default: the process environment). Raises `SettingsError`."""
    env = os.environ if env is None else env
    data_dir = Path(env.get("SAMEN_DATA_DIR") or "instance").expanduser().resolve()
    settings = Settings(
        environment=_one_of(env, "SAMEN_ENVIRONMENT", ("local", "production"), "local"),
        data_dir=data_dir,
        database_url=env.get("SAMEN_DATABASE_URL") or f"sqlite:///{data_dir / 'samen.db'}",
        host=env.get("SAMEN_HOST") or "127.0.0.1",
        port=_number(env, "PORT", 5000, 1, 65535),
        origin=(env.get("SAMEN_ORIGIN") or "").rstrip("/"),
        async_mode=_one_of(env, "SAMEN_ASYNC_MODE", ASYNC_MODES, "eventlet"),
        sweeps=_one_of(env, "SAMEN_SWEEPS", ("inside", "apart"), "inside"),
        leave_url=env.get("SAMEN_LEAVE_URL") or "/elders",
        content_dir=_path(env.get("SAMEN_CONTENT_DIR")),
        session_days=_number(env, "SAMEN_SESSION_DAYS", 30, 1, 90),
        staff_hours=_number(env, "SAMEN_STAFF_HOURS", 12, 1, 24),
        outreach_minutes_buddy=_number(env, "SAMEN_OUTREACH_MINUTES_BUDDY", 120, 1, 1440),
        outreach_minutes_facilitator=_number(env, "SAMEN_OUTREACH_MINUTES_FACILITATOR", 120, 1, 1440),
        follow_up_hours=_number(env, "SAMEN_FOLLOW_UP_HOURS", 24, 1, 168),
        reminder_hours=_number(env, "SAMEN_REMINDER_HOURS", 24, 0, 72),
        reminder_minutes=_number(env, "SAMEN_REMINDER_MINUTES", 60, 0, 240),
        proxies=_number(env, "SAMEN_PROXIES", 0, 0, 5),
        log_level=_one_of(env, "SAMEN_LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
        oidc_issuer=env.get("SAMEN_OIDC_ISSUER") or "",
        oidc_client_id=env.get("SAMEN_OIDC_CLIENT_ID") or "",
        oidc_secret_file=_path(env.get("SAMEN_OIDC_SECRET_FILE")),
        oidc_name=(env.get("SAMEN_OIDC_NAME") or "").strip(),
        oidc_second_factor=_one_of(env, "SAMEN_OIDC_SECOND_FACTOR", ("own", "institution"), "own"),
    )
    check(settings)
    return settings


def check(settings: Settings) -> None:
    """Refuse a combination that must not run, however it was made. Raises `SettingsError`."""
    if settings.origin and not re.fullmatch(r"https?://[a-z0-9.\-]+(:\d{1,5})?", settings.origin):
        raise SettingsError("SAMEN_ORIGIN must be one full origin such as https://samen.example, never a wildcard.")
    if settings.production and not settings.origin.startswith("https://"):
        raise SettingsError("In production SAMEN_ORIGIN must name the https origin that people use.")
    if settings.content_dir and not settings.content_dir.is_dir():
        raise SettingsError("SAMEN_CONTENT_DIR must name a folder with programmes.")
    _check_oidc(settings)


def _check_oidc(settings: Settings) -> None:
    """An institution's own sign-in is set up whole or not at all."""
    needed = (settings.oidc_issuer, settings.oidc_client_id, settings.oidc_secret_file, settings.oidc_name)
    if not any(needed):
        return
    if not all(needed):
        raise SettingsError(
            "SAMEN_OIDC_ISSUER, SAMEN_OIDC_CLIENT_ID, SAMEN_OIDC_SECRET_FILE and SAMEN_OIDC_NAME go together."
        )
    if len(settings.oidc_name) > 40 or not settings.oidc_name.isprintable():
        raise SettingsError("SAMEN_OIDC_NAME must be a short name for a button, of at most 40 characters.")
    https = re.fullmatch(r"https://[a-z0-9.\-]+(:\d{1,5})?(/[\w.~/\-]*)?", settings.oidc_issuer)
    local = re.fullmatch(r"http://(127\.0\.0\.1|localhost)(:\d{1,5})?(/[\w.~/\-]*)?", settings.oidc_issuer)
    if not https and (settings.production or not local):
        raise SettingsError("SAMEN_OIDC_ISSUER must be the https address of the institution's sign-in.")


def _path(value: str | None) -> Path | None:
    return Path(value).expanduser().resolve() if value else None


def _one_of(env: Mapping[str, str], name: str, allowed: tuple[T, ...], default: T) -> T:
    value = env.get(name) or default
    for option in allowed:
        if value == option:
            return option
    raise SettingsError(f"{name} must be one of {', '.join(allowed)}.")


def _number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    raw = env.get(name)
    if not raw:
        return default
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 9 and low <= int(raw) <= high):
        raise SettingsError(f"{name} must be a whole number from {low} to {high}.")
    return int(raw)
