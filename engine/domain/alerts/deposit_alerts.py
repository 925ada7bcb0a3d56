"""What a chat must be told of money that came or went without an order of ours."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.settings import Band, TradingMode
from engine.domain.alerts.key_alerts import InMode
from engine.domain.alerts.traits import AlertKind
from engine.domain.market.pairs import Symbol
from engine.domain.rebalancing.planner import Reason
from engine.domain.streams.events import Cause


@dataclass(frozen=True, slots=True)
class ComingOrder:
    """The order that follows from a change: *expected_quote* of it, or the *reason* that stops it.
    Neither is known where it does not come *at_once*, in the check that saw the change.
    """

    reason: Reason | None = None
    expected_quote: Decimal | None = None
    at_once: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceChanged(InMode, stored_as="moved", kind=AlertKind.TRADE):
    """Money came or went without an order of ours; *by_hand*: one coin came for the other.

    *quantity_step* is the token's precision, None where it was not known. *held* is the USDT held now. *target*
    and *band* are None where the target is planned as a portfolio. *question_id* and *new_target* are an older
    version's. *last_for_now*: there were so many that the next ones are only kept. *coming* is
    None where nothing comes of it, or an older version wrote it. *cause* is None unless a stream
    told it.
    """

    symbol: Symbol
    moved: tuple[BalanceChange, ...]
    by_hand: bool
    held: Decimal
    target: Decimal | None
    band: Band | None
    autonomy: TradingMode
    last_for_now: bool = False
    quantity_step: Decimal | None = None
    cause: Cause | None = None
    question_id: str | None = None
    new_target: Decimal | None = None
    coming: ComingOrder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositAlert(InMode):
    """USDT arrived, by what *moved*; *held* is the USDT held now. *quantity_step* is the token's
    precision, None where it was not known. *cause* is None unless a stream told it.
    """

    symbol: Symbol
    moved: tuple[BalanceChange, ...]
    quantity_step: Decimal | None
    held: Decimal
    target: Decimal
    cause: Cause | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositTraded(DepositAlert, stored_as="deposit_traded", kind=AlertKind.TRADE):
    """USDT arrived, and the check trades what is above *target*. *order_limit* is the chat's,
    *has_choices* whether the message offers another rule for the next deposit.
    *coming* is None where an older version wrote it.
    """

    order_limit: Decimal
    has_choices: bool
    last_for_now: bool = False
    coming: ComingOrder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositWaiting(DepositAlert, stored_as="deposit_waits", kind=AlertKind.PLAN, needed=True):
    """*amount* of USDT that arrived is not traded before *until*, for which *buys* would be spent.
    *moved* is empty where it was told before. *asks*: it is not traded without an answer, and
    asked about again then. *order_limit* is the chat's; None where an older version wrote it.
    """

    amount: Decimal
    buys: Decimal
    new_target: Decimal | None
    until: datetime
    asks: bool
    question_id: str
    order_limit: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositKept(DepositAlert, stored_as="deposit_kept", kind=AlertKind.TRADE, needed=True):
    """The target was raised from *former_target* by USDT that arrived; a tap takes it back."""

    former_target: Decimal
    question_id: str
