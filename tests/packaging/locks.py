"""What the lock files hold, and what the locked packages ask for, in each environment."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from itertools import product
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
RUNTIME, DEV = "requirements.txt", "requirements-dev.txt"
GROUPS: dict[str, tuple[str, ...]] = {RUNTIME: (), DEV: ("install", "dev")}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
_MACHINES = (
    ("linux", "Linux", "x86_64"),
    ("linux", "Linux", "aarch64"),
    ("darwin", "Darwin", "arm64"),
    ("win32", "Windows", "AMD64"),
)
ENVIRONMENTS = [
    {
        "python_version": python,
        "python_full_version": f"{python}.5",
        "sys_platform": platform,
        "platform_system": system,
        "platform_machine": machine,
        "os_name": "nt" if platform == "win32" else "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    for python, (platform, system, machine) in product(PYTHONS, _MACHINES)
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """*requirement* is what *by* asks for; the project itself asks for the first ones."""

    by: str
    requirement: Requirement

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)


@cache
def stanzas(lock_file: str) -> dict[str, str]:
    """Name -> all lines of the package, as they are in the file."""
    blocks = re.split(r"(?m)^(?=[a-z0-9])", (ROOT / lock_file).read_text())
    return {block.partition("==")[0]: block for block in blocks if "==" in block}


def locked(lock_file: str, environment: dict[str, str]) -> dict[str, str]:
    """Name -> version of what the file installs in the environment."""
    found: dict[str, str] = {}
    for name, block in stanzas(lock_file).items():
        line = Requirement(block.partition("\\")[0])
        if line.marker is None or line.marker.evaluate(environment):
            found[canonicalize_name(name)] = str(line.specifier).removeprefix("==")
    return found


def wanted(lock_file: str, environment: dict[str, str]) -> Iterator[Wanted]:
    """All that has to be there, through all packages: each once for each set of extras."""
    waiting = [
        Wanted("ballast", needed)
        for needed in _of_the_project(lock_file)
        if _applies(needed, environment, extra="")
    ]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        one = waiting.pop()
        yield one
        name, extras = one.name, frozenset(one.requirement.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        waiting += [
            Wanted(name, needed)
            for needed in _asked_for_by(name)
            if any(_applies(needed, environment, extra=extra) for extra in {"", *extras})
        ]


def _applies(requirement: Requirement, environment: dict[str, str], *, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(
        environment | {"extra": extra}
    )


@cache
def _asked_for_by(name: str) -> list[Requirement]:
    try:
        return [Requirement(line) for line in requires(name) or []]
    except PackageNotFoundError:  # for another platform
        return []


@cache
def _of_the_project(lock_file: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [project["dependency-groups"][group] for group in GROUPS[lock_file]]
    asked = sum(groups, start=list(project["project"]["dependencies"]))
    return [Requirement(line) for line in asked if isinstance(line, str)]
