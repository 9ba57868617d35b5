"""Rules of the house about its files."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = [p for top in ("app", "groups", "matching", "moderation") for p in (ROOT / top).rglob("*.py")]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in listed.splitlines() if (ROOT / line).is_file()]


def test_files_and_functions_stay_small_enough_to_live_in() -> None:
    for file in CODE:
        if "migrations" in file.parts:
            continue
        text = file.read_text(encoding="utf-8")
        assert text.count("\n") <= 420, file
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                assert node.end_lineno - node.lineno <= 60, f"{file}:{node.name}"


@pytest.mark.parametrize("name", ["eventlet", "bleach"])
def test_what_is_at_the_end_of_its_life_is_known_to_one_module(name: str) -> None:
    users = [
        f.relative_to(ROOT).as_posix() for f in CODE if re.search(rf"^\s*(?:import|from) {name}\b", f.read_text(), re.M)
    ]
    assert users == {"eventlet": ["app/live/eventlet_driver.py"], "bleach": ["app/core/text.py"]}[name]


def test_templates_trust_nothing() -> None:
    for template in (ROOT / "templates").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape false", text), template
        assert not re.search(r"\son\w+=|<style|style=|<script>", text), template


def test_scripts_never_write_markup() -> None:
    for script in (ROOT / "static/js").rglob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", script.read_text()), (
            script
        )


def test_the_two_dark_blocks_are_the_same() -> None:
    css = (ROOT / "static/css/tokens.css").read_text(encoding="utf-8")
    blocks = re.findall(r"\{\s*(color-scheme: dark;.*?)\}", css, re.S)
    assert len(blocks) == 2
    assert " ".join(blocks[0].split()) == " ".join(blocks[1].split())


def test_lock_files_name_no_host() -> None:
    node = (ROOT / "package-lock.json", ROOT / "benchmarks/node/package-lock.json")
    for lock in (*(ROOT / "requirements").glob("*.txt"), *node):
        text = lock.read_text(encoding="utf-8")
        assert "index-url" not in text
        assert not re.search(r'"resolved"', text), lock
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert all("integrity" in about for name, about in packages.items() if name)


def test_nothing_third_party_or_personal_is_committed() -> None:
    for file in tracked():
        name = file.relative_to(ROOT).as_posix()
        assert not name.startswith(("static/vendor/", "node_modules/", "instance/", ".venv/")), name
        assert file.stat().st_size < 1_000_000, name


def test_every_dependency_has_its_line() -> None:
    page = (ROOT / "docs/decisions/dependencies.md").read_text(encoding="utf-8").lower()
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = re.findall(r'^  "([a-zA-Z0-9_-]+)(?:\[\w+\])?>=', project, re.M)
    front = json.loads((ROOT / "package.json").read_text())["dependencies"]
    assert len(named) > 20
    for name in [*named, *front]:
        assert f"| {name.lower()} " in page, name


def test_logs_carry_codes_and_never_a_persons_words() -> None:
    for file in CODE:
        for call in re.findall(r"log\.\w+\((.*?)\)", file.read_text(encoding="utf-8"), re.S):
            assert not re.search(r"\btext\b|alias|passphrase|login|secret|cookie|remote_addr", call), (file, call)
