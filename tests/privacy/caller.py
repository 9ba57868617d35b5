"""Somebody's browser, with everything along that gives a person away; it keeps what the server says of itself."""

from __future__ import annotations

import html
import http.client
import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from tests.site import _Stay

OWN_ADDRESS = "127.0.77.42"  # where these browsers are, as far as the server's own socket can tell


class _FromThere(urllib.request.HTTPHandler):
    """Connects from an address that stands out, should the server keep it anywhere."""

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(http.client.HTTPConnection, source_address=(OWN_ADDRESS, 0)), request)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str
    location: str

    def one(self, pattern: str) -> str:
        """The first group of a pattern, as a reader sees it."""
        return self.all(pattern)[0]

    def all(self, pattern: str) -> list[str]:
        found = re.findall(pattern, self.text, re.S)
        assert found, f"{pattern} is not in this page ({self.status})"
        return [html.unescape(f) for f in found]


class Caller:
    """A browser without scripts. `carries` are request headers that go along each time."""

    def __init__(self, url: str, carries: Mapping[str, str], headers: list[tuple[str, str]]) -> None:
        self.url, self._carries, self._headers = url, carries, headers
        self.tokens: set[str] = set()
        self.jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(_FromThere(), _Stay(), urllib.request.HTTPCookieProcessor(self.jar))

    @property
    def cookie(self) -> str:
        """The session this browser holds."""
        return next((c.value or "" for c in self.jar if c.name == "samen_session"), "")

    def get(self, path: str, status: int = 200) -> Answer:
        return self._send(urllib.request.Request(self.url + path), status)

    def post(self, path: str, fields: Mapping[str, object] | None = None, status: int = 303) -> Answer:
        """Post a form with the token of a page; `status` is what must come back."""
        token = self.get("/hulp").one(r'name="csrf-token" content="([^"]+)"')
        self.tokens.add(token)
        body = urllib.parse.urlencode({"csrf_token": token, **(fields or {})}, doseq=True).encode()
        return self._send(urllib.request.Request(self.url + path, data=body), status)

    def _send(self, request: urllib.request.Request, status: int) -> Answer:
        for name, value in self._carries.items():
            request.add_unredirected_header(name, value)
        kept = "; ".join(f"{c.name}={c.value}" for c in self.jar)
        request.add_unredirected_header("Cookie", "; ".join(filter(None, (self._carries.get("Cookie", ""), kept))))
        try:
            answer = self._opener.open(request, timeout=20)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            text = answer.read().decode("utf-8", "replace")
            self._headers += answer.headers.items()
            assert answer.status == status, (request.full_url, answer.status, re.findall(r'role="alert".*?</p>', text))
            return Answer(answer.status, text, answer.headers.get("Location") or "")
