"""What a type of process does, and what it needs."""

import pytest

from bot.config.process_type import Coming, Role, coming, require
from bot.config.settings import BadSettings, ProcessSettings

URL = "https://ballast.example.com"
TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeFak"
ENOUGH = {"TELEGRAM_TOKEN": TOKEN, "WEBHOOK_URL": URL, "PORT": "8080"}


@pytest.mark.parametrize(
    ("role", "polling", "with_webhook"),
    [
        (Role.WORKER, Coming.POLLED, Coming.ELSEWHERE),
        (Role.WEB, Coming.BROUGHT, Coming.BROUGHT),
        (Role.ENGINE, Coming.ELSEWHERE, Coming.ELSEWHERE),
    ],
)
def test_with_a_webhook_nobody_polls(role: Role, polling: Coming, with_webhook: Coming):
    assert coming(role, webhook_url=None) is polling
    assert coming(role, webhook_url=URL) is with_webhook


@pytest.mark.parametrize("role", Role)
def test_every_role_works_with_everything_set(role: Role):
    require(role, ProcessSettings.from_env(ENOUGH))


@pytest.mark.parametrize(
    ("role", "missing"),
    [
        (Role.WORKER, ["TELEGRAM_TOKEN"]),
        (Role.ENGINE, ["TELEGRAM_TOKEN"]),
        (Role.WEB, ["TELEGRAM_TOKEN", "WEBHOOK_URL", "PORT"]),
    ],
)
def test_what_a_role_needs_is_asked_for_by_name(role: Role, missing: list[str]):
    with pytest.raises(BadSettings) as caught:
        require(role, ProcessSettings.from_env({}))

    assert [problem.split()[0] for problem in caught.value.problems] == missing
    assert all(role.value in problem for problem in caught.value.problems)
