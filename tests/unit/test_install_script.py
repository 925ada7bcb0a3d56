"""The script for a server of one's own, beside commands that only remember what they were asked."""

import subprocess
from pathlib import Path

import pytest

from tests.unit.test_readme import ROOT, text_of

SCRIPT = ROOT / "deploy/install.sh"
TOKEN = "123456789:AAexample_token-1"
READY = "2026-11-30T12:00:00Z INFO bot.runtime.startup ready bot=x"
NO_OWNER = "WARNING no owner yet; send this to the bot to become it: /start Xy12"
# Each writes its name and arguments; some answer.
STUBS = {
    "id": 'case $1 in -u) echo "${UID_OF_CALLER:-0}" ;; *) [ -f "$HOME/user" ] ;; esac',
    "useradd": 'touch "$HOME/user"',
    "userdel": 'rm "$HOME/user"',
    "systemctl": ":",
    "systemd-run": ":",
    "journalctl": 'cat "$HOME/journal"',
    "git": ":",
    "sleep": ":",
    "python3": 'if [ "$2" = venv ]; then mkdir -p .venv/bin; cp "$0" .venv/bin/python; fi',
}


class Server:
    """A folder that stands for `/`, with a checkout in it."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.settings = top / "etc/ballast.env"
        self.unit = top / "etc/systemd/system/ballast.service"
        self.checkout = top / "srv/ballast"
        for folder in (
            "bin",
            "home",
            "etc/systemd/system",
            "srv/ballast/deploy",
            "var/lib/ballast",
        ):
            (top / folder).mkdir(parents=True)
        (self.checkout / "requirements.txt").touch()
        for name in ("install.sh", "ballast.service"):
            (self.checkout / "deploy" / name).write_text(text_of(f"deploy/{name}"))
        (top / "home/journal").write_text(f"{READY}\n{NO_OWNER}\n")
        for name, does in STUBS.items():
            stub = top / "bin" / name
            stub.write_text(f'#!/bin/sh\necho "{name} $*" >>"$HOME/asked"\n{does}\n')
            stub.chmod(0o755)

    def run(
        self, *arguments: str, typed: str = TOKEN, **env: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", self.checkout / "deploy/install.sh", *arguments],
            env={
                "BALLAST_ROOT": str(self.top),
                "BALLAST_PATIENCE": "2",
                "HOME": str(self.top / "home"),
                "PATH": f"{self.top / 'bin'}:/usr/bin:/bin",
                **env,
            },
            input=f"{typed}\n",
            capture_output=True,
            text=True,
            check=False,
        )

    def asked(self) -> str:
        return (self.top / "home/asked").read_text()


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def test_one_command_installs_and_shows_the_pairing_code_and_a_second_one_changes_nothing(
    server: Server,
):
    installed = server.run()
    first = server.settings.read_text()
    again = server.run(typed="999:other")

    assert (installed.returncode, again.returncode) == (0, 0), installed.stderr + again.stderr
    assert NO_OWNER in installed.stdout
    assert TOKEN not in installed.stdout + installed.stderr
    assert first == server.settings.read_text()
    assert f"TELEGRAM_TOKEN={TOKEN}\n" in first
    assert "sqlite:////var/lib/ballast/ballast.db" in first
    assert server.settings.stat().st_mode & 0o777 == 0o600
    assert server.unit.read_text() == text_of("deploy/ballast.service")
    assert server.asked().count("useradd") == 1
    assert "--no-deps --require-hashes -r requirements.txt" in server.asked()


@pytest.mark.parametrize("typed", ["", "no token", "123456789", "1:a;reboot", "1:a\\nX=1"])
def test_what_is_no_token_is_not_written(server: Server, typed: str):
    refused = server.run(typed=typed)

    assert refused.returncode == 1
    assert "a token looks like" in refused.stderr
    assert not server.settings.exists()
    assert "systemctl restart" not in server.asked()


def test_an_upgrade_backs_up_before_it_fetches_and_restarts_last(server: Server):
    server.run()
    (server.top / "home/asked").unlink()
    upgraded = server.run("upgrade")
    asked = server.asked()
    steps = [asked.index(s) for s in ("bot backup", "git pull", "pip install", "ctl restart")]

    assert upgraded.returncode == 0, upgraded.stderr
    assert steps == sorted(steps)


def test_uninstalling_keeps_settings_and_database_unless_their_end_is_confirmed(server: Server):
    server.run()
    kept = server.run("uninstall")
    doubted = server.run("uninstall", "--everything", typed="yes")
    still_there = server.settings.exists()
    gone = server.run("uninstall", "--everything", typed="delete")

    assert (kept.returncode, doubted.returncode, gone.returncode) == (0, 1, 0), gone.stderr
    assert "Kept:" in kept.stdout
    assert still_there
    assert not server.unit.exists()
    assert "disable --quiet --now ballast" in server.asked()
    assert not server.settings.exists()
    assert not (server.top / "var/lib/ballast").exists()


def test_it_does_nothing_without_root_or_for_a_word_it_does_not_know(server: Server):
    assert "run it as root" in server.run(UID_OF_CALLER="1000").stderr
    assert "it knows install" in server.run("remove").stderr
    assert not server.settings.exists()


def test_a_program_that_does_not_come_up_is_said(server: Server):
    (server.top / "home/journal").write_text("")

    assert "did not come up" in server.run().stderr
