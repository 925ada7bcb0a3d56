"""The types of process: all check, trade, answer and send; they differ in how updates come.

worker   polls Telegram; with WEBHOOK_URL it leaves the updates to the web processes
web      takes the updates by webhook, at $PORT
engine   takes none: one more machine for the accounts, the commands and the alerts
"""

from enum import Enum, auto

from bot.config.settings import BadSettings, ProcessSettings


class ProcessType(Enum):
    WORKER = "worker"
    WEB = "web"
    ENGINE = "engine"


class UpdateMode(Enum):
    """How updates come to a process."""

    POLLING = auto()
    WEBHOOK = auto()
    ELSEWHERE = auto()  # other processes take them, this one works them off with the others


def update_mode(role: ProcessType, *, webhook_url: str | None) -> UpdateMode:
    match role:
        case ProcessType.WEB:
            return UpdateMode.WEBHOOK
        case ProcessType.WORKER if webhook_url is None:
            return UpdateMode.POLLING
        case ProcessType.WORKER | ProcessType.ENGINE:
            return UpdateMode.ELSEWHERE


def require(role: ProcessType, settings: ProcessSettings) -> None:
    """Raises BadSettings where *role* needs more than was set."""
    problems = []
    if settings.telegram_token is None:
        problems.append(
            f"TELEGRAM_TOKEN is required by the {role.value} process; "
            "without a process type, `python -m bot` is the demo"
        )
    if role is ProcessType.WEB and settings.webhook_url is None:
        problems.append(
            "WEBHOOK_URL is required by the web process: the https address at which "
            "Telegram finds it; or start a worker, which polls"
        )
    if role is ProcessType.WEB and settings.port is None:
        problems.append("PORT is required by the web process: where it listens; PORT=8080, say")
    if problems:
        raise BadSettings(problems)
