"""The types of process: all check, trade, answer and send; they differ in how updates come.

worker   polls Telegram; with WEBHOOK_URL it leaves the updates to the web processes
web      takes the updates by webhook, at $PORT
engine   takes none: one more machine for the accounts, the commands and the alerts
"""

from enum import Enum, auto

from bot.config.settings import BadSettings, ProcessSettings


class Role(Enum):
    WORKER = "worker"
    WEB = "web"
    ENGINE = "engine"


class Coming(Enum):
    """How updates come to a process."""

    POLLED = auto()
    BROUGHT = auto()
    ELSEWHERE = auto()  # other processes take them, this one works them off with the others


def coming(role: Role, *, webhook_url: str | None) -> Coming:
    match role:
        case Role.WEB:
            return Coming.BROUGHT
        case Role.WORKER if webhook_url is None:
            return Coming.POLLED
        case Role.WORKER | Role.ENGINE:
            return Coming.ELSEWHERE


def require(role: Role, settings: ProcessSettings) -> None:
    """Raises BadSettings where *role* needs more than was set."""
    problems = []
    if settings.telegram_token is None:
        problems.append(
            f"TELEGRAM_TOKEN is required by the {role.value} process; "
            "without a process type, `python -m bot` is the demo"
        )
    if role is Role.WEB and settings.webhook_url is None:
        problems.append(
            "WEBHOOK_URL is required by the web process: the https address at which "
            "Telegram finds it; or start a worker, which polls"
        )
    if role is Role.WEB and settings.port is None:
        problems.append("PORT is required by the web process: where it listens; PORT=8080, say")
    if problems:
        raise BadSettings(problems)
