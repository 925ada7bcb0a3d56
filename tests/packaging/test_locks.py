"""The lock files install what is needed, whatever the index holds and however old pip is."""

import re
from pathlib import Path

import pytest

from tests.packaging.conftest import Installed, newer_releases
from tests.packaging.locks import DEV, ENVIRONMENTS, ROOT, RUNTIME, locked, stanzas, wanted
from tests.unit.test_project import our_files

INSTALLS = re.compile(r"pip install .*requirements[\w-]*\.txt")


@pytest.mark.parametrize("lock_file", [RUNTIME, DEV])
def test_a_lock_is_complete_on_every_platform_and_python(lock_file: str):
    lacking = set()
    for environment in ENVIRONMENTS:
        there = locked(lock_file, environment)
        lacking |= {
            f"{one.by} needs {one.requirement} (Python {environment['python_version']}, "
            f"{environment['platform_system']})"
            for one in wanted(lock_file, environment)
            if not one.requirement.specifier.contains(there.get(one.name, "0"))
        }

    assert not lacking


def test_a_lock_holds_nothing_that_nobody_needs():
    for lock_file in (RUNTIME, DEV):
        needed = {
            one.name for environment in ENVIRONMENTS for one in wanted(lock_file, environment)
        }

        assert set(stanzas(lock_file)) <= needed


def test_what_a_host_installs_without_our_options_is_asked_for_without_extras():
    """Heroku's pip resolves: an extra of a locked package would be looked for in the index."""
    extras = {
        str(one.requirement)
        for environment in ENVIRONMENTS
        for one in wanted(RUNTIME, environment)
        if one.requirement.extras and one.by != "ballast"
    }

    assert not extras


def test_whoever_installs_a_lock_resolves_nothing_and_checks_the_hashes():
    lines = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in our_files()
        if path.suffix != ".py"
        for line in path.read_text(errors="replace").replace("\\\n", " ").splitlines()
        if INSTALLS.search(line)
    ]
    by_hand = [line for line in lines if "$(LOCKED)" not in line]

    assert len(by_hand) > 2
    assert "--no-deps --require-hashes" in (ROOT / "Makefile").read_text()
    assert [line for line in by_hand if "--no-deps --require-hashes" not in line] == []


def test_an_old_pip_installs_the_locked_release_beside_a_newer_one(
    installed: Installed, tmp_path: Path
):
    """It would resolve `coverage[toml]` to the newest release, which has no hash in the file."""
    packages = stanzas(DEV)
    asked_with_extras = {
        name
        for one in wanted(DEV, ENVIRONMENTS[0])
        if one.requirement.extras and one.by != "ballast"
        for name in (one.by, one.name)
    }
    some = tmp_path / "some.txt"
    some.write_text("".join(packages[name] for name in sorted(asked_with_extras)))

    assert {"coverage", "pytest-cov"} <= asked_with_extras
    done = installed.pip_install(some, find_links=newer_releases(packages, tmp_path / "newer"))
    assert done.returncode == 0, done.stderr
    assert "coverage-7" in done.stdout


def test_after_a_complete_lock_pip_misses_nothing(installed: Installed):
    checked = installed.pip("check")

    assert checked.returncode == 0, checked.stdout
