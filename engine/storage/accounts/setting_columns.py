"""An account's settings as columns of its row, and back."""

from typing import Any

from engine.domain.accounts.deposits import DepositRule
from engine.domain.accounts.settings import Settings
from engine.domain.execution.bound import USUAL_SLIPPAGE, Slippage
from engine.domain.targets.bands import Threshold
from engine.storage.models.accounts import AccountRow, ThresholdUnit
from engine.storage.row_mapping import columns_of, from_row


def columns_for(settings: Settings) -> dict[str, Any]:
    return columns_of(settings, "threshold", "interval", "deposits", "slippage") | {
        "slippage": settings.slippage.fraction,
        "slippage_strict": settings.slippage.strict,
        "deposits": settings.deposits.choice,
        "deposit_wait_s": settings.deposits.wait,
        **_threshold_columns(settings.threshold),
        "interval_s": settings.interval,
    }


def settings_of(row: AccountRow) -> Settings:
    return from_row(
        Settings,
        row,
        threshold=_threshold(row),
        interval=row.interval_s,
        deposits=DepositRule(row.deposits, row.deposit_wait_s),
        slippage=Slippage(row.slippage or USUAL_SLIPPAGE.fraction, row.slippage_strict),
    )


def _threshold_columns(threshold: Threshold) -> dict[str, Any]:
    if threshold.quote_amount is not None:
        return {"threshold": threshold.quote_amount, "threshold_unit": ThresholdUnit.QUOTE}
    return {"threshold": threshold.relative, "threshold_unit": ThresholdUnit.FRACTION}


def _threshold(row: AccountRow) -> Threshold:
    if row.threshold_unit is ThresholdUnit.QUOTE:
        return Threshold(quote_amount=row.threshold)
    return Threshold(relative=row.threshold)
