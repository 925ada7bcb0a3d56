"""A user's changes to an account, field by field, for the audit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.accounts.account import Account
from engine.domain.accounts.deposits import DepositChoice, DepositRule
from engine.domain.accounts.risk_limits import Limits
from engine.domain.accounts.settings import Settings
from engine.domain.execution.bound import Slippage
from engine.domain.market.decimals import plain
from engine.domain.targets.notation import (
    bands_text,
    crash_guard_text,
    protected_text,
    schedule_text,
    span_text,
    target_text,
    threshold_text,
)
from engine.domain.targets.pacing import Pacing

NOTHING = "none"
# The user of a line whose change no user made.
BY_ITSELF = 0


@dataclass(frozen=True, slots=True)
class FieldChange:
    """*subject* was *before* and is *after*; *action* is the kind of change."""

    action: str
    subject: str
    before: str
    after: str

    @property
    def setting(self) -> str:
        """What changed, in full where *action* is not shown beside it."""
        return f"limit {self.subject}" if self.action == "limits" else self.subject

    @property
    def detail(self) -> str:
        return f"{self.before} -> {self.after}"


def changes(before: Account, after: Account) -> list[FieldChange]:
    """Returns every changed field that a user may set. Of a key only the last 4 characters."""
    was, now = _fields(before), _fields(after)
    found = [
        FieldChange(*what, before=was[what], after=now[what])
        for what in was
        if was[what] != now[what]
    ]
    key = "key", "key"
    if before.sealed_key != after.sealed_key and was[key] == now[key]:
        # Another secret under the same key, or another key with the same end.
        found.append(FieldChange(*key, before=was[key], after=now[key]))
    return found


def _fields(account: Account) -> Mapping[tuple[str, str], str]:
    settings = account.settings
    return {
        **{("settings", name): value for name, value in band_fields(settings).items()},
        ("settings", "bands"): bands_text(settings.bands),
        ("settings", "scaled bands"): "on" if settings.scaled else "off",
        ("settings", "two looks"): "on" if settings.twice else "off",
        ("settings", "destination"): settings.destination.value
        if settings.destination
        else "usual",
        ("settings", "protected"): protected_text(settings.protected),
        **{("settings", name): value for name, value in _pacing(settings.pacing).items()},
        ("settings", "interval"): f"{int(settings.interval.total_seconds())} s",
        ("settings", "pair"): settings.symbol,
        ("settings", "count"): settings.counting.value,
        ("settings", "mode"): settings.autonomy.value,
        ("settings", "deposits"): _deposits(settings.deposits),
        ("settings", "execution"): settings.execution.value,
        ("settings", "slippage"): _slippage(settings.slippage),
        ("settings", "dry run"): "on" if settings.dry_run else "off",
        ("trading", "trading"): "paused" if settings.paused else "on",
        ("key", "key"): f"…{account.key_tail}" if account.key_tail else NOTHING,
        **{("limits", name): value for name, value in _limits(account.limits).items()},
    }


def band_fields(settings: Settings) -> Mapping[str, str]:
    """Returns the target and the threshold as the audit writes them, by their subject."""
    return {
        "target": target_text(settings.target),
        "threshold": threshold_text(settings.threshold),
    }


def _pacing(pacing: Pacing) -> Mapping[str, str]:
    schedule, rest = pacing.schedule, pacing.cooldown
    return {
        "schedule": "off" if schedule is None else schedule_text(schedule, pacing.when),
        "cool-down": "off" if rest is None else span_text(rest),
        "crash guard": "off"
        if pacing.crash_guard is None
        else crash_guard_text(pacing.crash_guard),
    }


def _deposits(rule: DepositRule) -> str:
    if rule.choice is DepositChoice.WAIT:
        return f"wait {int(rule.wait.total_seconds())} s"
    return str(rule.choice.value)


def _slippage(slippage: Slippage) -> str:
    text = f"{plain(slippage.fraction * 100)}%"
    return f"{text} strict" if slippage.strict else text


def _limits(limits: Limits) -> Mapping[str, str]:
    return {
        "order": _limit(limits.order, "USDT"),
        "day": _limit(limits.day, "USDT"),
        "orders an hour": _limit(limits.orders_per_hour, ""),
        "price": "auto" if limits.move is None else f"{plain(limits.move * 100)}%",
    }


def _limit(value: Decimal | int | None, unit: str) -> str:
    return "auto" if value is None else f"{plain(Decimal(value))} {unit}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the trail."""

    at: datetime
    user_id: int
    action: str
    subject: str
    detail: str


ALL_ACCOUNTS = "all accounts"
