"""The progress of the checks, in a line of `/doctor`."""

from datetime import timedelta

from bot.views.components.times import roughly
from engine.accounts.diagnosis import HealthFinding
from engine.accounts.workload import Workload

_FAIRLY = "Nobody is left out: whoever has been due for longest comes first."


def workload_line(finding: HealthFinding, load: Workload) -> str:
    match finding:
        case HealthFinding.CHECKS_STOPPED:
            return (
                f"Checks: none has begun for {roughly(load.beaten or timedelta())}. Nothing is "
                "traded meanwhile. Please restart me: that is safe at any moment."
            )
        case HealthFinding.CHECKS_SILENCED:
            return (
                f"Checks: MEXC asked for silence, {roughly(load.silent_for)} more. Until then I "
                "ask it nothing, for nobody. I go on by myself."
            )
        case HealthFinding.CHECKS_RATIONED:
            return (
                f"Checks: up to {roughly(load.by)} late{_overdue(load)}, because MEXC lets me ask "
                f"no more. {_FAIRLY} A longer /setinterval helps."
            )
        case HealthFinding.CHECKS_LATE:
            return (
                f"Checks: up to {roughly(load.by)} late{_overdue(load)}: more is due than I get "
                f"done. {_FAIRLY} A faster machine or a second process helps."
            )
        case _:
            return "Checks: they begin when they are due."


def _overdue(load: Workload) -> str:
    if not (count := load.late.overdue):
        return ""
    return f", {count} due now" if count > 1 else ", 1 due now"
