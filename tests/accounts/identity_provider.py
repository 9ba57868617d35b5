"""An institution's sign-in on this machine: an OpenID Connect provider that can be told to misbehave."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "samen"
CLIENT_SECRET = "4Ttq-9gk2-LmZx-77Qe"


class Institution:
    """The provider. `misbehave` names what it does wrong; `subject` is who signs in there; `claims` go over its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.subject = "sub-of-hanna"
        self.misbehave = ""
        self.claims: dict[str, Any] = {}
        self.algorithm = "RS256"
        self.asked: list[dict[str, str]] = []  # what each visitor was sent with
        self.served: list[str] = []  # every path that was asked for
        self.stalled = threading.Event()
        self._codes: dict[str, dict[str, str]] = {}
        self._key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})

    def turn_key(self, name: str) -> None:
        """Sign with a new key from now on."""
        self._key = RSAKey.generate_key(2048, {"kid": name, "use": "sig"})

    def sign_in(self, address: str) -> str:
        """Somebody signs in there and is sent back: the address, as their browser would follow it."""
        asked = {k: v[0] for k, v in urllib.parse.parse_qs(urllib.parse.urlsplit(address).query).items()}
        assert address.startswith(f"{self.url}/authorize?"), address
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert asked["scope"] == "openid"
        assert asked["code_challenge_method"] == "S256"
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.url}
        if self.misbehave == "decline":
            answer = {"error": "access_denied", "state": asked["state"]}
        if self.misbehave == "other issuer":
            answer["iss"] = "https://elsewhere.example"
        return asked["redirect_uri"] + "?" + urllib.parse.urlencode(answer)

    def answer(self, path: str, fields: dict[str, str], authorization: str) -> tuple[int, bytes]:
        """What is sent back for a path."""
        self.served.append(path)
        if self.misbehave == "down":
            return 503, b"<html>later</html>"
        if self.misbehave == "slow":
            self.stalled.wait(5)
        if path == "/.well-known/openid-configuration":
            return 200, json.dumps(self._described()).encode()
        if path == "/keys":
            return 200, json.dumps({"keys": [self._key.as_dict(private=False)]}).encode()
        if path == "/token":
            return self._exchange(fields, authorization)
        return 404, b"{}"

    def _described(self) -> dict[str, Any]:
        issuer = "https://elsewhere.example" if self.misbehave == "wrong name" else self.url
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": "ftp://elsewhere.example" if self.misbehave == "odd address" else f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        }

    def _exchange(self, fields: dict[str, str], authorization: str) -> tuple[int, bytes]:
        asked = self._codes.pop(fields.get("code", ""), None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(fields.get("code_verifier", "").encode()).digest())
        known = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if (
            asked is None
            or asked["code_challenge"] != proof.rstrip(b"=").decode()
            or asked["redirect_uri"] != fields.get("redirect_uri")
            or authorization != f"Basic {known}"
        ):
            return 400, b'{"error": "invalid_grant"}'
        if self.misbehave == "nonsense":
            return 200, b"[1, 2"
        if self.misbehave == "no token":
            return 200, b'{"access_token": "a", "token_type": "Bearer"}'
        answer = {"access_token": "a-token", "token_type": "Bearer", "id_token": self._token(asked["nonce"])}
        return 200, json.dumps(answer).encode()

    def _token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "sub": self.subject, "nonce": nonce, "iat": now, "exp": now + 300}
        claims = {k: v for k, v in (claims | self.claims).items() if v is not None}
        key, header = self._key, {"alg": self.algorithm, "kid": str(self._key.as_dict().get("kid"))}
        if self.misbehave == "wrong key":
            key = RSAKey.generate_key(2048, {"kid": header["kid"]})
        if self.misbehave == "unsigned":
            return f"{_part({'alg': 'none'})}.{_part(claims)}."
        if self.misbehave == "signed with the public key":
            return _signed_with_public_key(claims, self._key)
        return jwt.encode(header, claims, key, algorithms=[self.algorithm])


@contextmanager
def institution() -> Iterator[Institution]:
    """A provider that runs until the block ends."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        made = server.institution = Institution(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            made.stalled.set()
            server.shutdown()
            thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        self._answer({k: v[0] for k, v in urllib.parse.parse_qs(body).items()})

    def _answer(self, fields: dict[str, str]) -> None:
        made: Institution = self.server.institution  # type: ignore[attr-defined]
        status, body = made.answer(self.path, fields, self.headers.get("Authorization", ""))
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # who asked did not wait for the answer

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def _signed_with_public_key(claims: dict[str, Any], key: RSAKey) -> str:
    """The old trick: the public key, which everybody has, used as if it were a shared secret."""
    import hmac

    head = f"{_part({'alg': 'HS256', 'kid': str(key.as_dict().get('kid'))})}.{_part(claims)}"
    signature = hmac.new(key.as_pem(private=False), head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
