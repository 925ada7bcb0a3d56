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
from bot.views.components.layout import escape, fitted, lines, paragraphs
from bot.views.components.no_trade_reasons import reason_advice, reason_text
from bot.views.components.order_text import order_sentence, waits_line
from bot.views.components.times import roughly
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import Settings
from engine.domain.execution.maker_first import rests
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, PairRules, Side
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
    settings, band = account.settings, account.settings.fixed_goal.band
    head = lines(
        f"{badge(account)} · Plan for {escape(pair_name(settings.symbol))}",
        _distance(plan.held, settings),
    )
    if plan.order is None or forecast is None:
        return Message.paragraphs(
            head, lines(_no_order(plan, settings), out_of_reach(settings, seen))
        )
    inside = (
        f"It is inside the band of {band_range(band)}. I would not trade, you may."
        if band.holds(plan.held)
        else None
    )
    unreachable = out_of_reach(settings, seen)
    order = lines(order_text(plan.order, forecast, held=plan.held, rules=rules), unreachable)
    buttons = None
    if account.halted:
        how = HALTED_FOR_ALL
    elif settings.paused or confirmation_id is None:
        how = "Trading is paused, so this is only a plan. Send /resume first, then /rebalance."
        buttons = keyboard([do("Resume", "resume")])
    else:
        how = tap_trade(dry_run=settings.dry_run)
        buttons = keyboard([button("Trade", Confirm(confirmation_id))])
    text = paragraphs(lines(head, inside), order, how)
    return Message(fitted(text, unreachable, inside), buttons)


def tap_trade(*, dry_run: bool) -> str:
    seconds = PLAN_VALID_FOR // timedelta(seconds=1)
    if dry_run:
        return f"Tap Trade within {seconds} s. On paper: no real money moves."
    return f"Tap Trade within {seconds} s. I check the price again first. No tap: nothing happens."


def plan_blocked_view(*, account: Account, unresolved: Order) -> Message:
    """No plan while an order is unresolved."""
    if rests(unresolved):
        return Message.of(
            f"{badge(account)} · No plan now",
            waits_line(unresolved),
            "I send nothing else until it is over.",
            "Please try again in a minute. /pause cancels it. More: /status",
        )
    return Message.of(
        f"{badge(account)} · No plan now",
        f"An order for about {usdt(unresolved.expected_quote)} is not confirmed yet.",
        "I look it up and send nothing else until I know.",
        "Please try again in a minute. More: /status",
    )


def plan_failed_view(*, account: Account) -> Message:
    """MEXC did not answer while the plan was made."""
    return Message.of(
        f"{badge(account)} · No plan now",
        "No order was sent.",
        "MEXC does not answer, so I do not know what you hold.",
        "Please send /rebalance again in a minute. More: /why",
    )


def no_key_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · No key yet",
        "Nothing was traded. I need a MEXC key to see what you hold.",
        "Send /connect to add one, or /dryrun on to try it on paper.",
        keyboard=keyboard([do("Connect", "connect")]),
    )


def plan_accepted_view(*, account: Account, side: Side, expected_quote: Decimal) -> Message:
    """Replaces the plan, keyboard and all, before anything is sent."""
    return Message.of(
        f"{badge(account)} · On it",
        order_sentence(
            side,
            account.settings.symbol,
            expected_quote,
            buy="You tapped Trade: I buy {base} for up to {amount}.",
            sell="You tapped Trade: I sell {base} for up to {amount}.",
        ),
        "I read your balance and the prices again first.",
        "Then I trade, or I tell you why not.",
    )


def plan_expired_view(*, age: timedelta) -> Message:
    return Message.of(
        f"⌛ Nothing was sent: this plan is {roughly(age)} old, too old to trade.",
        "New plan: /rebalance",
        keyboard=keyboard([do("Rebalance", "rebalance")]),
    )


def plan_outdated_view() -> Message:
    """Settings, key or mode were changed between the plan and the tap."""
    return Message.of(
        "Nothing was sent: this plan was made for other settings.",
        "New plan: /rebalance",
        keyboard=keyboard([do("Rebalance", "rebalance")]),
    )


def plan_paused_view(*, account: Account) -> Message:
    """Trading was paused between the plan and the tap."""
    return Message.of(
        f"{badge(account)} · Nothing traded",
        "No order was sent: trading is paused.",
        "Send /resume first, then /rebalance.",
        keyboard=keyboard([do("Resume", "resume")]),
    )


def foreign_tap_notice() -> str:
    """Plain text for the notice over the chat: the button belongs to another user."""
    return "Nothing happened: this button is for the person who asked."


def used_tap_notice() -> str:
    """Plain text: a second tap. The result of the first one stays in the message."""
    return "Nothing more happened: this button works once and was used already."


def dead_tap_notice() -> str:
    """Plain text: a forged or deleted button."""
    return "Nothing happened: this button works no more. Please send the command again."


def _distance(held: Decimal, settings: Settings) -> str:
    aim = settings.fixed_goal.target
    off = held - aim
    if cents(abs(off)) == "0.00":
        return f"You hold {usdt(held)}, just the target."
    target = f"{cents(aim)} ({drift(held, target=aim)})"
    if off > ZERO:
        return f"You hold {usdt(held)}, {usdt(off)} over the target of {target}."
    return f"You hold {usdt(held)}, {usdt(-off)} under the target of {target}."


def _no_order(plan: Plan, settings: Settings) -> str:
    band = settings.fixed_goal.band
    reason = plan.reason or InsideBand()  # a plan without an order always has a reason
    if isinstance(reason, InsideBand):
        return f"Nothing to trade: that is inside the band of {band_range(band)}."
    return lines(
        "There is nothing to trade now.",
        reason_text(reason, symbol=settings.symbol, held=plan.held, band=band),
        reason_advice(reason, symbol=settings.symbol),
    )


def order_text(
    order: ProposedOrder, forecast: Forecast, *, held: Decimal, rules: PairRules
) -> str:
    """The order's estimated result in the current book, and the balance after it."""
    amount = escape(tokens(forecast.base_quantity, rules.base))
    average = price(forecast.average_price, step=rules.price_step)
    after = cents(max(ZERO, forecast.held_after))
    fee = f"fee {fee_text(forecast.fee, USDT)}" if forecast.fee else "no fee"
    if order.side is Side.BUY:
        what = f"Buy about {amount}"
    else:
        what = f"Sell {amount}" if forecast.complete else f"Sell about {amount}"
    return lines(
        what,
        f"for about {usdt(forecast.quote_amount)} at about {average}",
        f"USDT  {cents(held)} → about {after}  ({fee})",
        price_note(order, forecast, rules=rules),
    )
