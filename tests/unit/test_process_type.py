"""What a type of process does, and what it needs."""

import pytest

from bot.config.process_type import ProcessType, UpdateMode, require, update_mode
from bot.config.settings import BadSettings, ProcessSettings

URL = "https://ballast.example.com"
TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeFak"
ENOUGH = {"TELEGRAM_TOKEN": TOKEN, "WEBHOOK_URL": URL, "PORT": "8080"}


@pytest.mark.parametrize(
    ("role", "polling", "with_webhook"),
    [
        (ProcessType.WORKER, UpdateMode.POLLING, UpdateMode.ELSEWHERE),
        (ProcessType.WEB, UpdateMode.WEBHOOK, UpdateMode.WEBHOOK),
        (ProcessType.ENGINE, UpdateMode.ELSEWHERE, UpdateMode.ELSEWHERE),
    ],
)
def test_with_a_webhook_nobody_polls(
    role: ProcessType, polling: UpdateMode, with_webhook: UpdateMode
):
    assert update_mode(role, webhook_url=None) is polling
    assert update_mode(role, webhook_url=URL) is with_webhook


@pytest.mark.parametrize("role", ProcessType)
def test_every_role_works_with_everything_set(role: ProcessType):
    require(role, ProcessSettings.from_env(ENOUGH))


@pytest.mark.parametrize(
    ("role", "missing"),
    [
        (ProcessType.WORKER, ["TELEGRAM_TOKEN"]),
        (ProcessType.ENGINE, ["TELEGRAM_TOKEN"]),
        (ProcessType.WEB, ["TELEGRAM_TOKEN", "WEBHOOK_URL", "PORT"]),
    ],
)
def test_what_a_role_needs_is_asked_for_by_name(role: ProcessType, missing: list[str]):
    with pytest.raises(BadSettings) as caught:
        require(role, ProcessSettings.from_env({}))

    assert [problem.split()[0] for problem in caught.value.problems] == missing
    assert all(role.value in problem for problem in caught.value.problems)
