"""Why no order was sent: a sentence with its numbers for each of the planner's reasons."""

from decimal import Decimal
from typing import assert_never

from bot.views.components.amounts import (
    about_percent,
    balance,
    band_range,
    pair_name,
    percent,
    usdt,
)
from bot.views.components.layout import escape
from bot.views.components.times import utc
from engine.domain.accounts.settings import Band
from engine.domain.market.decimals import ONE, ceil_to_step, plain
from engine.domain.market.pairs import Side, Symbol, base_of
from engine.domain.rebalancing.planner import (
    DepositWaits,
    EmptyBook,
    InsideBand,
    LimitKind,
    NothingFree,
    OverLimit,
    PairClosed,
    Reason,
    SideClosed,
    StepTooCoarse,
    UnderMinimum,
)


def reason_text(  # noqa: C901, PLR0911 - one return a reason
    reason: Reason, *, symbol: Symbol, held: Decimal | None = None, band: Band | None = None
) -> str:
    """One or two sentences; *held* and *band* are needed for a balance inside its band."""
    base = escape(base_of(symbol))
    match reason:
        case InsideBand():
            return _inside(held=held, band=band)
        case DepositWaits():
            return f"{usdt(reason.amount)} of a deposit waits until {utc(reason.until)}."
        case PairClosed():
            return (
                f"MEXC takes no market orders for {escape(pair_name(symbol))} from API keys now."
            )
        case SideClosed():
            verb = "bought" if reason.side is Side.BUY else "sold"
            return f"MEXC does not let {base} be {verb} at the moment."
        case EmptyBook():
            if reason.side is Side.BUY:
                return f"Nobody offers {base} for sale within 5% of its last price."
            return f"Nobody offers to buy {base} within 5% of its last price."
        case NothingFree():
            return _nothing_free(reason, base=base)
        case UnderMinimum():
            verb = "Buying" if reason.side is Side.BUY else "Selling"
            return (
                f"{verb} {base} for {usdt(reason.quote_amount)} is too small: "
                f"MEXC takes orders from {usdt(reason.minimum)}."
            )
        case StepTooCoarse():
            return (
                f"The smallest piece of {base} brings {usdt(reason.step_value)}, but only "
                f"{usdt(reason.shortfall)} is missing: selling it would overshoot the band."
            )
        case OverLimit():
            return _over_limit(reason)
        case _:
            assert_never(reason)


def reason_advice(reason: Reason, *, symbol: Symbol) -> str:  # noqa: PLR0911 - one return a reason
    """What the user can do about it."""
    base = escape(base_of(symbol))
    match reason:
        case InsideBand():
            return "You need not do anything."
        case DepositWaits():
            return "/deposits has the buttons to trade or keep it now."
        case PairClosed() | SideClosed():
            return "You can wait, or choose another pair with /setpair."
        case EmptyBook():
            return "You can wait, or trade less often with a wider /setthreshold."
        case NothingFree() if reason.locked:
            return "You can cancel open orders at MEXC to free what they hold."
        case NothingFree() if reason.side is Side.SELL:
            return f"You can deposit {base} or USDT at MEXC, or lower the target with /settarget."
        case NothingFree():
            return "You can look at your balances with /balance, or change /settarget."
        case UnderMinimum() | StepTooCoarse():
            return "You can widen the band with /setthreshold, or wait until the drift is larger."
        case OverLimit():
            return _limit_advice(reason)
        case _:
            assert_never(reason)


def allow_order(amount: Decimal) -> str:
    """How to let one order of that size through."""
    return f"/limits order {plain(ceil_to_step(amount, ONE))} would allow it."


def _inside(*, held: Decimal | None, band: Band | None) -> str:
    if held is None or band is None:
        return "The balance is on target or near enough."
    return f"{usdt(held)} is inside the band of {band_range(band)}: nothing to do."


def _nothing_free(reason: NothingFree, *, base: str) -> str:
    if reason.side is Side.BUY:
        text = (
            f"Buying {base} needs USDT, but only {usdt(reason.free)} is free, which is too little"
        )
        locked = usdt(reason.locked)
    else:
        text = f"Selling needs {base}, but only {balance(reason.free)} {base} is free"
        text += ", which is too little"
        locked = f"{balance(reason.locked)} {base}"
    return f"{text}; {locked} more is held by open orders." if reason.locked else f"{text}."


def _over_limit(reason: OverLimit) -> str:
    match reason.kind:
        case LimitKind.ORDER:
            return (
                f"The order would be worth {usdt(reason.asked)}, over your limit of "
                f"{usdt(reason.allowed)} for one order."
            )
        case LimitKind.DAY:
            return (
                f"{usdt(reason.used)} were traded in the last 24 h; {usdt(reason.asked)} more "
                f"would be over your limit of {usdt(reason.allowed)}."
            )
        case LimitKind.HOUR:
            orders = "1 order" if reason.used == ONE else f"{reason.used:f} orders"
            return f"{orders} left in the last hour, and your limit is {reason.allowed:f}."
        case LimitKind.JUMP:
            return (
                f"The price is {about_percent(reason.asked)} away from the one I saw last, over "
                f"your limit of {percent(reason.allowed)}."
            )
        case LimitKind.SLIP:
            return (
                f"The book is so thin that the order would trade {about_percent(reason.asked)} "
                f"away from the middle price, over your limit of {percent(reason.allowed)}."
            )
        case _:
            assert_never(reason.kind)


def _limit_advice(reason: OverLimit) -> str:
    match reason.kind:
        case LimitKind.ORDER:
            return f"If that is what you want: {allow_order(reason.asked)}"
        case LimitKind.DAY:
            total = plain(ceil_to_step(reason.used + reason.asked, ONE))
            return (
                f"It goes on by itself as the hours pass; /limits day {total} would allow it now."
            )
        case LimitKind.HOUR:
            return "It goes on by itself within the hour; /limits hour sets another limit."
        case LimitKind.JUMP:
            return "If the price stays there, the next check trades. /limits price sets the limit."
        case LimitKind.SLIP:
            return "You can wait, or set another limit with /limits price."
        case _:
            assert_never(reason.kind)
