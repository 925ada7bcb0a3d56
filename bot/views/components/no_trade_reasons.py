"""Why no order was sent: a sentence with its numbers for each of the planner's reasons."""

from datetime import datetime
from decimal import Decimal
from typing import assert_never

from bot.views.components.amounts import (
    about_percent,
    balance,
    band_range,
    cents,
    count,
    pair_name,
    percent,
    usdt,
)
from bot.views.components.layout import escape, listed
from bot.views.components.target_facts import leg_reason_text
from bot.views.components.times import utc
from engine.domain.accounts.settings import Band
from engine.domain.execution.bounded_order import NoOfferNear
from engine.domain.execution.slices import SlicesRun
from engine.domain.market.decimals import ONE, ceil_to_step, plain
from engine.domain.market.pairs import USDT, Side, Symbol, base_of
from engine.domain.portfolio.plan import (
    MissingPrices,
    NoLegs,
    NothingManaged,
    OldPrices,
    WithinSpread,
)
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
from engine.domain.targets.pacing import AwaitsSlot, BuyingStopped, RestsUntil, SecondLook
from engine.domain.targets.protection import NotCovered

# Of several tokens in one sentence.
_MOST_NAMES = 3


def reason_text(  # noqa: C901, PLR0911, PLR0912 - one return a reason
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
            if reason.side is Side.BUY:
                return f"MEXC takes no buy orders for {base} now."
            return f"MEXC takes no sell orders for {base} now."
        case EmptyBook():
            if reason.side is Side.BUY:
                return f"No seller of {base} within 5% of the last price."
            return f"No buyer of {base} within 5% of the last price."
        case NothingFree():
            return _nothing_free(reason, base=base)
        case UnderMinimum():
            return _too_small(reason, base=base)
        case StepTooCoarse():
            return (
                f"Only {usdt(reason.shortfall)} is missing. The smallest piece of {base} brings "
                f"{usdt(reason.step_value)}, and that would overshoot the band."
            )
        case NotCovered():
            return _not_covered(reason, base=base)
        case OverLimit():
            return _over_limit(reason)
        case NoOfferNear():
            return _no_offer_near(reason, base=base)
        case SlicesRun():
            return slices_run(reason.until)
        case AwaitsSlot(at):
            return f"Something is out of its band. I trade at set times. The next is {utc(at)}."
        case BuyingStopped(since):
            return f"The crash guard has let me buy nothing since {utc(since)}."
        case SecondLook(assets):
            names = listed(map(escape, assets[:_MOST_NAMES]))
            return f"I trade once two checks in a row find {names} out of the band."
        case RestsUntil(until):
            return f"Something is out of its band. I rest after a trade until {utc(until)}."
        case MissingPrices() | OldPrices() | NothingManaged() | WithinSpread() | NoLegs():
            return _of_several(reason)
        case _:
            assert_never(reason)


def _of_several(
    reason: MissingPrices | OldPrices | NothingManaged | WithinSpread | NoLegs,
) -> str:
    match reason:
        case MissingPrices(assets):
            names = listed(map(escape, assets[:_MOST_NAMES]))
            return f"MEXC shows no price for {names}. Without it I know no share, so I wait."
        case OldPrices(read_at):
            return f"MEXC's prices are old: they are from {utc(read_at)}."
        case NothingManaged():
            return "There is nothing to trade: you hold nothing of the target, or protect it all."
        case WithinSpread(assets):
            names = listed(map(escape, assets[:_MOST_NAMES]))
            return f"Buyers and sellers are too far apart to say whether {names} left the band."
        case NoLegs(assets):
            if not assets:
                return "What is outside its band cannot be traded now."
            first, *others = (leg_reason_text(asset, why) for asset, why in assets.items())
            more = count(len(others), "{n} more is outside too.", "{n} more are outside too.")
            return f"{first} {more}" if others else first
        case _:
            assert_never(reason)


def reason_advice(  # noqa: C901, PLR0911, PLR0912 - one return a reason
    reason: Reason, *, symbol: Symbol
) -> str:
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
        case NotCovered():
            asset = base if reason.side is Side.BUY else USDT
            return f"You can deposit {asset}, or protect less of it with /protect."
        case OverLimit():
            return _limit_advice(reason)
        case NoOfferNear(strict=True):
            return "I wait until somebody offers more. To allow more: /slippage"
        case NoOfferNear():
            return "After 15 minutes I send one order up to 5% away from the last price."
        case NothingManaged():
            return "You can deposit at MEXC, or protect less with /protect."
        case AwaitsSlot():
            return "To trade now: /rebalance. Other times: /schedule"
        case BuyingStopped():
            return "To buy again: /crashguard lift. Your own trades are free: /rebalance"
        case SecondLook():
            return "To trade now: /rebalance. To trade at the first look: /bands twice off"
        case RestsUntil():
            return "To trade now: /rebalance. Another rest: /cooldown"
        case MissingPrices() | OldPrices() | WithinSpread() | NoLegs():
            return "You need not do anything."
        case SlicesRun():
            return "/status shows how far it is, and has a button to stop the rest."
        case _:
            assert_never(reason)


def _no_offer_near(reason: NoOfferNear, *, base: str) -> str:
    slippage, is_buy = percent(reason.slippage), reason.side is Side.BUY
    if reason.nearest is None:
        return (
            f"Nobody buys {base} now, so there is no middle price to measure from."
            if is_buy
            else f"Nobody sells {base} now, so there is no middle price to measure from."
        )
    if reason.wanted is not None:
        return (
            f"I would sell other tokens to buy {base} for {usdt(reason.wanted)}. Within {slippage} "
            f"of the middle price only {usdt(reason.offered)} is for sale."
        )
    if reason.offered:
        offered, least = usdt(reason.offered), usdt(reason.minimum)
        return (
            f"Within {slippage} of the middle price only {offered} of {base} is for sale. MEXC's "
            f"smallest order is {least}."
            if is_buy
            else f"Within {slippage} of the middle price only {offered} of {base} is wanted. "
            f"MEXC's smallest order is {least}."
        )
    nearest = about_percent(reason.nearest)
    return (
        f"The nearest seller of {base} is {nearest} away from the middle price. Your limit is "
        f"{slippage}."
        if is_buy
        else f"The nearest buyer of {base} is {nearest} away from the middle price. Your limit "
        f"is {slippage}."
    )


def slices_run(until: datetime) -> str:
    return f"A trade over time runs until {utc(until)}. I trade nothing else meanwhile."


def allow_order(amount: Decimal) -> str:
    """How to let one order of that size through."""
    return f"To allow it: /limits order {plain(ceil_to_step(amount, ONE))}"


def _inside(*, held: Decimal | None, band: Band | None) -> str:
    if held is None or band is None:
        return "The balance is on target or near enough."
    return f"{usdt(held)} is inside the band of {band_range(band)}: nothing to do."


def _too_small(reason: UnderMinimum, *, base: str) -> str:
    amount, least = usdt(reason.quote_amount), usdt(reason.minimum)
    if reason.side is Side.BUY:
        return f"Buying {base} for {amount} is too small: MEXC's smallest order is {least}."
    return f"Selling {base} for {amount} is too small: MEXC's smallest order is {least}."


def _not_covered(reason: NotCovered, *, base: str) -> str:
    if reason.side is Side.BUY:
        held, least = f"{balance(reason.held)} {base}", f"{balance(reason.protected)} {base}"
        return f"You hold {held} and protect {least}. What I buy would be protected too."
    held, least = usdt(reason.held), usdt(reason.protected)
    return f"You hold {held} and protect {least}. What a sale brings would be protected too."


def _nothing_free(reason: NothingFree, *, base: str) -> str:
    if reason.side is Side.BUY:
        text = f"Buying {base} needs USDT, but only {usdt(reason.free)} is free."
        locked = usdt(reason.locked)
    else:
        text = f"Selling needs {base}, but only {balance(reason.free)} {base} is free."
        locked = f"{balance(reason.locked)} {base}"
    return f"{text} Open orders hold {locked}." if reason.locked else text


def _over_limit(reason: OverLimit) -> str:
    match reason.kind:
        case LimitKind.ORDER:
            return (
                f"Blocked by your limit: the order would be {usdt(reason.asked)}, you allow "
                f"{cents(reason.allowed)}."
            )
        case LimitKind.DAY:
            return (
                f"Blocked by your limit: {usdt(reason.used)} were traded in the last 24 h, the "
                f"order needs {cents(reason.asked)}, you allow {cents(reason.allowed)}."
            )
        case LimitKind.HOUR:
            return count(
                int(reason.used),
                "Blocked by your limit: {n} order was sent in the last hour, you allow {most}.",
                "Blocked by your limit: {n} orders were sent in the last hour, you allow {most}.",
                most=f"{reason.allowed:f}",
            )
        case LimitKind.JUMP:
            return (
                f"Blocked by your limit: the price is {about_percent(reason.asked)} away from the "
                f"one I saw last, you allow {percent(reason.allowed)}."
            )
        case LimitKind.SLIP:
            return (
                "Blocked by your limit: the book is thin, and the order would trade "
                f"{about_percent(reason.asked)} away from the middle price, you allow "
                f"{percent(reason.allowed)}."
            )
        case _:
            assert_never(reason.kind)


def _limit_advice(reason: OverLimit) -> str:
    match reason.kind:
        case LimitKind.ORDER:
            return allow_order(reason.asked)
        case LimitKind.DAY:
            total = plain(ceil_to_step(reason.used + reason.asked, ONE))
            return f"I go on by myself as the hours pass. To allow it now: /limits day {total}"
        case LimitKind.HOUR:
            return "I go on by myself within the hour. Another limit: /limits hour"
        case LimitKind.JUMP:
            return "If the price stays there, the next check trades. Another limit: /limits price"
        case LimitKind.SLIP:
            return "You can wait. Another limit: /limits price"
        case _:
            assert_never(reason.kind)
