"""The Dockerfile, read instruction by instruction (hadolint 2.15.1 has nothing to say about it, run by hand)."""

from __future__ import annotations

import re
import tomllib

from tests.deploy.files import DEPLOY, ROOT

KNOWN = {
    "FROM",
    "WORKDIR",
    "COPY",
    "RUN",
    "ENV",
    "USER",
    "VOLUME",
    "EXPOSE",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "ENTRYPOINT",
    "CMD",
}


def instructions() -> list[tuple[str, str]]:
    text = (DEPLOY / "Dockerfile").read_text()
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    return [
        (word, " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)
    ]


def test_it_parses() -> None:
    """Every line is an instruction that Docker knows; the last stage is what runs."""
    assert {word for word, _ in instructions()} <= KNOWN
    assert [rest.split()[-1] for word, rest in instructions() if word == "FROM"] == ["build", "python:3.13-slim"]


def test_it_does_not_run_as_root() -> None:
    """The last USER is a number that is not 0, so that an orchestrator can check it."""
    users = [rest for word, rest in instructions() if word == "USER"]
    assert users
    assert int(users[-1]) > 0
    assert f"--uid {users[-1]}" in (DEPLOY / "Dockerfile").read_text()


def test_numba_can_write_its_cache() -> None:
    """Else the container dies with "no locator available": the folder is set and belongs to the user."""
    env = next(rest for word, rest in instructions() if word == "ENV")
    folder = re.search(r"NUMBA_CACHE_DIR=(\S+)", env)
    assert folder
    assert any(word == "RUN" and "-o greengauge" in rest and folder[1] in rest for word, rest in instructions())


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    """The lock is there, with hashes and the build's own tools; .dockerignore keeps secrets and tests out, no room."""
    lock = (ROOT / "requirements/run.txt").read_text()
    assert "--hash=sha256:" in lock
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert all(re.split(r"[<>=]", need)[0] + "==" in lock for need in build)
    ignored = set((ROOT / ".dockerignore").read_text().split())
    assert {".env", ".git", "tests"} <= ignored
    assert not ignored & {"devices", "ingest", "scoring", "greengauge", "requirements", "README.md"}


def test_health_is_asked() -> None:
    """The check is /healthz on the port that is exposed."""
    health = next(rest for word, rest in instructions() if word == "HEALTHCHECK")
    port = next(rest for word, rest in instructions() if word == "EXPOSE")
    assert f"http://127.0.0.1:{port}/healthz" in health
