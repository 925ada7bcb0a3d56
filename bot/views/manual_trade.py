"""`/buy` and `/sell`: the plan of a trade by hand, its buttons, and the answers to taps on them."""

from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.interaction.callback_data import Choose
from bot.interaction.message import Message
from bot.views.components.amounts import cents, pair_name, price, tokens, usdt
from bot.views.components.amounts import fee as fee_text
from bot.views.components.badges import alert_badge, badge
from bot.views.components.forecast import HALTED_FOR_ALL, price_note
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import escape, fitted, lines
from bot.views.components.listening import listening_line
from bot.views.components.no_trade_reasons import reason_advice, reason_text
from bot.views.components.target_words import target_line
from bot.views.rebalance_plan import PLAN_VALID_FOR
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import Settings
from engine.domain.alerts.alerts import ManualDeclined
from engine.domain.execution.bounded_order import BoundedOrder, NoOfferNear
from engine.domain.market.decimals import ONE, ZERO, plain
from engine.domain.market.pairs import USDT, PairRules, Side, Symbol, base_of
from engine.domain.rebalancing.forecast import Forecast
from engine.domain.rebalancing.manual_trade import ManualTrade
from engine.domain.rebalancing.planner import (
    EmptyBook,
    LimitKind,
    NothingFree,
    OverLimit,
    Plan,
    ProposedOrder,
    Reason,
    UnderMinimum,
)
from engine.domain.rebalancing.run_request import ManualOffer, RunRequest
from engine.domain.rebalancing.slices.plan import SlicesOffer

# A difference that rounding makes is not worth a line.
_AS_ASKED = Decimal("0.99")


def manual_form_view(*, account: Account, side: Side, is_listening: bool = False) -> Message:
    """The bare command: how it is written, and the usual amounts."""
    base, command = escape(base_of(account.settings.symbol)), command_of(side)
    if side is Side.BUY:
        text = [
            f"{badge(account)} · Buy {base}",
            "/buy 20 buys for 20 USDT.",
            "/buy 50% spends half of your free USDT.",
            "/buy 100 over 1h buys in slices.",
        ]
    else:
        text = [
            f"{badge(account)} · Sell {base}",
            "/sell 20 USDT sells for 20 USDT.",
            f"/sell 50% sells half of your free {base}.",
            "/sell 50% over 1h sells in slices.",
        ]
    return Message.of(
        *text,
        "I show the plan first. I send no order without your tap.",
        listening_line("20" if side is Side.BUY else "50%") if is_listening else None,
        keyboard=keyboard(
            [do("25%", command, "25%"), do("50%", command, "50%"), do("All", command, "all")]
        ),
    )


def other_pair_view(*, account: Account, wanted: Symbol) -> Message:
    return Message.of(
        f"{badge(account)} · No order was sent",
        f"This chat trades {escape(pair_name(account.settings.symbol))} only.",
        f"To trade {escape(base_of(wanted))} here, change the pair first: /setpair",
        keyboard=keyboard([do("Pair", "setpair")]),
    )


def manual_plan_view(
    *,
    account: Account,
    trade: ManualTrade,
    plan: Plan,
    rules: PairRules,
    forecast: Forecast | None,
    offer: ManualOffer | None,
    confirmation_id: str | None,
) -> Message:
    """*offer* and *forecast* are None without an order, *confirmation_id* where none may leave."""
    base, is_buy = escape(rules.base), trade.side is Side.BUY
    head = f"{badge(account)} · {f'Buy {base}?' if is_buy else f'Sell {base}?'}"
    if plan.order is None or forecast is None or offer is None:
        return Message.of(
            head,
            None if plan.reason is None else reason_text(plan.reason, symbol=rules.symbol),
            "No order was sent.",
            None if plan.reason is None else manual_advice(plan.reason, trade.side, rules.symbol),
        )
    amount = escape(tokens(forecast.base_quantity, rules.base))
    is_about = is_buy or not forecast.complete
    what = "Buy about" if is_buy else "Sell about" if is_about else "Sell"
    average = price(forecast.average_price, step=rules.price_step)
    fee = f"Fee {fee_text(forecast.fee, USDT)}" if forecast.fee else "No fee"
    after = f"USDT  {cents(plan.held)} → about {cents(max(ZERO, forecast.held_after))}"
    note = _note(trade, plan.order, forecast, rules)
    text = lines(
        head,
        f"{what} {amount}",
        f"for about {usdt(forecast.quote_amount)} at about {average}",
        f"{fee}. On paper: no real money moves." if account.settings.dry_run else fee,
        after,
        note,
        None if confirmation_id is None else _consequence(account, offer),
        HALTED_FOR_ALL
        if confirmation_id is None
        else f"Tap within {PLAN_VALID_FOR // timedelta(seconds=1)} s: I price it again first. "
        f"/{command_of(trade.side)} makes a new plan.",
    )
    buttons = None if confirmation_id is None else trade_buttons(offer, confirmation_id)
    return Message(fitted(text, note.split("\n")[-1] if note else None), buttons)


def manual_failed_view(*, account: Account, side: Side) -> Message:
    """The exchange did not answer while the plan was made."""
    return Message.of(
        f"{badge(account)} · No plan now",
        "No order was sent.",
        "MEXC does not answer, so I do not know what you hold.",
        f"Send /{command_of(side)} again in a minute.",
    )


def manual_accepted_view(*, account: Account, run: RunRequest) -> Message:
    """Replaces the plan, buttons and all, before anything is sent."""
    base, amount = escape(base_of(account.settings.symbol)), usdt(run.expected_quote)
    is_buy, manual = run.side is Side.BUY, run.manual
    target = None if manual is None else manual.target
    return Message.of(
        f"{badge(account)} · On it",
        f"You tapped: buy {base} for up to {amount}."
        if is_buy
        else f"You tapped: sell {base} for about {amount}.",
        "I read your balance and the prices again. Then I trade, or tell you why not.",
        "Trading pauses when the order leaves. /resume starts it again."
        if manual is not None and manual.pauses
        else None,
        None if target is None else f"When the order leaves, the target becomes {usdt(target)}.",
    )


def manual_outdated_view(*, side: Side) -> Message:
    """The tap came too late, or settings, key or mode were changed since the plan."""
    command = command_of(side)
    return Message.of(
        "⌛ This plan is out of date. No order was sent.",
        f"For a new one: /{command}",
        keyboard=keyboard([_again(side)]),
    )


def manual_declined_view(alert: ManualDeclined) -> Message:
    """The tapped trade was not made."""
    reason, side = alert.reason, alert.side
    return Message.of(
        f"{alert_badge(alert)} · Nothing traded",
        "No order was sent, and no setting changed.",
        "Balances, prices or settings moved away from the plan that you saw."
        if reason is None
        else reason_text(reason, symbol=alert.symbol),
        None if reason is None else manual_advice(reason, side, alert.symbol),
        f"For a new plan: /{command_of(side)}",
        keyboard=keyboard([_again(side)]),
    )


def command_of(side: Side) -> str:
    return "buy" if side is Side.BUY else "sell"


def _again(side: Side) -> InlineKeyboardButton:
    return do("Buy", "buy") if side is Side.BUY else do("Sell", "sell")


def trade_buttons(offer: ManualOffer | SlicesOffer, confirmation_id: str) -> InlineKeyboardMarkup:
    """The first trades, and pauses where the target would undo it; the second sets the target."""
    is_buy = offer.trade.side is Side.BUY
    first = "Buy" if is_buy else "Sell"
    if offer.pauses:
        first = "Buy, then pause" if is_buy else "Sell, then pause"
    rows = [[button(first, Choose(confirmation_id, 0))]]
    if offer.target is not None:
        target = plain(offer.target)
        label = f"Buy, then target {target}" if is_buy else f"Sell, then target {target}"
        rows.append([button(label, Choose(confirmation_id, 1))])
    return keyboard(*rows)


def aim_text(settings: Settings) -> str:
    fixed = settings.fixed
    return escape(target_line(settings.target)) if fixed is None else cents(fixed.target)


def _consequence(account: Account, offer: ManualOffer) -> str | None:
    """What becomes of the trade, and of trading, by each of the buttons."""
    settings, is_buy = account.settings, offer.trade.side is Side.BUY
    target, is_undone = aim_text(settings), offer.pauses or offer.target is not None
    if not is_undone:
        if settings.paused:
            return "Trading is paused and stays paused. Your tap sends this one order."
        return None
    if settings.paused:
        undone = (
            f"Trading is paused. After the pause, target {target} sells it again."
            if is_buy
            else f"Trading is paused. After the pause, target {target} buys it back."
        )
        return f"{undone} The second button sets another target."
    if offer.target is None:
        if is_buy:
            return f"Target {target} would sell it again, so trading pauses with it."
        return f"Target {target} would buy it back, so trading pauses with it."
    undone = (
        f"Target {target} would sell it again."
        if is_buy
        else f"Target {target} would buy it back."
    )
    return f"{undone} The first button pauses trading, the second sets another target."


def _note(
    trade: ManualTrade, order: ProposedOrder, forecast: Forecast, rules: PairRules
) -> str | None:
    """Why less is traded than was asked for."""
    asked, note = trade.quote_amount, price_note(order, forecast, rules=rules)
    if asked is None or not forecast.complete or order.expected_quote >= asked * _AS_ASKED:
        return note
    amount = usdt(order.expected_quote)
    if isinstance(order, BoundedOrder):
        return f"You asked for {usdt(asked)}. What is offered near the price, and free: {amount}."
    return f"You asked for {usdt(asked)}. What is free, and MEXC's largest order, allow {amount}."


def manual_advice(  # noqa: PLR0911 - one return a reason
    reason: Reason, side: Side, symbol: Symbol
) -> str | None:
    """What the user can do, where a later check does not trade by itself."""
    match reason:
        case OverLimit(kind=LimitKind.DAY):
            total = plain((reason.used + reason.asked).quantize(ONE, ROUND_CEILING))
            return f"/limits day {total} would allow it now."
        case OverLimit(kind=LimitKind.HOUR):
            return "You can wait, or set another limit with /limits hour."
        case OverLimit(kind=LimitKind.JUMP):
            return f"If the price stays there, send /{command_of(side)} again in a minute."
        case UnderMinimum() | EmptyBook():
            return None
        case NoOfferNear():
            return "To allow more: /slippage"
        case NothingFree():
            return reason_advice(reason, symbol=symbol) if reason.locked else None
        case _:
            return reason_advice(reason, symbol=symbol)
