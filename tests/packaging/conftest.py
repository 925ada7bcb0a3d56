"""An environment with the oldest pip, the locked packages and our wheel, made once per run."""

import fcntl
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.packaging.locks import ROOT, RUNTIME

# What Debian 12 brings. It does not start on Python 3.12, whose oldest pip is another.
OLD_PIP = (
    "pip==23.0.1 --hash=sha256:236bcb61156d76c4b8a05821b988c7b8c35bf0da28a4b614e8d6ab5212c25c6f"
    if sys.version_info < (3, 12)
    else "pip==24.0 --hash=sha256:ba0d021a166865d2265246961bec0152ff124de910c5cc39f1156ce3fa7c69dc"
)
_LONGEST_S = 300
_MACHINES_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")  # on Debian and many others
_FLAGS = re.search(r"(?m)^LOCKED := (.+)$", (ROOT / "Makefile").read_text())


class NoRegistry(Exception):
    """The packages cannot be had: no network, and nothing in the caches."""


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment in which nothing of the checkout can be seen."""

    home: Path
    wheel: Path

    @property
    def python(self) -> Path:
        return self.home / "bin" / "python"

    @property
    def packages(self) -> Path:
        (found,) = self.home.glob("lib/python*/site-packages")
        return found

    def pip(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """It trusts what the machine trusts, as Debian's pip and the Makefile's uv do."""
        env = {"PIP_CERT": str(_MACHINES_CERTIFICATES)} if _MACHINES_CERTIFICATES.exists() else {}
        env |= os.environ  # noqa: TID251 - another choice of certificates counts more
        return _run(self.python, "-m", "pip", *arguments, env=env, check=False)

    def pip_install(self, file: Path, *, find_links: Path) -> subprocess.CompletedProcess[str]:
        """As the Makefile does it, but without installing: pip says what it would install."""
        if _FLAGS is None:
            raise ValueError("the Makefile has no LOCKED")
        flags = [flag for flag in _FLAGS[1].split() if flag != "--quiet"]
        return self.pip("install", "--dry-run", "-I", *flags, "-f", find_links, "-r", file)

    def run(
        self, command: str, *arguments: str, folder: Path, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """One of the environment's commands, started in *folder*, with no input."""
        return _run(self.home / "bin" / command, *arguments, cwd=folder, env=env, check=False)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, worker_id: str, in_ci: bool) -> Installed:
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent
    home = shared / "installed"
    try:
        with _only_one(shared / "installed.lock"):
            if not (done := home / "done").exists():
                _build(home)
                done.touch()
    except NoRegistry as e:
        if in_ci:
            raise
        pytest.skip(f"no packages to be had: {e}")
    (wheel,) = home.glob("*.whl")
    return Installed(home, wheel)


def newer_releases(names: Iterable[str], folder: Path) -> Path:
    """A package folder with a release of each that is newer than any, and holds nothing."""
    folder.mkdir()
    for name in names:
        part = f"{name.replace('-', '_')}-9999"
        wheel = f"Wheel-Version: 1.0\nGenerator: {__name__}\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        about = f"Metadata-Version: 2.1\nName: {name}\nVersion: 9999\nProvides-Extra: toml\n"
        with zipfile.ZipFile(folder / f"{part}-py3-none-any.whl", "w") as archive:
            archive.writestr(f"{part}.dist-info/WHEEL", wheel)
            archive.writestr(f"{part}.dist-info/METADATA", about)
            archive.writestr(f"{part}.dist-info/RECORD", "")
    return folder


def _build(home: Path) -> None:
    """uv does it: it has most of it in its cache, from building the environment we run in."""
    _run(sys.executable, "-m", "venv", "--clear", "--without-pip", home)
    (old_pip := home / "pip.txt").write_text(OLD_PIP)
    python = home / "bin" / "python"
    try:
        for file in (old_pip, ROOT / RUNTIME):
            _uv("pip", "install", "--python", python, "--no-deps", "--require-hashes", "-r", file)
        _uv("build", "--wheel", "--python", python, "--out-dir", home, ROOT)
    except subprocess.CalledProcessError as e:
        raise NoRegistry(e.stderr) from e
    _run(python, "-m", "pip", "install", "--no-deps", "--no-index", *home.glob("*.whl"))


def _uv(*arguments: object) -> None:
    _run(Path(sys.executable).with_name("uv"), "--quiet", *arguments)


def _run(
    *command: object,
    check: bool = True,
    cwd: Path = Path("/"),
    env: dict[str, str] | None = None,
    timeout: float = _LONGEST_S,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        check=check,
        cwd=cwd,
        env=env,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@contextmanager
def _only_one(file: Path) -> Iterator[None]:
    """One process at a time: workers of a test run wait for the first one's work."""
    with file.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
