"""An account's settings as columns of its row, and back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from engine.domain.accounts.deposits import DepositRule, WaitingDeposit
from engine.domain.accounts.risk_limits import Limits
from engine.domain.accounts.settings import MAX_TARGET, Settings
from engine.domain.execution.bound import USUAL_SLIPPAGE, Slippage
from engine.domain.market.pairs import Asset
from engine.domain.targets.bands import ShareBand, Threshold
from engine.domain.targets.destination import Destination
from engine.domain.targets.pacing import UNPACED, Pacing
from engine.domain.targets.target import FixedUsdt, Target
from engine.storage.models.accounts import AccountRow, ThresholdUnit
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.serialization import from_json, to_short_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Targeting:
    """What the column of that name holds: a target that the older columns cannot say."""

    target: Target
    threshold: Threshold
    bands: Mapping[Asset, ShareBand] = field(default_factory=dict)
    destination: Destination | None = None
    protected: Mapping[Asset, Decimal] = field(default_factory=dict)
    pacing: Pacing = UNPACED
    twice: bool = False
    scaled: bool = False


# What the older columns say then: nothing is ever outside, so code that knows no others rests.
_INERT = {
    "target": Decimal(1),
    "threshold": MAX_TARGET,
    "threshold_unit": ThresholdUnit.QUOTE,
}


def columns_for(settings: Settings) -> dict[str, Any]:
    names = Targeting.__dataclass_fields__
    return columns_of(settings, *names, "interval", "deposits", "slippage") | {
        "slippage": settings.slippage.fraction,
        "slippage_strict": settings.slippage.strict,
        "deposits": settings.deposits.choice,
        "deposit_wait_s": settings.deposits.wait,
        "interval_s": settings.interval,
        **_target_columns(settings),
    }


def settings_of(row: AccountRow) -> Settings:
    return from_row(
        Settings,
        row,
        **_targeting(row),
        interval=row.interval_s,
        deposits=DepositRule(row.deposits, row.deposit_wait_s),
        slippage=Slippage(row.slippage or USUAL_SLIPPAGE.fraction, row.slippage_strict),
    )


def limits_of(row: AccountRow) -> Limits:
    return Limits(
        order=row.limit_order,
        day=row.limit_day,
        orders_per_hour=row.limit_orders,
        move=row.limit_move,
    )


def waiting_of(row: AccountRow) -> WaitingDeposit | None:
    if row.waiting_amount is None or not row.waiting_until or not row.waiting_question:
        return None
    return WaitingDeposit(
        amount=row.waiting_amount, until=row.waiting_until, question_id=row.waiting_question
    )


def _target_columns(settings: Settings) -> dict[str, Any]:
    target, threshold = settings.target, settings.threshold
    whole = from_row(Targeting, settings)
    is_plain = whole == Targeting(target=target, threshold=threshold)
    if not isinstance(target, FixedUsdt) or settings.fixed is None or not is_plain:
        return {**_INERT, "targeting": to_short_json(whole)}
    amount, unit = threshold.relative, ThresholdUnit.FRACTION
    if threshold.quote_amount is not None:
        amount, unit = threshold.quote_amount, ThresholdUnit.QUOTE
    return {
        "target": target.quote_amount,
        "threshold": amount,
        "threshold_unit": unit,
        "targeting": None,
    }


def _targeting(row: AccountRow) -> dict[str, Any]:
    if row.targeting is not None:
        return dict(_read(row.targeting))
    is_amount = row.threshold_unit is ThresholdUnit.QUOTE
    threshold = Threshold(**{"quote_amount" if is_amount else "relative": row.threshold})
    return {**_UNTARGETED, "target": FixedUsdt(row.target), "threshold": threshold}


@lru_cache(maxsize=4096)  # it is read with each check, and hardly ever changes
def _read(targeting: str) -> Mapping[str, Any]:
    return columns_of(from_json(targeting, Targeting))


_ONE = Decimal(1)
_UNTARGETED = columns_of(Targeting(target=FixedUsdt(_ONE), threshold=Threshold(quote_amount=_ONE)))
