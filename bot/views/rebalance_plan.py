"""`/rebalance`: the plan with its one button, and the answer to each kind of tap on it."""

from datetime import timedelta
from decimal import Decimal

from bot.interaction.callback_data import Confirm
from bot.interaction.message import Message
from bot.views.components.amounts import band_range, cents, drift, pair_name, price, tokens, usdt
from bot.views.components.amounts import fee as fee_text
from bot.views.components.badges import badge
from bot.views.components.forecast import HALTED_FOR_ALL, out_of_reach, price_note
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import escape, lines
from bot.views.components.no_trade_reasons import reason_advice, reason_text
from bot.views.components.times import roughly
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import Settings
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, PairRules, Side, base_of
from engine.domain.orders.order import Order
from engine.domain.rebalancing.check_result import BalanceSnapshot
from engine.domain.rebalancing.forecast import Forecast
from engine.domain.rebalancing.planner import InsideBand, Plan, ProposedOrder

PLAN_VALID_FOR = timedelta(seconds=90)


def plan_view(
    *,
    account: Account,
    plan: Plan,
    rules: PairRules,
    forecast: Forecast | None,
    confirmation_id: str | None,
    seen: BalanceSnapshot | None = None,
) -> Message:
    """The plan made with `ignore_band`, and the estimated result of its order.
    *confirmation_id* is None if no tap is possible: nothing to trade, or trading is paused.
    """
    settings = account.settings
    head = lines(
        f"{badge(account)} · Plan for {escape(pair_name(settings.symbol))}",
        f"You hold {usdt(plan.held)}, {_distance(plan.held, settings)}.",
    )
    if plan.order is None or forecast is None:
        return Message.paragraphs(
            head, lines(_no_order(plan, settings), out_of_reach(settings, seen))
        )
    inside = (
        f"It is inside the band of {band_range(settings.band)}: "
        "I would leave it alone, but you may trade it."
        if settings.band.holds(plan.held)
        else None
    )
    order = lines(
        order_text(plan.order, forecast, held=plan.held, rules=rules, dry_run=settings.dry_run),
        out_of_reach(settings, seen),
    )
    buttons = None
    if account.halted:
        how = lines("So this stays a plan.", HALTED_FOR_ALL)
    elif settings.paused or confirmation_id is None:
        how = "Trading is paused, so this stays a plan. Send /resume first, then /rebalance."
        buttons = keyboard([do("Resume", "resume")])
    else:
        how = lines(
            f"Tap Trade to do it: once, within {PLAN_VALID_FOR // timedelta(seconds=1)} s. "
            "I price it again when you tap.",
            "Without a tap nothing happens. /rebalance makes a new plan.",
        )
        buttons = keyboard([button("Trade", Confirm(confirmation_id))])
    return Message.paragraphs(lines(head, inside), order, how, keyboard=buttons)


def plan_blocked_view(*, account: Account, unresolved: Order) -> Message:
    """No plan while an order is unresolved."""
    return Message.of(
        f"{badge(account)} · No plan now",
        f"An order for about {usdt(unresolved.expected_quote)} is not confirmed yet.",
        "I look it up and send nothing else until I know. Please try again in a minute.",
        "/status shows how it stands.",
    )


def plan_failed_view(*, account: Account) -> Message:
    """MEXC did not answer while the plan was made."""
    return Message.of(
        f"{badge(account)} · No plan now",
        "MEXC does not answer, so I do not know what you hold. No order was sent.",
        "Please send /rebalance again in a minute. /why tells more.",
    )


def no_key_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · No key yet",
        "I need a MEXC key to see what you hold. Nothing was traded.",
        "Send /connect to add one, or /dryrun on to try it on paper.",
        keyboard=keyboard([do("Connect", "connect")]),
    )


def plan_accepted_view(*, account: Account, side: Side, expected_quote: Decimal) -> Message:
    """Replaces the plan, keyboard and all, before anything is sent."""
    verb = "buy" if side is Side.BUY else "sell"
    base = escape(base_of(account.settings.symbol))
    return Message.of(
        f"{badge(account)} · On it",
        f"You tapped Trade: {verb} {base} for up to {usdt(expected_quote)}.",
        "I read your balance and the prices again, then trade or tell you why not.",
    )


def plan_expired_view(*, age: timedelta) -> Message:
    return Message.of(
        f"⌛ This plan is {roughly(age)} old, too old to trade. Nothing was sent.",
        "Send /rebalance for a new one.",
        keyboard=keyboard([do("Rebalance", "rebalance")]),
    )


def plan_outdated_view() -> Message:
    """Settings, key or mode were changed between the plan and the tap."""
    return Message.of(
        "This plan was made for other settings, so nothing was sent.",
        "Send /rebalance for a new one.",
        keyboard=keyboard([do("Rebalance", "rebalance")]),
    )


def plan_paused_view(*, account: Account) -> Message:
    """Trading was paused between the plan and the tap."""
    return Message.of(
        f"{badge(account)} · Nothing traded",
        "Trading is paused, so no order was sent.",
        "Send /resume first, then /rebalance.",
        keyboard=keyboard([do("Resume", "resume")]),
    )


def foreign_tap_notice() -> str:
    """Plain text for the notice over the chat: the button belongs to another user."""
    return "This button is for the person who asked. Nothing happened."


def used_tap_notice() -> str:
    """Plain text: a second tap. The result of the first one stays in the message."""
    return "This button was used already and works only once. Nothing more happened."


def dead_tap_notice() -> str:
    """Plain text: a forged or deleted button."""
    return "This button does nothing any more. Nothing happened; please send the command again."


def _distance(held: Decimal, settings: Settings) -> str:
    off = held - settings.target
    if cents(abs(off)) == "0.00":
        return "just the target"
    word = "over" if off > ZERO else "under"
    relative = drift(held, target=settings.target)
    return f"{usdt(abs(off))} {word} the target of {cents(settings.target)} ({relative})"


def _no_order(plan: Plan, settings: Settings) -> str:
    reason = plan.reason or InsideBand()  # a plan without an order always has a reason
    text = reason_text(reason, symbol=settings.symbol, held=plan.held, band=settings.band)
    if isinstance(reason, InsideBand):
        return text
    return lines(
        text,
        "So there is nothing to trade now.",
        reason_advice(reason, symbol=settings.symbol),
    )


def order_text(
    order: ProposedOrder, forecast: Forecast, *, held: Decimal, rules: PairRules, dry_run: bool
) -> str:
    """The order's estimated result in the current book, and the balance after it."""
    verb = "Buy about" if order.side is Side.BUY else "Sell" if forecast.complete else "Sell about"
    average = price(forecast.average_price, step=rules.price_step)
    return lines(
        f"{verb} {escape(tokens(forecast.base_quantity, rules.base))}",
        f"for about {usdt(forecast.quote_amount)} at about {average}",
        f"Fee {fee_text(forecast.fee, USDT)}" if forecast.fee else "No fee",
        f"USDT  {cents(held)} → about {cents(max(ZERO, forecast.held_after))}",
        price_note(order, forecast, rules=rules),
        "On paper: no real money moves." if dry_run else None,
    )
