"""Alerts: trades, unresolved orders, incidents and their end."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from bot.interaction.message import Message
from bot.views.alerts.approvals import (
    drift_noticed_view,
    plan_offered_view,
    portfolio_noticed_view,
    portfolio_offered_view,
)
from bot.views.alerts.balance_changes import moved_view
from bot.views.alerts.deposits import deposit_kept_view, deposit_traded_view, deposit_waits_view
from bot.views.alerts.digest import digest_view
from bot.views.alerts.incidents import trouble_over_view, trouble_view
from bot.views.alerts.key_expiry import key_ending_view, key_too_powerful_view, money_shared_view
from bot.views.alerts.runs import run_settled_view
from bot.views.alerts.streams import STREAM_VIEWS
from bot.views.alerts.timed_pause import pause_ended_view, resume_asked_view
from bot.views.alerts.undeliverable import chat_deliverable_view, chat_undeliverable_view
from bot.views.alerts.weekly import weekly_view
from bot.views.components.amounts import (
    cents,
    pair_name,
    precise_percent,
    price,
    quantity,
    tokens,
    usdt,
)
from bot.views.components.badges import RECOVERED, TROUBLE, alert_badge, mode_badge
from bot.views.components.keyboards import do, keyboard
from bot.views.components.layout import escape, lines, quoted
from bot.views.components.no_trade_reasons import reason_advice, reason_text
from bot.views.components.order_text import fees_paid, order_line, order_sentence
from bot.views.halt import halt_alert_view
from bot.views.low_balance import LOW_BALANCE_VIEWS
from bot.views.manual_trade import manual_declined_view
from bot.views.members import joined_view
from bot.views.pacing import PACE_VIEWS
from bot.views.pause_resume import pause_answer_settled_view
from bot.views.price_alerts import PRICE_VIEWS
from bot.views.share import sharing_begun_view, sharing_ended_view, sharing_left_view
from bot.views.shared_groups import account_changed_view, group_answered_view, group_asks_view
from bot.views.slices import sliced_trade_over_view
from bot.views.stray_orders import stray_order_view
from bot.views.unresolved_order import report_rows
from engine.domain.alerts.alerts import (
    Alert,
    ChatDeliverable,
    ChatUndeliverable,
    Digest,
    DriftNoticed,
    Halted,
    HaltLifted,
    IncidentAlert,
    IncidentResolved,
    ManualDeclined,
    MemberJoined,
    OrderNeedsPerson,
    OrderNeverArrived,
    OrderUnclear,
    PlanOffered,
    PricesNotTaken,
    RunDeclined,
    TradeSettled,
)
from engine.domain.alerts.deposit_alerts import (
    BalanceChanged,
    DepositKept,
    DepositTraded,
    DepositWaiting,
)
from engine.domain.alerts.key_alerts import KeyEnding, KeyTooPowerful, MoneyShared
from engine.domain.alerts.order_alerts import PauseAnswerSettled, StrayOrderFound
from engine.domain.alerts.pause_alerts import PauseEnded, ResumeAsked
from engine.domain.alerts.plan_alerts import PortfolioNoticed, PortfolioOffered
from engine.domain.alerts.report_alerts import WeeklyReport
from engine.domain.alerts.run_alerts import RunSettled
from engine.domain.alerts.share_alerts import SharingBegun, SharingEnded, SharingLeft
from engine.domain.alerts.shared_alerts import AccountChanged, GroupAnswered, GroupAsks
from engine.domain.alerts.slices_alerts import SlicedTradeOver
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Side, base_of

# MEXC limits a market order to 5 % around the last price, so a buy spends up to that much less; up
# to 6 % short is normal, and a shortfall under 0.1 % is not mentioned.
_NORMAL_SHORTFALL = Decimal("0.06")
_WORTH_SAYING = Decimal("0.001")
_CONFIRMED_LATE = (
    "Confirmed late: the order was sent once. MEXC's first answer was lost, so I looked it up."
)
_LOOKING = "I send nothing else until I know, and keep asking MEXC."


def _trade(trade: TradeSettled) -> Message:
    if not trade.base_quantity:
        return _nothing_traded(trade)
    badge = alert_badge(trade)
    amount = escape(tokens(trade.base_quantity, base_of(trade.symbol)))
    average = price(trade.quote_amount / trade.base_quantity)
    shortfall = _shortfall(trade)
    return Message.of(
        f"{badge} · Bought {amount}" if trade.side is Side.BUY else f"{badge} · Sold {amount}",
        f"for {usdt(trade.quote_amount)} at {average}{_as_expected(trade)}",
        _fee_and_shortfall(trade, shortfall),
        _balance_change(trade),
        _widened(trade) or (_only_a_part(trade) if shortfall > _most_missing(trade) else None),
        _CONFIRMED_LATE if trade.late else None,
        "On paper: no real money moved." if trade.dry_run else None,
        silent=trade.dry_run,
    )


def _as_expected(trade: TradeSettled) -> str:
    return "" if trade.expected is None else f" (expected {price(trade.expected)})"


def _widened(trade: TradeSettled) -> str | None:
    if not trade.widened:
        return None
    if trade.slipped is None:
        return "Too little was offered near the price for 15 minutes, so I went further."
    return (
        "Too little was offered near the price for 15 minutes, so I went further: "
        f"{precise_percent(trade.slipped)} from the middle."
    )


def _most_missing(trade: TradeSettled) -> Decimal:
    """How much of an order may be missing before that is worth a line."""
    return _WORTH_SAYING if trade.waited else _NORMAL_SHORTFALL


def _only_a_part(trade: TradeSettled) -> str:
    if trade.waited and not trade.paused:
        return "It waited at its price, and nobody took the rest. I trade that at once now."
    if trade.paused:
        return "Only part was filled. Trading is paused, so the rest is not traded."
    return "Only part was filled. I try the rest at the next check."


def _nothing_traded(trade: TradeSettled) -> Message:
    badge = alert_badge(trade)
    buying = trade.side is Side.BUY
    return Message.of(
        f"{badge} · Nothing bought" if buying else f"{badge} · Nothing sold",
        _nobody(trade),
        f"USDT  {cents(trade.quote_before)} unchanged  (target {cents(trade.target)})",
        "The next check decides again.",
        _CONFIRMED_LATE if trade.late else None,
        silent=trade.dry_run,
    )


def _nobody(trade: TradeSettled) -> str:
    buying = trade.side is Side.BUY
    if trade.waited:
        return "Nobody took it while it waited. It is cancelled; no money moved."
    if trade.asked_base is not None:
        return (
            "Nobody sold within its bound any more. MEXC ended the order; no money moved."
            if buying
            else "Nobody bought within its bound any more. MEXC ended the order; no money moved."
        )
    return (
        "No seller within 5% of the last price. MEXC cancelled the order; no money moved."
        if buying
        else "No buyer within 5% of the last price. MEXC cancelled the order; no money moved."
    )


def _moved(trade: TradeSettled) -> Decimal:
    """What the trade moved in USDT; a sell is measured after its fee."""
    if trade.side is Side.SELL:
        return trade.quote_amount - _usdt_fee(trade.fees)
    return trade.quote_amount


def _shortfall(trade: TradeSettled) -> Decimal:
    """Return the part of the request that was not executed."""
    if trade.asked_base is not None:
        return (trade.asked_base - trade.base_quantity) / trade.asked_base
    if trade.asked_quote <= ZERO:
        return ZERO
    return max(ZERO, (trade.asked_quote - _moved(trade)) / trade.asked_quote)


def _fee_and_shortfall(trade: TradeSettled, shortfall: Decimal) -> str:
    fee = _fees(trade.fees, complete=trade.fees_complete)
    if shortfall < _WORTH_SAYING:
        return fee
    if trade.asked_base is not None:
        asked_base = escape(tokens(trade.asked_base, base_of(trade.symbol)))
        return f"{fee} · MEXC filled {quantity(trade.base_quantity)} of {asked_base}"
    filled, asked = cents(_moved(trade)), cents(trade.asked_quote)
    if shortfall > _NORMAL_SHORTFALL:
        return f"{fee} · MEXC filled {filled} of {asked}"
    return f"{fee} · MEXC filled {filled} of {asked} (normal)"


def _fees(fees: Mapping[Asset, Decimal] | None, *, complete: bool) -> str:
    if fees is None:
        return "Fee not known yet"
    if paid := fees_paid(fees, complete=complete):
        return f"Fee {escape(paid)}"
    return "No fee" if complete else "Fee not known yet"


def _usdt_fee(fees: Mapping[Asset, Decimal] | None) -> Decimal:
    return (fees or {}).get(USDT, ZERO)


def _balance_change(trade: TradeSettled) -> str:
    before, target = cents(trade.quote_before), cents(trade.target)
    if trade.quote_after is not None:
        return f"USDT  {before} → {cents(trade.quote_after)}  (target {target})"
    moved = trade.quote_amount if trade.side is Side.SELL else -trade.quote_amount
    expected = max(ZERO, trade.quote_before + moved - _usdt_fee(trade.fees))
    return lines(
        f"USDT  {before} → about {cents(expected)}  (target {target})",
        "MEXC does not show the new balance yet.",
    )


def _unclear(alert: OrderUnclear) -> Message:
    return Message.of(
        f"{alert_badge(alert, sign=TROUBLE)} · An order is unclear",
        order_sentence(
            alert.side,
            alert.symbol,
            alert.expected_quote,
            buy="MEXC did not answer my order to buy {base} for about {amount}.",
            sell="MEXC did not answer my order to sell {base} for about {amount}.",
        ),
        "It may or may not have traded.",
        "I look it up, and send nothing else until I know.",
        "It is not sent again. You need not do anything.",
    )


def _prices_not_taken(alert: PricesNotTaken) -> Message:
    pair = escape(pair_name(alert.symbol))
    if alert.maker:
        return Message.of(
            f"{alert_badge(alert, sign=TROUBLE)} · No waiting orders for {pair}",
            "MEXC takes no orders that wait as a maker from this key. Nothing was traded.",
            f"From now on I send orders with a bound for {pair}. They trade at once.",
            "I try orders that wait again in a week. More: /execution",
        )
    return Message.of(
        f"{alert_badge(alert, sign=TROUBLE)} · Market orders for {pair}",
        "MEXC let an order rest that should have ended at once. I cancelled it."
        if alert.rested
        else "MEXC takes no orders with a price bound from this key. Nothing was traded.",
        f"From now on I send market orders for {pair}.",
        "They trade up to 5% away from the last price.",
        "I try orders with a bound again in a week. More: /execution",
    )


def _never_arrived(alert: OrderNeverArrived) -> Message:
    return Message.of(
        f"{alert_badge(alert, sign=RECOVERED)} · The order never arrived",
        "No money moved.",
        order_sentence(
            alert.side,
            alert.symbol,
            alert.expected_quote,
            buy="MEXC does not know my order to buy {base} for about {amount}.",
            sell="MEXC does not know my order to sell {base} for about {amount}.",
        ),
        "The next check reads your balance and decides again.",
    )


def _needs_person(alert: OrderNeedsPerson) -> Message:
    return Message.of(
        f"{mode_badge(dry_run=alert.dry_run, halted=True)} · Please look at MEXC",
        *unclear_order_lines(alert),
        _LOOKING,
        f"Please look in your {escape(pair_name(alert.symbol))} orders at MEXC for the client "
        f"order id {escape(alert.client_order_id)}.",
        "Tap what MEXC shows. I check it against your balances.",
        "Filled in part, or not sure: /resume lets you go on. More: /status",
        keyboard=keyboard(*report_rows(alert.client_order_id)),
    )


def unclear_order_lines(alert: OrderNeedsPerson) -> Iterable[str]:
    order = alert.side, alert.symbol, alert.expected_quote
    if alert.rests:
        yield order_sentence(
            *order,
            buy="I cancelled my order to buy {base} for about {amount} 15 min ago.",
            sell="I cancelled my order to sell {base} for about {amount} 15 min ago.",
        )
        yield "MEXC has not confirmed it. If the order is open there, cancel it, please."
        return
    if not alert.status:
        yield order_sentence(
            *order,
            buy="For 15 min MEXC has not confirmed my order to buy {base} for about {amount}.",
            sell="For 15 min MEXC has not confirmed my order to sell {base} for about {amount}.",
        )
        yield "It may or may not have traded."
        return
    amount = escape(tokens(alert.base_quantity, base_of(alert.symbol)))
    yield order_line(*order)
    yield f"MEXC calls it {quoted(alert.status)}. I do not know this word."
    yield f"MEXC says that {amount} were traded for {usdt(alert.quote_amount)}."


def _declined(alert: RunDeclined) -> Message:
    badge = alert_badge(alert)
    if alert.reason is not None:
        return Message.of(
            f"{badge} · Nothing traded",
            _no_order(alert),
            reason_text(alert.reason, symbol=alert.symbol),
            reason_advice(alert.reason, symbol=alert.symbol),
        )
    return Message.of(
        f"{badge} · Nothing traded",
        "No order was sent: the plan no longer fits.",
        _new_plan(alert),
        "New plan: /rebalance",
        keyboard=keyboard([do("Rebalance", "rebalance")]),
    )


def _no_order(alert: RunDeclined) -> str:
    if alert.target is None:
        return "No order was sent."
    return f"No order was sent. You hold {usdt(alert.held)}, the target is {usdt(alert.target)}."


def _new_plan(alert: RunDeclined) -> str | None:
    if alert.new_side is None or alert.new_quote is None:
        return None
    return order_sentence(
        alert.new_side,
        alert.symbol,
        alert.new_quote,
        buy="Now I would buy {base} for about {amount}.",
        sell="Now I would sell {base} for about {amount}.",
    )


_VIEWS: Mapping[type[Alert], Callable[[Any], Message]] = {
    TradeSettled: _trade,
    RunSettled: run_settled_view,
    PricesNotTaken: _prices_not_taken,
    OrderUnclear: _unclear,
    OrderNeverArrived: _never_arrived,
    OrderNeedsPerson: _needs_person,
    StrayOrderFound: stray_order_view,
    PauseAnswerSettled: pause_answer_settled_view,
    IncidentAlert: trouble_view,
    IncidentResolved: trouble_over_view,
    RunDeclined: _declined,
    ManualDeclined: manual_declined_view,
    DriftNoticed: drift_noticed_view,
    PlanOffered: plan_offered_view,
    PortfolioNoticed: portfolio_noticed_view,
    PortfolioOffered: portfolio_offered_view,
    BalanceChanged: moved_view,
    DepositTraded: deposit_traded_view,
    DepositWaiting: deposit_waits_view,
    DepositKept: deposit_kept_view,
    Halted: halt_alert_view,
    HaltLifted: halt_alert_view,
    **LOW_BALANCE_VIEWS,
    **PRICE_VIEWS,
    Digest: digest_view,
    WeeklyReport: weekly_view,
    ChatUndeliverable: chat_undeliverable_view,
    ChatDeliverable: chat_deliverable_view,
    KeyEnding: key_ending_view,
    KeyTooPowerful: key_too_powerful_view,
    MoneyShared: money_shared_view,
    MemberJoined: joined_view,
    SharingBegun: sharing_begun_view,
    SharingLeft: sharing_left_view,
    SharingEnded: sharing_ended_view,
    GroupAsks: group_asks_view,
    GroupAnswered: group_answered_view,
    AccountChanged: account_changed_view,
    PauseEnded: pause_ended_view,
    **PACE_VIEWS,
    ResumeAsked: resume_asked_view,
    SlicedTradeOver: sliced_trade_over_view,
    **STREAM_VIEWS,
}


def alert_view(alert: Alert) -> Message:
    return _VIEWS[type(alert)](alert)
