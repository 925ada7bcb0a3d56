"""The files of the hosts agree with the program, with each other and with the guides beside them."""

import argparse
import base64
import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from configparser import RawConfigParser
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from string import ascii_letters
from typing import Any

import pytest
import yaml

from bot import __main__ as program
from bot.config.settings import BadSettings, ProcessSettings
from bot.views.help import COMMANDS
from engine.security.vault import Vault
from tests.unit.test_readme import (
    LINK,
    ROOT,
    anchor,
    names_read_by_the_program,
    rows,
    text_of,
)

GUIDES = sorted(path.stem for path in (ROOT / "docs/deploy").glob("*.md") if path.stem != "README")
PAGES = [
    *(
        f"docs/{name}.md"
        for name in (
            "fixed-address",
            "mexc-key",
            "operations",
            "operator",
            "processes",
            "settings",
        )
    ),
    "docs/deploy/README.md",
    *(f"docs/deploy/{g}.md" for g in GUIDES),
]
MIGRATE = "alembic upgrade head"
# Between a signal and the end: what tests/e2e holds the program to.
PROMISED_S = 10
# Two of BotFather's commands, and what a process answers at its port.
NO_COMMANDS = {"newbot", "revoke", "healthz", "readyz", "metrics"}
# What compose.yaml asks for, a placeholder, what is not read, and MEXC's permissions.
NO_SETTINGS = {
    *("POSTGRES_PASSWORD", "CLUSTER_ID", "HTTPS_PROXY"),
    *("SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE"),
}
TYPED = re.compile(r"`/([a-z]+)(?: [^`]*)?`")
VARIABLE = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b|\bPORT\b")
START = re.compile(r"python -m bot ([a-z][a-z-]*)")


def toml(name: str) -> dict[str, Any]:
    return tomllib.loads(text_of(name))


def unit() -> RawConfigParser:
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text_of("deploy/ballast.service"))
    return parser


def instructions(name: str) -> list[str]:
    """The Dockerfile's, those of several lines made one."""
    joined = text_of("Dockerfile").replace("\\\n", " ")
    return [line.partition(" ")[2] for line in joined.splitlines() if line.startswith(f"{name} ")]


def procfile() -> dict[str, str]:
    lines = (line.partition(": ") for line in text_of("Procfile").splitlines())
    return {process: command for process, _, command in lines}


def subcommands() -> set[str]:
    """What may stand behind `python -m bot`."""
    return {
        name
        for action in program._parser()._actions
        if isinstance(action, argparse._SubParsersAction)
        for name in action.choices
    }


def table() -> dict[str, list[str]]:
    """Host -> cells of the table of what differs."""
    part = text_of("docs/deploy/README.md").split("\n## What differs\n")[1].split("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")]
    return {host: [cell.strip() for cell in cells] for host, *cells in lines[1:]}


def stopped_by() -> dict[str, tuple[str, int]]:
    """Host -> signal and seconds until the kill, as its file has it; Heroku has no setting."""
    service = unit()["Service"]
    fly = toml("fly.toml")
    signal = instructions("STOPSIGNAL")[0]
    compose = yaml.safe_load(text_of("compose.yaml"))["services"]["worker"]
    return {
        "Heroku": ("SIGTERM", 30),
        "Railway": ("SIGTERM", json.loads(text_of("railway.json"))["deploy"]["drainingSeconds"]),
        "Render": ("SIGTERM", render_worker()["maxShutdownDelaySeconds"]),
        "Fly.io": (fly["kill_signal"], fly["kill_timeout"]),
        "systemd": (service["KillSignal"], int(service["TimeoutStopSec"])),
        "Docker": (signal, int(compose["stop_grace_period"].removesuffix("s"))),
    }


def render_worker() -> dict[str, Any]:
    (worker,) = yaml.safe_load(text_of("render.yaml"))["services"]
    assert isinstance(worker, dict)
    return worker


def compose(service: str) -> dict[str, Any]:
    found = yaml.safe_load(text_of("compose.yaml"))["services"][service]
    assert isinstance(found, dict)
    return found


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of a server that answers everything so."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield server.server_port
        thread.join()


def health_check(**env: str) -> int:
    return subprocess.run(
        [sys.executable, ROOT / "deploy/healthcheck.py"], env=env, capture_output=True, check=False
    ).returncode


def test_every_host_starts_the_program_with_a_command_it_has():
    starts = {
        "Procfile": list(procfile().values()),
        "Dockerfile": [" ".join(json.loads(instructions("CMD")[0]))],
        "railway.json": [json.loads(text_of("railway.json"))["deploy"]["startCommand"]],
        "render.yaml": [render_worker()["dockerCommand"]],
        "fly.toml": list(toml("fly.toml")["processes"].values()),
        "unit": [unit()["Service"]["ExecStart"].partition("/bin/")[2]],
    }
    named = {file: START.findall("\n".join(commands)) for file, commands in starts.items()}

    assert all("worker" in roles for roles in named.values()), named
    assert {role for roles in named.values() for role in roles} <= subcommands()


def test_every_host_migrates_before_it_starts():
    unit_file = unit()["Service"]

    assert procfile()["release"] == MIGRATE
    assert json.loads(text_of("railway.json"))["deploy"]["preDeployCommand"] == [MIGRATE]
    assert render_worker()["preDeployCommand"] == MIGRATE
    assert toml("fly.toml")["deploy"]["release_command"] == MIGRATE
    assert unit_file["ExecStartPre"].endswith(f"/bin/{MIGRATE}")
    assert " ".join(compose("migrate")["command"]) == MIGRATE
    assert (
        compose("worker")["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    )


def test_the_table_tells_the_signals_and_seconds_that_the_files_set():
    told = {
        host: (cells[1].split()[0], cells[2].split(" s")[0]) for host, cells in table().items()
    }

    assert told == {host: (name, str(seconds)) for host, (name, seconds) in stopped_by().items()}


@pytest.mark.parametrize("host", stopped_by())
def test_every_host_waits_longer_than_the_program_needs_to_end(host: str):
    signal, seconds = stopped_by()[host]

    assert signal == "SIGTERM"
    assert isinstance(seconds, int)  # Railway refuses a text here
    assert seconds > PROMISED_S


def test_the_setting_that_the_table_names_is_in_the_file_that_it_names():
    for host, cells in table().items():
        if host == "Heroku":
            continue
        *settings, file = re.findall(r"`([\w.-]+)`", cells[6])
        if host == "Docker":  # the file of the one, an option of the guide the other
            assert settings == ["stop_grace_period"]
            assert "stop_grace_period" in text_of("compose.yaml")
            assert f"{file} 30" in text_of("docs/deploy/docker.md")
            continue
        path = "deploy/ballast.service" if file == "ballast.service" else file

        assert settings
        assert [name for name in settings if name not in text_of(path)] == []


def test_python_is_the_same_on_every_host_and_the_one_that_is_tested():
    version = text_of(".python-version").strip()
    project = toml("pyproject.toml")

    assert re.fullmatch(r"3\.\d+", version)  # no patch: hosts take the newest, pyenv any it has
    assert project["project"]["requires-python"] == f">={version}"
    assert project["tool"]["mypy"]["python_version"] == version
    assert instructions("FROM")[0].startswith(f"python:{version}-")
    assert f"Python {version}," in text_of("docs/deploy/README.md")


def test_herokus_form_asks_for_settings_that_exist_and_insists_on_what_is_needed():
    form = json.loads(text_of("app.json"))
    required = {name for name, about in form["env"].items() if about["required"]}
    host = {"DYNO": "worker.1", "DATABASE_URL": "postgres://u:p@localhost/name"}
    filled = {
        "TELEGRAM_TOKEN": "1:abcdefgh",
        "ENCRYPTION_KEYS": base64.b64encode(bytes(32)).decode(),
    }

    assert form["env"].keys() <= names_read_by_the_program()
    assert all(about["description"] for about in form["env"].values())
    assert required == filled.keys()
    assert not ProcessSettings.from_env(host | filled).is_demo
    assert ProcessSettings.from_env(host | filled | {"TELEGRAM_TOKEN": ""}).is_demo
    with pytest.raises(BadSettings, match="ENCRYPTION_KEYS"):
        ProcessSettings.from_env(host | filled | {"ENCRYPTION_KEYS": ""})


def test_heroku_starts_one_worker_that_does_not_sleep_beside_a_postgresql():
    form = json.loads(text_of("app.json"))

    assert form["formation"] == {"worker": {"quantity": 1, "size": "basic"}}
    assert form["formation"].keys() <= procfile().keys()
    assert form["addons"] == ["heroku-postgresql:essential-0"]


def test_render_is_given_or_asked_for_all_that_is_needed_with_postgresql():
    blueprint = yaml.safe_load(text_of("render.yaml"))
    variables = {about["key"]: about for about in render_worker()["envVars"]}
    (database,) = blueprint["databases"]

    assert variables.keys() <= names_read_by_the_program()
    assert variables.keys() == {"TELEGRAM_TOKEN", "ENCRYPTION_KEYS", "DATABASE_URL"}
    assert variables["DATABASE_URL"]["fromDatabase"]["name"] == database["name"]
    assert render_worker()["region"] == database["region"]
    assert database["ipAllowList"] == []
    assert render_worker()["numInstances"] == 1


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(
            base64.b64encode(b"\xfb\xef\xff" * 10 + b"ok").decode(), id="base64 with + and /"
        ),
        pytest.param(ascii_letters[:43] + "=", id="43 letters of a password generator"),
    ],
)
def test_the_kinds_of_keys_that_the_guides_name_are_keys(key: str):
    env = {"DATABASE_URL": "postgres://u:p@localhost/name", "ENCRYPTION_KEYS": key}
    keys = ProcessSettings.from_env(env).encryption_keys

    assert keys == (key,)
    assert Vault(keys).knows(Vault(keys).canary())


def test_fly_asks_for_life_where_the_program_is_told_to_answer():
    fly = toml("fly.toml")
    check = fly["checks"]["alive"]

    assert fly["env"].keys() <= names_read_by_the_program()
    assert str(check["port"]) == fly["env"]["PORT"]
    assert set(check["processes"]) == fly["processes"].keys() <= procfile().keys()
    assert "services" not in fly  # nothing that could put the machine to sleep
    assert "http_service" not in fly


def test_no_host_waits_for_a_new_copy_to_be_ready_while_the_old_one_polls():
    asked = {
        "fly": toml("fly.toml")["checks"]["alive"]["path"],
        "railway": json.loads(text_of("railway.json"))["deploy"]["healthcheckPath"],
    }

    assert set(asked.values()) == {"/healthz"}
    assert "readyz" not in text_of("deploy/healthcheck.py")


def test_the_image_holds_nothing_but_the_program_and_runs_without_rights():
    ignored = [line for line in text_of(".dockerignore").splitlines() if not line.startswith("#")]
    let_in = {line[1:].rstrip("/") for line in ignored if line.startswith("!")}
    copied = {line.split()[0] for line in instructions("COPY")}

    assert ignored[0] == "*"
    assert copied == let_in
    assert let_in > {"alembic", "alembic.ini", "bot", "engine"}
    assert [name for name in let_in if not (ROOT / name).exists()] == []
    assert instructions("USER") == ["ballast"]
    assert "--require-hashes -r requirements.txt" in instructions("RUN")[1]
    assert json.loads(instructions("CMD")[0])[0] == "python"  # no shell between it and the signals


def test_the_guide_names_the_image_that_a_release_pushes():
    image = yaml.safe_load(text_of(".github/workflows/release.yml"))["env"]["IMAGE"]

    assert f"docker pull {image}:VERSION" in text_of("docs/deploy/docker.md")


def test_the_guide_of_a_server_takes_three_commands():
    commands = text_of("docs/deploy/vps.md").split("```\n")[1].strip().splitlines()

    assert len(commands) == 3
    assert commands[-1].strip() == "sudo sh /srv/ballast/deploy/install.sh"


def test_compose_keeps_the_database_and_gives_the_worker_its_address():
    compose_file = yaml.safe_load(text_of("compose.yaml"))
    worker, migrate = compose("worker"), compose("migrate")

    assert worker["environment"]["DATABASE_URL"] == migrate["environment"]["DATABASE_URL"]
    assert worker["environment"].keys() <= names_read_by_the_program()
    assert compose("database")["volumes"][0].partition(":")[0] in compose_file["volumes"]
    assert worker["image"] == migrate["image"]


def test_the_service_has_a_user_of_its_own_and_the_paths_of_its_guide():
    service = unit()["Service"]
    guide = text_of("docs/deploy/vps.md")

    assert service["User"] == "ballast"
    assert f"{service['WorkingDirectory']}\n" in guide
    assert service["EnvironmentFile"] in guide
    assert f"sqlite:////var/lib/{service['StateDirectory']}/" in guide
    assert int(service["RestartPreventExitStatus"]) == program.EXIT_BAD_SETTING
    assert service["Restart"] == "always"
    assert service["LimitCORE"] == "0"


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_images_health_check_says_what_the_program_says(status: int, code: int):
    with answering(status) as port:
        assert health_check(PORT=str(port), LISTEN_ADDRESS="::") == code


def test_the_images_health_check_asks_at_the_address_that_is_listened_on():
    with answering(200) as port:
        assert health_check(PORT=str(port), LISTEN_ADDRESS="[::1]") == 1  # nothing is there
        assert health_check(PORT=f"'{port}'", LISTEN_ADDRESS="127.0.0.1") == 0


def test_the_images_health_check_notices_silence_and_asks_nobody_without_a_port():
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_port

    assert health_check(PORT=str(port)) == 1
    assert health_check() == 0


@pytest.mark.parametrize("page", PAGES)
def test_every_variable_a_page_names_is_a_setting(page: str):
    assert set(VARIABLE.findall(text_of(page))) - NO_SETTINGS <= names_read_by_the_program() | {
        "DYNO"
    }


@pytest.mark.parametrize("page", PAGES)
def test_every_command_a_page_names_exists(page: str):
    text = text_of(page)

    assert set(TYPED.findall(text)) <= {name for name, _ in COMMANDS} | NO_COMMANDS
    assert set(START.findall(text)) <= subcommands()


@pytest.mark.parametrize(
    "page",
    [
        path.relative_to(ROOT).as_posix()
        for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    ],
)
def test_every_link_of_a_page_leads_somewhere(page: str):
    here = (ROOT / page).parent
    dead = []
    for link in (link or source for link, source in LINK.findall(text_of(page))):
        path, _, part = link.partition("#")
        target = (here / path).resolve() if path else ROOT / page
        if link.startswith("https://"):
            continue
        if not target.is_file():
            dead.append(link)
        elif part:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            if part not in {anchor(heading) for heading in headings}:
                dead.append(link)

    assert dead == []


@pytest.mark.parametrize("guide", GUIDES)
def test_every_guide_goes_from_the_bot_to_the_first_trade_and_says_how_far_it_was_followed(
    guide: str,
):
    text = text_of(f"docs/deploy/{guide}.md")
    steps = [text.index(step) for step in ("/newbot", "No withdrawal", "`/connect", "`/resume`")]

    assert steps == sorted(steps)
    assert re.search(r"^> Followed on 20\d\d-\d\d-\d\d", text, re.MULTILINE)
    assert "Not tried:" in text.replace("Not\n> tried:", "Not tried:")
    assert f"({guide}.md)" in text_of("docs/deploy/README.md")


def test_every_log_line_that_operators_are_told_of_is_logged():
    page = text_of("docs/operations.md")
    told = page.split("\n## Log lines that matter\n")[1].split("\n## ")[0]
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("bot", "engine")
        for path in (ROOT / folder).rglob("*.py")
    )
    lines = [line for cells in rows(told) for line in re.findall(r"`([^`]+)`", " ".join(cells))]

    assert len(lines) > 15
    assert [line for line in lines if f'"{line}' not in source and line != "/halt"] == []


def test_the_exit_codes_of_the_manual_are_the_same_on_both_pages():
    def codes(page: str, heading: str) -> list[str]:
        part = text_of(page).split(f"\n## {heading}\n")[1].split("\n## ")[0]
        return [cells[0] for cells in rows(part) if cells[0].isdecimal()]

    assert codes("docs/operations.md", "Exit codes") == codes("docs/operator.md", "How to stop it")
