"""`/balance`: the account's holdings, valued in USDT as far as prices are known."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from bot.interaction.message import Message
from bot.views.alerts.incidents import unusable_answer
from bot.views.components.amounts import balance, count, usdt
from bot.views.components.badges import badge
from bot.views.components.keyboards import do, keyboard
from bot.views.components.layout import block, lines
from bot.views.components.times import ago
from engine.domain.accounts.account import Account
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import USDT, Asset, PairRules
from engine.errors import BadData, Unavailable

_MOST = 20
# A row fits the width of a phone.
_NAME = 16


def balance_view(
    *,
    account: Account,
    holdings: Holdings,
    prices: Mapping[Asset, Decimal],
    now: datetime,
    rules: PairRules | None = None,
) -> Message:
    """*prices* in USDT by token; a token without one is listed but not valued. *rules* know the
    precision of the pair's token.
    """
    steps = {rules.base: rules.quantity_step} if rules else {}
    known = {USDT: ONE, **prices}
    held = {asset: kept for asset, kept in holdings.balances.items() if kept.total > ZERO}
    values = {asset: kept.total * known[asset] for asset, kept in held.items() if asset in known}
    order = sorted(held, key=lambda asset: (-values.get(asset, ZERO), asset))
    rows = [
        row
        for asset in order[:_MOST]
        for row in _rows(asset, held[asset], values, steps.get(asset))
    ]
    hidden = len(order) - _MOST
    unvalued = len(held) - len(values)
    total = lines(
        f"Total ≈ {usdt(sum(values.values(), ZERO))}",
        count(unvalued, "1 token has no price here.", "{n} tokens have no price here.")
        if unvalued
        else None,
        count(hidden, "1 more is not shown.", "{n} more are not shown.") if hidden > 0 else None,
        f"Read {ago(now - holdings.read_at)}. /status shows your target.",
    )
    title = f"{badge(account)} · Balance"
    if account.settings.dry_run:
        title = lines(title, "This is paper money, not your real balance.")
    odd = [f"{name[:_NAME] or '(no name)'}: not readable" for name in sorted(holdings.unreadable)]
    rows += odd[:_MOST]
    if not rows:
        return Message.paragraphs(title, "The account is empty. /status shows your target.")
    return Message.paragraphs(
        title, block(rows), total, keyboard=keyboard([do("Status", "status")])
    )


def _rows(
    asset: Asset, held: Balance, values: Mapping[Asset, Decimal], step: Decimal | None
) -> list[str]:
    if asset == USDT:
        amount, locked = usdt(held.total), usdt(held.locked)
    else:
        amount, locked = (
            f"{balance(part, step=step)} {asset}" for part in (held.total, held.locked)
        )
    rows = [amount]
    if asset in values and asset != USDT:
        rows.append(f"  ≈ {usdt(values[asset])}")
    if held.locked:
        rows.append(f"  {locked} in orders")
    return rows


def balance_failed_view(*, account: Account, error: Unavailable) -> Message:
    happened = (
        unusable_answer(str(error))
        if isinstance(error, BadData)
        else "MEXC does not answer right now."
    )
    return Message.of(
        f"{badge(account)} · Balance not known",
        "No order was sent. Your coins are where they were.",
        happened,
        "Send /balance again in a minute. /why tells more.",
    )
