"""The accounts, trades and answers that the cards of `docs/gallery.md` show."""  # noqa: INP001 - beside the documents, no package

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

from bot.interaction.message import Message
from bot.views.alerts.alerts import alert_view
from bot.views.manual_trade import manual_plan_view
from bot.views.slices import slices_plan_view
from bot.views.status import status_view
from docs.basket_samples import planned
from docs.story import (
    ACCOUNT,
    BOOK,
    MNTL,
    NOON,
    RULES,
    SETTINGS,
    SYMBOL,
    Typed,
    bought,
    foreseen,
    holdings,
    inputs_of,
    seen,
)
from engine.accounts.overview import Week
from engine.accounts.profit import SpanReport
from engine.domain.accounts.account import Account
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.incidents import Incident, IncidentKind
from engine.domain.accounts.members import Role
from engine.domain.accounts.risk_limits import Recent
from engine.domain.accounts.shares import Share
from engine.domain.accounts.timed_pause import TimedPause
from engine.domain.alerts.alerts import (
    DriftNoticed,
    IncidentAlert,
)
from engine.domain.execution.bound import ExecutionMode
from engine.domain.execution.shortfall import Shortfall
from engine.domain.market.balances import Holdings
from engine.domain.market.pairs import USDT, Side
from engine.domain.orders.order import ClientOrderId, OrderState, Trigger
from engine.domain.profit.costs import CostReport, MonthCosts
from engine.domain.profit.entries import Change, PriceLine, Prices
from engine.domain.profit.report import ProfitReport, profit
from engine.domain.profit.steps import Held
from engine.domain.rebalancing.check_result import (
    CheckResult,
    OrderPlaced,
)
from engine.domain.rebalancing.decision import wanted
from engine.domain.rebalancing.forecast import Forecast, forecast
from engine.domain.rebalancing.manual_trade import ManualTrade
from engine.domain.rebalancing.order_factory import terms_of
from engine.domain.rebalancing.planner import MarketBuy
from engine.domain.rebalancing.run_request import kept_by, offered
from engine.domain.rebalancing.slices.plan import (
    SlicesOffer,
    SlicesSized,
    forecast_slices,
    size_slices,
)
from engine.domain.rebalancing.slices.run import slice_trade
from engine.exchanges.interface import KeyInspection
from engine.rebalancing.slices_preview import SlicesPreview
from engine.storage.trading.value_events import trade_of

D = Decimal
BEFORE = holdings(usdt=D("57.10"), mntl=D(83_716))
RICH = holdings(usdt=D(947), mntl=D(83_716))
TRADE = bought(BEFORE)
INPUTS = inputs_of(SETTINGS, BEFORE, recent=Recent(turnover=D("31.40"), orders=2, price=D("0.002")))  # fmt: skip
TERMS: dict[str, Any] = dict(terms_of(wanted(INPUTS).order or MarketBuy(D(0), D(0)), INPUTS))
BASKET_LOOK = CheckResult(at=NOON, trigger=Trigger.INTERVAL, target=None, band=None, verdict=OrderPlaced(ClientOrderId("bl"), Side.SELL, D(20)), portfolio=planned().snapshot)  # fmt: skip
AFTER = holdings(usdt=TRADE.quote_after or D(0), mntl=TRADE.base_after or D(0))
LATER = NOON + timedelta(minutes=3)
PRICES = Prices({MNTL: PriceLine([NOON - timedelta(days=7), NOON - timedelta(hours=1), LATER], [D("0.00195"), D("0.002"), D("0.00201")])})  # fmt: skip
SUMS = profit(list(filter(None, [trade_of(TRADE)])), now=Held(MNTL, AFTER.of(USDT).total, AFTER.of(MNTL).total), prices=PRICES, since=NOON - timedelta(days=7), until=LATER)  # fmt: skip
PROFIT = SpanReport(cast("ProfitReport", SUMS), NOON - timedelta(days=7), priced_now=True)
DAY = timedelta(days=1)
CAME = [Change(NOON - 5 * DAY, USDT, D("57.10"), D("82.10"), D("0.00195")), Change(NOON - 2 * DAY, USDT, D("82.10"), D("92.05"), D("0.002")), Change(NOON - 2 * DAY, MNTL, D(91_858), D(86_858), D("0.002")), Change(NOON - DAY, USDT, D("95.05"), D("45.05"), D("0.002"))]  # fmt: skip
FLOWS = cast("ProfitReport", profit(CAME, now=Held(MNTL, D("45.05"), D(86_858)), prices=PRICES, since=NOON - 7 * DAY, until=LATER))  # fmt: skip
COSTS = CostReport([MonthCosts(2026, 11, ExecutionMode.AUTO, 14, Shortfall(D("0.35"), D("0.08"), D("0.03"), D(205), D("198.20"))), MonthCosts(2026, 10, ExecutionMode.MARKET, 9, Shortfall(D("0.88"), D("0.06"), D("0.12"), D(131), D("124.80")))], without_middle=0, without_fees=1, without_end=0)  # fmt: skip
WEEK = Week(timedelta(days=7), D("1.31"), D("1.84"), day_ago=D("0.002024"))
LOOK = seen(AFTER, at=LATER)
STEADY = foreseen(ACCOUNT, AFTER, at=LATER)
STUCK = replace(TRADE, state=OrderState.NEEDS_HUMAN, resolved_at=None)
KEYLESS = replace(ACCOUNT, sealed_key=None, key_tail=None)
TROUBLE = Incident(IncidentKind.UNREACHABLE, "", since=NOON, last_at=LATER, count=4)
NEXT = foreseen(ACCOUNT, BEFORE, at=NOON)
THIN = Forecast(base_quantity=D(4696), quote_amount=D("9.42"), fee=D("0.0047"), held_after=D("90.57"), complete=False)  # fmt: skip
DRIFT = DriftNoticed(
    dry_run=False,
    symbol=SYMBOL,
    side=Side.BUY,
    expected_quote=TRADE.execution.quote_amount,
    expected_base=TRADE.execution.base_quantity,
    held=D("57.10"),
    target=D(40),
    band=SETTINGS.fixed_goal.band,
    asked_quote=D("17.10"),
    held_after=TRADE.quote_after,
)
ARRIVED = (BalanceChange(at=NOON, dry_run=False, asset=USDT, before=D(40), after=D(58)),)
WAITING: dict[str, Any] = {"symbol": SYMBOL, "moved": ARRIVED, "quantity_step": None, "held": D(58), "target": D(40), "dry_run": False, "amount": D(18), "buys": D(18), "new_target": D(58), "until": NOON + timedelta(minutes=15), "question_id": "q"}  # fmt: skip
HOUR = TimedPause(user_id=1, version=ACCOUNT.version, ends_at=NOON + timedelta(hours=1), due_at=NOON + timedelta(hours=1))  # fmt: skip
SHARE = Share(chat_id=-5, account_id=ACCOUNT.id, role=Role.VIEWER, user_id=2, name="The Club", shared_by=1, created_at=NOON)  # fmt: skip
FACTS = KeyInspection(frozenset({"SPOT_DEAL_WRITE"}), 90, ("203.0.113.7",), BEFORE)


def account_with(**wishes: object) -> Account:
    return replace(ACCOUNT, settings=replace(SETTINGS, **wishes))  # type: ignore[arg-type]


def status_card(account: Account = ACCOUNT, **more: object) -> Message:
    facts: dict[str, object] = {"look": LOOK, "rules": RULES, "last_trade": TRADE}
    if not account.stopped:
        facts |= {"checked": LOOK, "next_check_at": LATER + account.settings.interval}
    return status_view(account=account, now=LATER, **(facts | more))  # type: ignore[arg-type]


def by_hand(trade: ManualTrade, held: Holdings = AFTER) -> Message:
    decided = wanted(inputs_of(SETTINGS, held, trade=trade))
    decided, comes_to = forecast(decided, rules=RULES, book=BOOK, last_price=D("0.002"))
    if decided.order is None or comes_to is None:
        raise ValueError("nothing to show")
    return manual_plan_view(
        account=ACCOUNT,
        trade=trade,
        plan=decided,
        rules=RULES,
        forecast=comes_to,
        offer=offered(ACCOUNT, trade, decided.order, comes_to),
        confirmation_id="q",
    )


def over_time(trade: ManualTrade, span: timedelta, held: Holdings = AFTER) -> Message:
    limits = ACCOUNT.limits_in_force
    sized = size_slices(
        trade,
        span=span,
        now=NOON,
        holdings=held,
        rules=RULES,
        book=BOOK,
        settings=SETTINGS,
        limits=limits,
    )
    if not isinstance(sized, SlicesSized):
        raise TypeError("nothing to show")
    first = slice_trade(sized.trade, sized.trade.amounts[0])
    plan = wanted(inputs_of(SETTINGS, held, trade=first))
    plan, comes_to = forecast(plan, rules=RULES, book=BOOK, last_price=D("0.002"))
    if plan.order is None or comes_to is None:
        raise ValueError("nothing to show")
    every = forecast_slices(sized.trade, plan.order, comes_to, held=plan.held, book=BOOK)
    pauses, target = kept_by(ACCOUNT, trade.side, held_after=every.held_after)
    offer = SlicesOffer(
        trade=trade,
        span=span,
        price=every.average_price,
        version=1,
        pauses=pauses,
        target=target,
    )
    preview = SlicesPreview(
        account=ACCOUNT,
        held=plan.held,
        rules=RULES,
        sized=sized,
        forecast=every,
        offer=offer,
        day_left=limits.day,
    )
    return slices_plan_view(
        preview=preview, side=trade.side, span=span, now=NOON, confirmation_id="q"
    )


def asked(text: str, *answers: Message) -> Sequence[Typed | Message]:
    return [Typed(text), *answers]


def trouble_alert(kind: IncidentKind, detail: str = "", *, paused: bool = False) -> Message:
    return alert_view(
        IncidentAlert(
            dry_run=False,
            kind=kind,
            detail=detail,
            count=1,
            since=NOON,
            at=NOON,
            symbol=SYMBOL,
            paused=paused,
        )
    )
