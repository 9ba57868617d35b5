"""All settings: typed, frozen, read from the environment once. `docs/settings.md` explains each of them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    session_days: int = 30
    outreach_minutes_buddy: int = 120
    outreach_minutes_facilitator: int = 120
    proxies: int = 0
    log_level: str = "INFO"

    @property
    def production(self) -> bool:
        return self.environment == "production"

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
        session_days=_number(env, "SAMEN_SESSION_DAYS", 30, 1, 90),
        outreach_minutes_buddy=_number(env, "SAMEN_OUTREACH_MINUTES_BUDDY", 120, 1, 1440),
        outreach_minutes_facilitator=_number(env, "SAMEN_OUTREACH_MINUTES_FACILITATOR", 120, 1, 1440),
        proxies=_number(env, "SAMEN_PROXIES", 0, 0, 5),
        log_level=_one_of(env, "SAMEN_LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
    )
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    if settings.origin and not re.fullmatch(r"https?://[a-z0-9.\-]+(:\d{1,5})?", settings.origin):
        raise SettingsError("SAMEN_ORIGIN must be one full origin such as https://samen.example, never a wildcard.")
    if settings.production and not settings.origin.startswith("https://"):
        raise SettingsError("In production SAMEN_ORIGIN must name the https origin that people use.")


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
