"""A browser without scripts on the app itself, without a server: keeps cookies and fills in the form token."""

from __future__ import annotations

import re

import flask
from werkzeug.test import TestResponse

from app.accounts import second_factor

PASSWORD = "een wachtwoord voor de proef"
WORDS = "boom roos vis maan steen brood"
SECRETS = {"hanna": second_factor.new_secret(), "ilse": second_factor.new_secret()}  # of their authenticators


class Visitor:
    """Somebody at the door of `site`; `base` is the address they typed."""

    def __init__(self, site: flask.Flask, base: str = "http://localhost:5000") -> None:
        self.client = site.test_client()
        self.base = base
        self.house = site.extensions["samen"]

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url=self.base)

    def post(self, path: str, fields: dict[str, str] | None = None, *, json: bool = False) -> TestResponse:
        """Post a form as a page would, with the token of the sign-in page."""
        token = re.search(r'name="csrf-token" content="([^"]+)"', self.get("/hulp").get_data(as_text=True))
        assert token
        headers = {"Accept": "application/json"} if json else {}
        return self.client.post(
            path, base_url=self.base, data={"csrf_token": token[1], **(fields or {})}, headers=headers
        )

    def sign_in(self, login: str, secret: str) -> TestResponse:
        return self.post("/terug", {"login": login, "secret": secret})

    @property
    def token(self) -> str:
        """The session this browser holds, or nothing."""
        cookie = self.client.get_cookie(self.house.cookie, domain=self.base.split("/")[2].split(":")[0])
        return cookie.value if cookie else ""

    @property
    def inside(self) -> bool:
        return self.get("/meer").status_code == 200

    def keep_visit(self) -> str:
        """What the browser keeps as a visitor, to put it back later as a thief of it would."""
        cookie = self.client.get_cookie("samen_visit", domain="localhost")
        return cookie.value if cookie else ""

    def put_visit(self, value: str) -> None:
        self.client.set_cookie("samen_visit", value, domain="localhost")
