"""A plain browser without scripts: keeps cookies, fills in the form token, follows nothing by itself."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    text: str
    headers: dict[str, str]

    @property
    def token(self) -> str:
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.text)
        assert found, "this page has no form token"
        return found[1]


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


class Browser:
    """`cookie` is a NAME=VALUE pair to begin with."""

    def __init__(self, url: str, cookie: str = "") -> None:
        self.url = url
        self._cookie = cookie
        jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(_Stay(), urllib.request.HTTPCookieProcessor(jar))
        self._jar = jar

    def get(self, path: str, **headers: str) -> Page:
        return self._send(urllib.request.Request(self.url + path, headers=headers))

    def post(self, path: str, fields: dict[str, str] | None = None, *, page: str = "/terug", **headers: str) -> Page:
        """Post a form as a page would: `page` is where its token comes from; an empty one sends no token."""
        data = dict(fields or {})
        if page:
            data["csrf_token"] = self.get(page).token
        body = urllib.parse.urlencode(data).encode()
        return self._send(urllib.request.Request(self.url + path, data=body, headers=headers))

    def _send(self, request: urllib.request.Request) -> Page:
        kept = "; ".join(f"{c.name}={c.value}" for c in self._jar)
        request.add_unredirected_header("Cookie", "; ".join(filter(None, (self._cookie, kept))))
        try:
            answer = self._opener.open(request, timeout=10)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            text = answer.read().decode("utf-8", "replace")
            return Page(answer.status, text, {k.lower(): v for k, v in answer.headers.items()})
