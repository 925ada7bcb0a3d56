"""Files that must agree with each other, and what must never be in any of them."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config.env import VARIABLES
from bot.config.process_type import ProcessType
from bot.version import VERSION

ROOT = Path(__file__).parents[2]
LOCK_FILES = ("requirements.txt", "requirements-dev.txt")
INSTALLER = "requirements-uv.txt"
APART = {"release": "requirements-release.txt", "docs": "requirements-docs.txt"}
# The old name of CHECK_INTERVAL, which nobody should start with.
NOT_FOR_THE_EXAMPLE = {"DELTA"}
# Where somebody's machine keeps its files; a path that every machine has is no secret.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|Users|work|workspace|opt|mnt)/\w")
OUR_HIDDEN = {
    ".ci",
    ".dockerignore",
    ".editorconfig",
    ".env.example",
    ".github",
    ".gitignore",
    ".pre-commit-config.yaml",
    ".python-version",
}


def read(name: str) -> str:
    return (ROOT / name).read_text()


def our_files() -> Iterator[Path]:
    """What is meant to be in the repository: no environment, no caches, no data."""
    for top in ROOT.iterdir():
        if (top.name.startswith(".") and top.name not in OUR_HIDDEN) or top.name in {
            "data",
            "site",
        }:
            continue
        found = [top] if top.is_file() else top.rglob("*")
        yield from (p for p in found if p.is_file() and "__pycache__" not in p.parts)


def pinned(lock_file: str) -> dict[str, str]:
    """Each requirement with all that belongs to it."""
    joined = re.sub(r" \\\n +", " ", read(lock_file))
    lines = [line for line in joined.splitlines() if line and not line.startswith((" ", "#"))]
    return {line.split("==")[0]: line for line in lines}


def test_the_version_is_the_same_everywhere():
    assert tomllib.loads(read("pyproject.toml"))["project"]["version"] == VERSION


def test_the_example_of_a_settings_file_names_every_variable_and_no_other():
    example = read(".env.example")
    named = re.findall(r"(?m)^([A-Z_]+)=", example)

    assert set(named) == VARIABLES.keys() - NOT_FOR_THE_EXAMPLE
    assert len(named) == len(set(named))
    assert "DELTA" in example


def test_the_host_migrates_before_it_starts_processes_and_knows_all_types_of_them():
    roles = [f"{role.value}: python -m bot {role.value}" for role in ProcessType]

    assert read("Procfile").splitlines() == ["release: alembic upgrade head", *roles]


@pytest.mark.parametrize("lock_file", [*LOCK_FILES, INSTALLER, *APART.values()])
def test_a_lock_file_pins_by_hash_and_names_no_source(lock_file):
    without_hash = [
        name
        for name, line in pinned(lock_file).items()
        if not re.search(r"==\S+( ; .+)? --hash=sha256:[0-9a-f]{64}", line)
    ]

    assert not without_hash
    assert not re.search(r"://|--(?:extra-)?index|--find-links|^-", read(lock_file), re.MULTILINE)


def test_the_lock_files_agree_and_hold_what_the_project_asks_for():
    for_running, for_all = map(pinned, LOCK_FILES)
    asked = tomllib.loads(read("pyproject.toml"))
    groups = asked["dependency-groups"]
    names = {
        re.split(r"[\[<>=~]", requirement)[0]
        for requirement in asked["project"]["dependencies"] + groups["install"] + groups["dev"]
        if isinstance(requirement, str)
    }

    assert names <= {name.partition("[")[0] for name in for_all}
    assert {name: for_all.get(name) for name in for_running} == for_running
    assert pinned(INSTALLER) == {"uv": for_all["uv"]}
    for group, lock_file in APART.items():
        assert {re.split(r"[<>=]", wanted)[0] for wanted in groups[group]} <= pinned(
            lock_file
        ).keys()


def test_our_migrations_do_not_hide_the_library_of_the_same_name():
    assert not (ROOT / "alembic" / "__init__.py").exists()


def test_no_file_tells_of_the_machine_it_was_written_on():
    telling = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in our_files()
        if (found := MACHINE_PATH.findall(path.read_text(errors="replace")))
    ]

    assert not telling
