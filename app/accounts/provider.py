"""Speaks to an institution's own sign-in (OpenID Connect): where to send somebody, and who came back.

Nothing the institution sends is kept, shown or logged: only the subject of a token that was checked leaves this
module. Every call has a timeout; every failure is one `Unproven` with a code for the log.
"""

from __future__ import annotations

import secrets
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.core.settings import Settings, SettingsError

PATIENCE = (3.0, 5.0)  # seconds to reach the institution, and to hear from it
REMEMBERED = 3600.0  # seconds that its addresses and keys are remembered
ASKED_AGAIN = 60.0  # seconds between two looks for a key that was not there
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")  # never one whose key is shared, never none
LEEWAY = 60  # seconds that two clocks may differ

_ASYMMETRIC = ("RSA", "EC", "OKP")
_ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Unproven(Exception):
    """The institution did not prove who somebody is. `code` says in which way, for the log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Begun:
    """What has to be remembered of somebody who was sent away, to believe who comes back."""

    state: str
    nonce: str
    verifier: str


class Provider:
    """One institution. Remembers its addresses and keys for an hour."""

    def __init__(self, issuer: str, client_id: str, secret: str) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._secret = secret
        self._about: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def begin(self, redirect: str) -> tuple[str, Begun]:
        """The address to send somebody to, and what to remember of it. Raises `Unproven`."""
        begun = Begun(*(secrets.token_urlsafe(32) for _ in range(3)))
        with self._client(redirect) as client:
            address, _state = client.create_authorization_url(
                self._described()["authorization_endpoint"],
                state=begun.state,
                nonce=begun.nonce,
                code_verifier=begun.verifier,
            )
        return str(address), begun

    def finish(self, begun: Begun, redirect: str, code: str, now: datetime) -> str:
        """Who came back with `code`: what the institution calls them, which never changes. Raises `Unproven`."""
        try:
            with self._client(redirect) as client:
                answer = client.fetch_token(
                    self._described()["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=begun.verifier,
                    timeout=PATIENCE,
                    allow_redirects=False,
                )
        except (requests.RequestException, AuthlibBaseError, ValueError, TypeError, KeyError, AttributeError):
            raise Unproven("exchange") from None
        token = answer.get("id_token") if isinstance(answer, Mapping) else None
        if not isinstance(token, str):
            raise Unproven("no_token")
        return self._subject(token, begun.nonce, now)

    def _subject(self, token: str, nonce: str, now: datetime) -> str:
        try:
            try:
                claims = jwt.decode(token, self._signing_keys(), algorithms=ALGORITHMS).claims
            except (JoseError, ValueError):  # perhaps the institution signs with a new key
                claims = jwt.decode(token, self._signing_keys(again=True), algorithms=ALGORITHMS).claims
        except (JoseError, ValueError, TypeError, KeyError):
            raise Unproven("signature") from None
        wanted = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self._client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            wanted.validate(claims)
        except (JoseError, ValueError, TypeError):
            raise Unproven("claims") from None
        subject, party = claims["sub"], claims.get("azp")
        alone = claims["aud"] in (self._client_id, [self._client_id])
        if party != self._client_id and (party is not None or not alone):
            raise Unproven("claims")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise Unproven("claims")
        return subject

    def _described(self) -> dict[str, Any]:
        """What the institution says of itself, checked. Raises `Unproven`."""
        if self._about and time.monotonic() - self._about[0] < REMEMBERED:
            return self._about[1]
        about = _fetched(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        scheme = self.issuer.partition("://")[0]
        if about.get("issuer") != self.issuer:
            raise Unproven("issuer")
        if not all(str(about.get(name, "")).startswith(("https://", f"{scheme}://")) for name in _ADDRESSES):
            raise Unproven("addresses")
        self._about = (time.monotonic(), about)
        return about

    def _signing_keys(self, *, again: bool = False) -> KeySet:
        known = self._keys
        if known and time.monotonic() - known[0] < (ASKED_AGAIN if again else REMEMBERED):
            return known[1]
        listed = _fetched(self._described()["jwks_uri"]).get("keys")
        usable = [
            key
            for key in (listed if isinstance(listed, list) else [])
            if isinstance(key, dict) and key.get("kty") in _ASYMMETRIC and key.get("use", "sig") == "sig"
        ]
        found = KeySet.import_key_set({"keys": usable})
        self._keys = (time.monotonic(), found)
        return found

    def _client(self, redirect: str) -> Any:
        return OAuth2Session(
            self._client_id,
            self._secret,
            scope="openid",
            redirect_uri=redirect,
            code_challenge_method="S256",
            token_endpoint_auth_method=self._way_to_prove_ourselves(),
        )

    def _way_to_prove_ourselves(self) -> str:
        offered = self._described().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"


def of(settings: Settings) -> Provider | None:
    """The institution of this installation, if it has one. Raises `SettingsError` for a secret that is not one."""
    if not settings.oidc_issuer or settings.oidc_secret_file is None:
        return None
    return Provider(settings.oidc_issuer, settings.oidc_client_id, _read_secret(settings.oidc_secret_file))


def _read_secret(path: Path) -> str:
    if not path.is_file():
        raise SettingsError("SAMEN_OIDC_SECRET_FILE must name a file with the client secret.")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError("SAMEN_OIDC_SECRET_FILE can be read by others; set its mode to 0600 first.")
    secret = path.read_text(encoding="utf-8", errors="replace").strip()
    if len(secret) < 16 or len(set(secret)) < 6:
        raise SettingsError("SAMEN_OIDC_SECRET_FILE holds no secret that an institution would give.")
    return secret


def _fetched(address: str) -> dict[str, Any]:
    try:
        answer = requests.get(address, timeout=PATIENCE, allow_redirects=False)
        found = answer.json() if answer.status_code == 200 else None
    except (requests.RequestException, ValueError):
        raise Unproven("unreachable") from None
    if not isinstance(found, dict):
        raise Unproven("unreachable")
    return found
