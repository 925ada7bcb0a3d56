"""The program as a package: everything is in the wheel, and it runs far from the checkout."""

import zipfile
from pathlib import Path

from bot.version import VERSION
from engine.storage import schema
from tests.packaging.conftest import Installed
from tests.packaging.locks import ROOT
from tests.sampling import LONG


def files_of(folder: str) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_packages_whole_and_the_migrations_inside(installed: Installed):
    with zipfile.ZipFile(installed.wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    migrations = {
        f"engine/_migrations{name.removeprefix('alembic')}" for name in files_of("alembic")
    }

    assert names == files_of("bot") | files_of("engine") | migrations
    assert {"bot/py.typed", "engine/py.typed"} <= names


@LONG
def test_the_package_is_of_this_version_and_leaves_the_library_of_our_folders_name_alone(
    installed: Installed, tmp_path: Path
):
    (ours,) = installed.packages.glob("ballast-*.dist-info")
    library = installed.packages / "alembic"

    assert ours.name == f"ballast-{VERSION}.dist-info"
    assert f"\nVersion: {VERSION}\n" in (ours / "METADATA").read_text()
    assert installed.run("ballast", "--version", folder=tmp_path).stdout == f"Ballast {VERSION}\n"
    assert (library / "__init__.py").is_file()
    assert not (library / "versions").exists()


def test_the_command_plays_the_tour_from_another_folder(installed: Installed, tmp_path: Path):
    toured = installed.run("ballast", folder=tmp_path)

    assert toured.returncode == 0, toured.stdout + toured.stderr
    assert "DRY RUN · Sold" in toured.stdout
    assert "The tour is over." in toured.stdout
    assert list(tmp_path.iterdir()) == []


@LONG
def test_the_command_ends_with_the_codes_of_the_program(installed: Installed, tmp_path: Path):
    refused = installed.run("ballast", "worker", folder=tmp_path)

    assert refused.returncode == 2
    assert "TELEGRAM_TOKEN" in refused.stderr


@LONG
def test_an_installed_program_migrates_its_database(installed: Installed, tmp_path: Path):
    migrated = installed.run("ballast", "migrate", folder=tmp_path)

    assert migrated.returncode == 0, migrated.stderr
    assert f"schema {schema.newest()} now" in migrated.stdout
    assert (tmp_path / "data" / "ballast.db").is_file()
