"""The documented error shape, for pages and scripts: what happened, that nothing was lost, what to do."""

from __future__ import annotations

import flask
import pytest

from app.core import errors

JSON = {"Accept": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("get", "/nowhere", 404, "not_found"),
        ("delete", "/", 404, "not_found"),
        ("post", "/terug", 403, "forbidden"),  # no form token
        ("post", "/uit", 403, "forbidden"),
    ],
)
def test_a_refusal_has_one_shape(site: flask.Flask, method: str, path: str, status: int, code: str) -> None:
    answer = getattr(site.test_client(), method)(path, headers=JSON)
    assert answer.status_code == status
    assert set(answer.json) == {"ok", "code", "message"}
    assert (answer.json["ok"], answer.json["code"]) == (False, code)
    page = getattr(site.test_client(), method)(path)
    assert page.status_code == status
    assert answer.json["message"].split(".")[0] in page.get_data(as_text=True)


def test_a_page_of_somebody_who_left_looks_like_the_front_door(site: flask.Flask) -> None:
    for path in ("/vandaag", "/ruimte/abc"):
        assert site.test_client().get(path, headers=JSON).json["code"] == "unauthenticated"
        answer = site.test_client().get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_leaving_works_even_with_a_form_token_that_went_stale(site: flask.Flask) -> None:
    answer = site.test_client().post("/weg", data={"csrf_token": "old"})
    assert answer.status_code == 204
    assert "cookies" in answer.headers["Clear-Site-Data"]


def test_a_crash_shows_no_trace_and_keeps_the_shape(site: flask.Flask) -> None:
    def broken() -> str:
        raise RuntimeError("words of a person")

    broken.__dict__["public"] = True
    site.add_url_rule("/broken", "broken", broken)
    for headers in ({}, JSON):
        answer = site.test_client().get("/broken", headers=headers)
        assert answer.status_code == 503
        assert b"words of a person" not in answer.data
        assert b"Traceback" not in answer.data


def test_a_body_beyond_any_form_is_refused(site: flask.Flask) -> None:
    answer = site.test_client().post("/terug", data={"secret": "x" * 10_000_000}, headers=JSON)
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_every_refusal_has_a_code_of_the_protocol() -> None:
    codes = {
        kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.AppError)
    }
    assert codes == {
        "unauthenticated",
        "forbidden",
        "not_found",
        "invalid",
        "too_large",
        "rate_limited",
        "muted",
        "closed",
        "unavailable",
    }


def test_every_page_keeps_to_itself(site: flask.Flask) -> None:
    answer = site.test_client().get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "trusted-types samen-worker" in policy.split("; ")  # makes the address of the worker, and no other
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    text = answer.get_data(as_text=True)
    assert " style=" not in text
    assert "<style" not in text
    assert "<script>" not in text
    assert "http://" not in text.replace("http://www.w3.org", "")
