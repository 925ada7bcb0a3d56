"""`/target`: what a target means now, the question before it is set, and why it cannot be set."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import assert_never

from bot.interaction.callback_data import BuildBasket, BuildStep, Choose, Confirm
from bot.interaction.message import Message
from bot.views.components.amounts import about_percent, pair_name, threshold, usdt
from bot.views.components.badges import badge
from bot.views.components.forecast import band_line
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import block, escape, lines, listed
from bot.views.components.listening import listening_line
from bot.views.components.no_trade_reasons import reason_text
from bot.views.components.target_facts import (
    NOW_AND_GOAL,
    cost_line,
    money_rows,
    price_lines,
    trades_line,
    warning_lines,
)
from bot.views.components.target_words import (
    destination_sentence,
    target_line,
    target_sentences,
    widths_line,
)
from bot.views.rebalance_plan import PLAN_VALID_FOR
from engine.domain.accounts.account import Account
from engine.domain.market.decimals import ONE
from engine.domain.market.pairs import Asset, Symbol, base_of
from engine.domain.portfolio.consequence import Consequence, NeverInside, OffCentre
from engine.domain.portfolio.plan import (
    MissingPrices,
    NoPlan,
    NothingManaged,
    OldPrices,
)
from engine.domain.targets.goals import TargetSettings, weights_of
from engine.domain.targets.target import MOST_TOKENS, Target, UsdtRange
from engine.rebalancing.target_preview import TargetLook

NEW_DRAFT = "new"
"""In place of the id of a draft: begin one."""
_END_BANDS = keyboard([do("End all bands", "bands", "off"), do("Bands", "bands")])
_SHARES = ("25%", "50%", "75%")
_SECONDS = PLAN_VALID_FOR // timedelta(seconds=1)
_MOST_FACTS = 8

# Above the first trades, and in their place.
_NEXT = ("The next check trades:", "The next check trades nothing.")
_RESUMED = ("After /resume the first check trades:", "After /resume nothing is traded at first.")
_SLICED = (
    "When the trade over time is over there is to trade:",
    "When the trade over time is over there is nothing to trade.",
)
_UNHALTED = ("When the halt is lifted I trade:", "When the halt is lifted nothing is traded.")


def target_view(
    *, account: Account, look: TargetLook | None, is_listening: bool = False
) -> Message:
    """The target and what it means now. *look* is None where that could not be read.
    *is_listening*: another target alone may be typed.
    """
    settings, found = account.settings, look.found if look else None
    facts: Sequence[str | None] = ()
    if look is not None and isinstance(found, Consequence):
        rows = money_rows(settings.target, found, most=MOST_TOKENS + 1, with_bands=True)
        facts = [
            block([NOW_AND_GOAL, *rows]),
            lines(*_facts(account, look, found), cost_line(found)),
        ]
    elif found is not None and not isinstance(found, Consequence):
        facts = [_no_plan(found)]
    elif account.can_trade:
        facts = ["MEXC does not answer, so I cannot say what it means now."]
    return Message.paragraphs(
        f"{badge(account)} · Target {escape(target_line(settings.target))}",
        lines(
            *target_sentences(settings.target, token=base_of(settings.symbol)),
            band_line(settings)
            if isinstance(settings.target, UsdtRange)
            else f"I trade when the drift is over {threshold(settings.threshold)}. (/setthreshold)",
            widths_line(account),
            destination_sentence(settings),
        ),
        *facts,
        lines(
            "Put a basket together with buttons: /target build",
            "Or type a target, like /target 25% or /target BTC 50 ETH 30 USDT 20",
            listening_line("25%") if is_listening else None,
        ),
        keyboard=keyboard(
            [button("🧺 Build a basket", BuildBasket(NEW_DRAFT, BuildStep.SHOW, 0))],
            [do(f"{share} in USDT", "target", share) for share in _SHARES],
            [do("Settings", "settings")],
        ),
    )


def consequence_view(
    *,
    account: Account,
    wanted: Target,
    look: TargetLook,
    confirmation_id: str,
    draft_id: str | None = None,
) -> Message:
    """*account* before the change. *draft_id* is the basket's that was put together by buttons."""
    found = look.found
    if isinstance(found, Consequence):
        rows = money_rows(wanted, found)
        facts = _facts(account, look, found)
        if len(rows) + len(facts) < _MOST_FACTS:
            facts.append(cost_line(found))
        head = [NOW_AND_GOAL] if len(rows) + len(facts) < _MOST_FACTS else []
        said: Sequence[str] = [block([*head, *rows]), lines(*facts)]
    elif found is None:
        said = ["No key is connected, so I cannot say what it means in money. (/connect)"]
    else:
        said = [_no_plan(found)]
    back = (
        do("✖️ Cancel", "target")
        if draft_id is None
        else button("⬅️ Change it", BuildBasket(draft_id, BuildStep.SHOW, 0))
    )
    return Message.paragraphs(
        lines(
            f"{badge(account)} · Set this target?", escape(target_line(wanted, most=_MOST_FACTS))
        ),
        *said,
        f"Nothing changes before you tap Set, within {_SECONDS} s. (/target)",
        keyboard=keyboard([button("Set", Confirm(confirmation_id)), back]),
    )


def sells_whole_view(
    *,
    account: Account,
    sold: Sequence[tuple[Asset, Decimal]],
    confirmation_id: str,
) -> Message:
    """*sold* are the tokens without a part, and what they are worth."""
    tokens = listed(f"{escape(asset)} ({usdt(worth)})" for asset, worth in sold)
    return Message.of(
        f"{badge(account)} · Sell all of these tokens?",
        f"In this target they have no part: {tokens}.",
        "I would sell all of them, and show you the rest of the plan first.",
        "To leave a token alone, leave its name out: /target",
        keyboard=keyboard(
            [button("Yes, sell all of them", Confirm(confirmation_id))],
            [do("✖️ Cancel", "target")],
        ),
    )


def refused_view(
    *, account: Account, wanted: TargetSettings, why: NeverInside | OffCentre
) -> Message:
    """The bands that were set do not go with the target."""
    head = f"{badge(account)} · Nothing changed"
    if isinstance(why, NeverInside):
        low, high = about_percent(why.sums.low), about_percent(why.sums.high)
        return Message.of(
            head,
            "No account can be inside all of these bands at once.",
            f"Their low edges add up to {low}. That must be 100% at most."
            if why.sums.low > ONE
            else f"Their high edges add up to {high}. That must be 100% at least.",
            f"The other edges add up to {high}."
            if why.sums.low > ONE
            else f"The other edges add up to {low}.",
            "Lower a low edge: /bands" if why.sums.low > ONE else "Raise a high edge: /bands",
            keyboard=_END_BANDS,
        )
    weights = weights_of(wanted.basket) if wanted.basket else {}
    return Message.of(
        head,
        *(
            f"The band of {escape(asset)} does not hold its part of {about_percent(weights[asset])}."
            if asset in weights
            else f"{escape(asset)} has a band and no part of the target."
            for asset in why.assets[: _MOST_FACTS - 3]
        ),
        "Change the band, or end it: /bands",
        keyboard=_END_BANDS,
    )


def no_price_view(*, account: Account, found: NoPlan) -> Message:
    """Nothing can be said of the target, so nothing is set."""
    return Message.of(f"{badge(account)} · Nothing changed", _no_plan(found), "Again: /target")


def not_read_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · Nothing changed",
        "MEXC does not answer, so I cannot say what this target would trade.",
        "Please send it again in a minute. (/target)",
    )


def no_pair_view(*, account: Account, assets: Sequence[Asset]) -> Message:
    """MEXC shows no pair of these tokens with USDT."""
    names = escape(listed(assets))
    return Message.of(
        f"{badge(account)} · Nothing changed",
        f"I cannot trade this for USDT at MEXC: {names}.",
        None
        if account.can_trade
        else "MEXC shows some pairs only to a key that may trade them. To add yours: /connect",
        "Your tokens as buttons: /target build",
    )


def closed_pair_view(*, account: Account, symbols: Sequence[Symbol]) -> Message:
    """MEXC takes no orders for these pairs."""
    names = escape(listed(pair_name(symbol) for symbol in symbols))
    return Message.of(
        f"{badge(account)} · Nothing changed",
        f"MEXC takes no orders from API keys for: {names}.",
        "Leave them out, or wait until MEXC opens them. (/target)",
    )


def points_to_view(*, account: Account, option: str, confirmation_id: str) -> Message:
    """`/settarget` got what only /target takes, stored as *option*."""
    return Message.of(
        f"{badge(account)} · Nothing changed",
        "/settarget takes an amount of USDT. This is another kind of target:",
        f"/target {escape(option)}",
        "I show you first what it would do.",
        keyboard=keyboard([button("Show it", Choose(confirmation_id, 0))]),
    )


_NOTHING = "You hold nothing of this target that I may count."


def _facts(account: Account, look: TargetLook, found: Consequence) -> list[str]:
    return [
        _trades(account, look, found),
        *price_lines(found, look.rules),
        *warning_lines(found),
    ]


def _trades(account: Account, look: TargetLook, found: Consequence) -> str:
    symbol = next(rules.symbol for rules in look.rules.values())
    # Of one token, or the whole plan's: that names no token.
    reason = None if look.reason is None else reason_text(look.reason, symbol=symbol)
    return trades_line(look.legs, found, when=_when(account), reason=reason)


def _when(account: Account) -> tuple[str, str]:
    if account.slicing_until is not None:
        return _SLICED
    if account.halted:
        return _UNHALTED
    return _RESUMED if account.settings.paused else _NEXT


def _no_plan(found: NoPlan) -> str:
    match found:
        case MissingPrices(assets):
            return lines(
                f"MEXC shows no price on both sides for: {escape(listed(assets))}.",
                "Each share depends on all prices, so I cannot say what would be traded.",
            )
        case OldPrices():
            return "MEXC answered too slowly: its prices are too old to plan with."
        case NothingManaged():
            return _NOTHING
        case _:
            assert_never(found)
