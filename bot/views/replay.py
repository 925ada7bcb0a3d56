"""A replay: an order planned again from what was stored with it, and whether it is the same."""

from collections.abc import Iterable

from bot.interaction.callback_data import WhyPage
from bot.interaction.message import Message
from bot.views.components.amounts import about_percent, cents, percent, price, quantity, usdt
from bot.views.components.badges import badge
from bot.views.components.keyboards import button, keyboard
from bot.views.components.layout import block, lines, row
from bot.views.components.no_trade_reasons import reason_text
from bot.views.components.order_text import order_line, order_sentence
from bot.views.components.target_words import target_line
from bot.views.components.times import to_the_second, zone_name
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import Band
from engine.domain.market.pairs import USDT
from engine.domain.orders.order import Order
from engine.domain.rebalancing.decision import PLANNER_VERSION, DecisionInputs
from engine.domain.rebalancing.leg_order import LEG_PLANNER_VERSION, LegInputs, ReplayedLeg
from engine.domain.rebalancing.limit_checks import as_fraction
from engine.domain.rebalancing.replay import NotReplayed, Replay, Replayed, WhyNot


def replay_view(*, account: Account, replay: Replay, back: WhyPage) -> Message:
    """*back* is the page with the button."""
    return_button = keyboard([button("« Back", back)])
    if isinstance(replay, NotReplayed):
        return Message.paragraphs(
            f"{badge(account)} · Replay",
            lines(
                _the_order(replay.order),
                _paper(replay.order),
                "I cannot plan it again.",
                _why_not(replay),
            ),
            "Its story: /history. Back to /why:",
            keyboard=return_button,
        )
    return Message.paragraphs(
        f"{badge(account)} · Replay",
        lines(
            "I planned this order again from what I stored with it.",
            _paper(replay.order),
            *_came_out(replay),
        ),
        block([*_inputs(replay), *_limits(replay)]),
        f"Nothing was sent. Times in {zone_name()}. Back to /why:",
        keyboard=return_button,
    )


def replay_gone_view(*, back: WhyPage) -> Message:
    """A button of another chat's order, or of one that was deleted."""
    return Message(
        "I do not have this order here. Back to /why:", keyboard([button("« Back", back)])
    )


def _paper(order: Order) -> str | None:
    return "On paper: no real money moved." if order.dry_run else None


def _the_order(order: Order) -> str:
    return order_line(order.side, order.symbol, order.expected_quote)


def _why_not(replay: NotReplayed) -> str:
    match replay.why:
        case WhyNot.NOT_STORED:
            return "Its inputs were not stored: an older version of me planned it."
        case WhyNot.OTHER_PLANNER:
            return f"Version {replay.planner} of my planner made it. I have version {PLANNER_VERSION}."
        case WhyNot.UNREADABLE:
            return "What I stored with it is damaged."


def _came_out(replay: Replayed | ReplayedLeg) -> Iterable[str]:
    order, plan = replay.order, replay.plan
    if replay.is_same:
        yield order_sentence(
            order.side,
            order.symbol,
            order.expected_quote,
            buy="✅ The same order came out: buy {base} for about {amount}.",
            sell="✅ The same order came out: sell {base} for about {amount}.",
        )
        return
    if plan.reason is not None:
        why = reason_text(
            plan.reason,
            symbol=order.symbol,
            held=plan.held,
            band=_band_of(replay),
        )
        yield f"⚠️ No order came out. {why}"
    elif plan.order is not None:
        yield order_sentence(
            plan.order.side,
            order.symbol,
            plan.order.expected_quote,
            buy="⚠️ Another order came out: buy {base} for about {amount}.",
            sell="⚠️ Another order came out: sell {base} for about {amount}.",
        )
    yield order_sentence(
        order.side,
        order.symbol,
        order.expected_quote,
        buy="I had planned: buy {base} for about {amount}.",
        sell="I had planned: sell {base} for about {amount}.",
    )
    yield "That is a fault of mine. Please report it."


def _inputs(replay: Replayed | ReplayedLeg) -> Iterable[str]:
    inputs = replay.inputs
    rules, book = inputs.rules, inputs.book
    holdings = inputs.portfolio.holdings if isinstance(inputs, LegInputs) else inputs.holdings
    yield from row("Read", to_the_second(holdings.read_at))
    for asset in (USDT, rules.base):
        held = holdings.of(asset)
        show = cents if asset == USDT else quantity
        locked = f", {show(held.locked)} locked" if held.locked else ""
        yield from row(asset, f"{show(held.free)} free{locked}")
    yield from _goal(inputs)
    if book.asks:
        yield from row("Ask", price(book.asks[0].price, step=rules.price_step))
    if book.bids:
        yield from row("Bid", price(book.bids[0].price, step=rules.price_step))
    yield from row("Fee", percent(rules.taker_fee_rate))
    if (priced := replay.order.priced) is not None:
        yield from row("Bound", price(priced.price, step=rules.price_step))


def _goal(inputs: DecisionInputs | LegInputs) -> Iterable[str]:
    if isinstance(inputs, LegInputs):
        quotes = inputs.portfolio.quotes
        for asset, quote in quotes.by_asset.items():
            yield from row(asset, f"{price(quote.bid)} – {price(quote.ask)}")
        return
    if inputs.trade is None:
        yield from row("Target", target_line(inputs.settings.target))
        if (fixed := inputs.settings.fixed) is not None:
            yield from row("Band", f"{cents(fixed.band.low)} – {cents(fixed.band.high)}")
    if inputs.waiting is not None:
        yield from row("Waiting", f"{usdt(inputs.waiting.amount)} of a deposit")


def _band_of(replay: Replayed | ReplayedLeg) -> Band | None:
    if isinstance(replay, ReplayedLeg) or (fixed := replay.inputs.settings.fixed) is None:
        return None
    return fixed.band


def _limits(replay: Replayed | ReplayedLeg) -> Iterable[str]:
    """What the order was measured by, and what was used before it."""
    order, limits, recent = replay.order, replay.inputs.limits, replay.inputs.recent
    yield from row("Order", f"{cents(order.most_quote)} of {cents(limits.order)}")
    yield from row("Day", f"{cents(recent.turnover)} of {cents(limits.day)} used")
    yield from row("Hour", f"{recent.orders} of {limits.orders_per_hour} used")
    yield from row(
        "Price", f"{about_percent(as_fraction(order.move_bp))} of {percent(limits.move)}"
    )
    version = LEG_PLANNER_VERSION if isinstance(replay, ReplayedLeg) else PLANNER_VERSION
    yield from row("Planner", f"version {version}")
