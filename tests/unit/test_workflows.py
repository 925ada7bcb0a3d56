"""The forge's files: they run doors that exist, on the Pythons we promise, with few permissions."""

import re
import subprocess
import tomllib
from functools import cache
from typing import Any

import pytest
import yaml

from tests.packaging.locks import PYTHONS
from tests.unit.test_deploy import instructions
from tests.unit.test_readme import ROOT, text_of

WORKFLOWS = sorted(path.name for path in (ROOT / ".github/workflows").iterdir())
FORMS = sorted(path.name for path in (ROOT / ".github/ISSUE_TEMPLATE").iterdir())
DOOR = re.compile(r"^([a-z]+):.*## (.+)$", re.MULTILINE)
PINNED = re.compile(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
# Each permission to write, and why it is needed.
MAY_WRITE = {
    ("release.yml", "pypi"): {"id-token"},  # trusted publishing
    ("release.yml", "release"): {"contents"},  # the release of the tag
}


@cache
def workflow(name: str) -> dict[str, Any]:
    found = yaml.safe_load(text_of(f".github/workflows/{name}"))
    assert isinstance(found, dict)
    return found


def jobs() -> list[tuple[str, str, dict[str, Any]]]:
    """File, name and contents of each job."""
    return [
        (file, name, job) for file in WORKFLOWS for name, job in workflow(file)["jobs"].items()
    ]


def commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job.get("steps", []) if "run" in step]


def doors() -> dict[str, str]:
    return dict(DOOR.findall(text_of("Makefile")))


def test_make_help_names_every_door():
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"],  # noqa: S607 - wherever this machine has it
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (phony,) = re.findall(r"^\.PHONY: (.+)$", text_of("Makefile"), re.MULTILINE)

    assert dict(re.findall(r"^make ([a-z]+) +(.+)$", listed, re.MULTILINE)) == doors()
    assert set(phony.split()) == doors().keys()


def test_the_gate_runs_on_every_python_that_the_locks_are_complete_for():
    gate = workflow("ci.yml")["jobs"]["check"]

    assert tuple(gate["strategy"]["matrix"]["python"]) == PYTHONS
    assert commands(gate) == ["make check"]
    assert tomllib.loads(text_of("pyproject.toml"))["project"]["requires-python"] == (
        f">={PYTHONS[0]}"
    )


def test_nothing_is_published_before_the_gate_and_the_build():
    found = workflow("release.yml")["jobs"]

    assert found["check"]["uses"].endswith("/.github/workflows/ci.yml")
    assert found["build"]["needs"] == "check"
    assert {name for name, job in found.items() if job.get("needs") == "build"} == {
        "pypi",
        "registry",
    }
    assert set(found["release"]["needs"]) == {"pypi", "registry"}


def test_every_door_that_a_workflow_opens_or_a_page_names_is_in_the_makefile():
    opened = "\n".join(command for _, _, job in jobs() for command in commands(job))
    pages = ("CONTRIBUTING.md", "docs/releasing.md", ".github/pull_request_template.md")
    named = "\n".join(map(text_of, pages))

    assert set(re.findall(r"\bmake ([a-z]+)", opened)) == {"check", "dist", "docs", "workflows"}
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", named, re.MULTILINE)) <= doors().keys()


def test_every_action_is_pinned_by_its_commit():
    used = [
        line.strip().removeprefix("- ")
        for name in WORKFLOWS
        for line in text_of(f".github/workflows/{name}").splitlines()
        if "uses:" in line and "$/" not in line
    ]

    assert used
    assert [line for line in used if not PINNED.fullmatch(line)] == []


def test_jobs_may_read_and_only_those_that_publish_may_write():
    writing = {}
    for file, name, job in jobs():
        granted = job.get("permissions", workflow(file)["permissions"])
        assert granted.keys() <= {"contents", "id-token"}
        if wanted := {what for what, how in granted.items() if how != "read"}:
            writing[file, name] = wanted

    assert writing == MAY_WRITE


def test_a_job_with_credentials_builds_nothing_and_runs_no_code_of_ours():
    for file, name, job in jobs():
        if (file, name) in MAY_WRITE or "secrets." in str(job):
            assert not re.search(r"\bmake |docker build|python -m (?!pip )", str(commands(job)))


def test_a_checkout_leaves_no_credentials_behind():
    checkouts = [
        step
        for _, _, job in jobs()
        for step in job.get("steps", [])
        if step.get("uses", "").startswith("actions/checkout@")
    ]

    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_no_command_takes_text_of_others_into_the_shell():
    assert [c for _, _, job in jobs() for c in commands(job) if "${{" in c] == []


def test_registries_are_called_by_name():
    assert [n for n in WORKFLOWS if "://" in text_of(f".github/workflows/{n}")] == []


def test_every_job_ends_by_itself():
    assert [
        name for _, name, job in jobs() if "uses" not in job and "timeout-minutes" not in job
    ] == []


def test_the_image_is_tried_as_the_dockerfile_starts_it():
    tried = [c for _, _, job in jobs() for c in commands(job) if c.startswith("docker run")]

    assert len(tried) == 2
    assert all(command.endswith(" python -m bot") for command in tried)
    assert '"python", "-m", "bot"' in instructions("CMD")[-1]


def test_updates_are_proposed_for_every_kind_of_pin():
    updates = yaml.safe_load(text_of(".github/dependabot.yml"))["updates"]
    kinds = {update["package-ecosystem"]: update for update in updates}
    locked = {
        f"/{path.parent.relative_to(ROOT)}".replace("/.", "/")
        for folder in (ROOT, ROOT / "benchmarks")
        for path in folder.glob("requirements*.txt")
    }

    assert kinds.keys() == {"pip", "github-actions", "docker", "docker-compose"}
    assert set(kinds["pip"]["directories"]) == locked
    assert all(update["cooldown"]["default-days"] >= 7 for update in updates)


def test_a_hook_runs_what_the_lock_installed():
    (repo,) = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]
    programs = {hook["entry"].split()[0] for hook in repo["hooks"]}

    assert repo["repo"] == "local"
    assert programs == {"git", ".venv/bin/ruff", ".venv/bin/mypy", ".venv/bin/lint-imports"}
    assert all(
        f"$(BIN)/{name}" in text_of("Makefile") for name in ("ruff", "mypy", "lint-imports")
    )


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_a_mapping_that_names_itself(form: str):
    found = yaml.safe_load(text_of(f".github/ISSUE_TEMPLATE/{form}"))

    assert found.keys() >= ({"contact_links"} if form == "config.yml" else {"name", "body"})


def test_bug_reports_come_from_hosts_that_have_a_guide():
    (hosts,) = [
        field["attributes"]["options"]
        for field in yaml.safe_load(text_of(".github/ISSUE_TEMPLATE/bug.yml"))["body"]
        if field.get("id") == "host"
    ]
    guides = text_of("docs/deploy/README.md")

    assert [host for host in hosts[:-2] if host not in guides] == []
