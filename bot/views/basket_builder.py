"""A basket put together by buttons alone: tokens, plus and minus, and what USDT keeps."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from telegram import InlineKeyboardButton

from bot.interaction.callback_data import BuildBasket, BuildStep
from bot.interaction.message import Message
from bot.views.components.amounts import cents
from bot.views.components.badges import badge
from bot.views.components.keyboards import button, do, in_rows, keyboard
from bot.views.components.layout import block, lines, row
from engine.domain.accounts.account import Account
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset
from engine.domain.targets.draft import WHOLE, Draft

_COLUMN = 13
_ADD_A_ROW = 3


def builder_view(
    *,
    account: Account,
    draft: Draft,
    offered: Sequence[Asset],
    worth: Mapping[Asset, Decimal],
    step: int,
    draft_id: str,
    note: str | None = None,
) -> Message:
    """*offered* are the tokens that may be chosen, buttons carry their place in it; *worth* is in
    USDT, as far as known. *note* answers a tap that could do nothing.
    """

    def press(what: BuildStep, asset: Asset | None = None) -> BuildBasket:
        return BuildBasket(draft_id, what, 0 if asset is None else offered.index(asset))

    chosen = [asset for asset, _ in draft.percents]
    others = [asset for asset in offered if asset not in chosen]
    return Message.paragraphs(
        f"{badge(account)} · Put a basket together",
        block(_rows(draft, worth)),
        lines(
            f"Tokens {WHOLE - draft.rest}%, USDT keeps {draft.rest}%.",
            note,
            f"Tap a token to add it. − and + move {step}% between it and USDT."
            if chosen
            else "Tap a token to add it.",
            "Other tokens stay as they are.",
            "Nothing is set before I show you what it does. (/target)",
        ),
        keyboard=keyboard(
            *(_token_row(asset, percent, press) for asset, percent in draft.percents),
            *in_rows(
                [button(f"➕ {asset}", press(BuildStep.PLUS, asset)) for asset in others],
                _ADD_A_ROW,
            ),
            [
                button("🟰 Evenly", press(BuildStep.EVENLY)),
                button(f"Steps of {step}%", press(BuildStep.STEP)),
            ]
            if chosen
            else [],
            [
                *([button("✅ Done", press(BuildStep.DONE))] if draft.basket else []),
                do("✖️ Cancel", "target"),
            ],
        ),
    )


def nothing_to_build_view(*, account: Account) -> Message:
    """No token is held that has a pair with USDT, or the balances could not be read."""
    return Message.of(
        f"{badge(account)} · No basket yet",
        "I see no token of yours that MEXC trades for USDT.",
        "You can name them instead, like /target BTC 50 ETH 30 USDT 20",
        keyboard=keyboard([do("/target", "target")]),
    )


def builder_over_view() -> Message:
    """The draft is too old, or another version made it."""
    return Message.of(
        "Nothing changed: this basket is too old.",
        "A new one: /target build",
        keyboard=keyboard([do("/target build", "target", "build")]),
    )


def nothing_left_note() -> str:
    """A plus that USDT cannot pay for."""
    return "⚠️ USDT has nothing left to give. Tap − on a token first."


def rounded_note() -> str:
    """The present basket is not in whole percents."""
    return "⚠️ Your present basket is rounded to whole percents here."


def _rows(draft: Draft, worth: Mapping[Asset, Decimal]) -> list[str]:
    assets = [asset for asset, _ in draft.percents]
    whole = sum((worth.get(asset, ZERO) for asset in [*assets, USDT]), ZERO)
    parts = [*draft.percents, (USDT, draft.rest)]
    rows = []
    for asset, percent in parts:
        goal = whole * percent / WHOLE
        value = f"{cents(worth.get(asset, ZERO))} → {cents(goal)}" if whole else ""
        rows += row(f"{asset} {percent}%", value, column=_COLUMN)
    return rows


def _token_row(
    asset: Asset, percent: int, press: Callable[[BuildStep, Asset], BuildBasket]
) -> Sequence[InlineKeyboardButton]:
    return [
        button("➖", press(BuildStep.MINUS, asset)),
        button(f"{asset} {percent}%", press(BuildStep.SHOW, asset)),
        button("➕", press(BuildStep.PLUS, asset)),
        button("✖️", press(BuildStep.DROP, asset)),
    ]
