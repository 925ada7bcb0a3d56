"""Queries of which tokens an account traded when, and how much of each there was then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Symbol, base_of, symbol_of
from engine.domain.profit.entries import PairChange
from engine.domain.profit.steps import Held
from engine.domain.targets.notation import target_text, tokens_in
from engine.storage.models.accounts import AuditRow
from engine.storage.models.trading import BalanceChangeRow, OrderRow
from engine.storage.trading import orders

TOKENS_CHANGED = AuditRow.action == "settings", AuditRow.subject.in_(("pair", "target"))


class TokensChanged(NamedTuple):
    """From *at* on *tokens* were traded, and no longer those *before*."""

    at: datetime
    before: tuple[Asset, ...]
    tokens: tuple[Asset, ...]

    @property
    def is_of_pairs(self) -> bool:
        return len(self.before) == len(self.tokens) == 1


@dataclass(frozen=True, slots=True)
class Stays:
    """*opening* is None where one token at a time was traded: its first readings tell."""

    pairs: Sequence[PairChange]
    opening: Held | None = None


def tokens_named(subject: str, text: str) -> tuple[Asset, ...]:
    """Returns the tokens that one side of an audit's line names."""
    return (base_of(Symbol(text)),) if subject == "pair" else tokens_in(text)


def trades_of(account: Account) -> Sequence[ColumnElement[bool]]:
    return (
        OrderRow.account_id == account.id,
        OrderRow.dry_run.is_(account.settings.dry_run),
        orders.IS_TRADE,
        OrderRow.executed_base != ZERO,
    )


def changes_of(account: Account) -> Sequence[ColumnElement[bool]]:
    return (
        BalanceChangeRow.account_id == account.id,
        BalanceChangeRow.dry_run.is_(account.settings.dry_run),
    )


async def changes(
    session: AsyncSession, account: Account, held: Held, *, since: datetime
) -> Sequence[TokensChanged]:
    """Those after which the account was looked at: the last one is to the tokens that are *held*."""
    rows = await session.execute(
        select(AuditRow.at, AuditRow.subject, AuditRow.detail)
        .where(AuditRow.chat_id == account.chat_id, *TOKENS_CHANGED, AuditRow.at >= since)
        .order_by(AuditRow.at, AuditRow.id)
    )
    lines = [(at, subject, *detail.rpartition(" -> ")[::2]) for at, subject, detail in rows]
    # What a target without tokens of its own trades is the pair's.
    state = {
        "pair": tokens_named("pair", account.settings.symbol),
        "target": tokens_in(target_text(account.settings.target)),
    }
    for _, subject, was, _ in reversed(lines):
        state[subject] = tokens_named(subject, was)
    found: list[TokensChanged] = []
    for at, subject, _, after in lines:
        before = state["target"] or state["pair"]
        state[subject] = tokens_named(subject, after)
        tokens = state["target"] or state["pair"]
        if set(tokens) != set(before):
            found.append(TokensChanged(at, before, tokens))
    while found and set(found[-1].tokens) != held.tokens.keys():
        found.pop()
    return found


async def of(session: AsyncSession, account: Account, held: Held, *, since: datetime) -> Stays:
    """Returns the changes from *since* on, with what there was of each token that came."""
    found = await changes(session, account, held, since=since)
    if not held.others and all(change.is_of_pairs for change in found):
        return Stays([PairChange(change.at, change.tokens[0]) for change in found])
    readings = _Readings(session, account, held, found)
    pairs = []
    for number, change in enumerate(found):
        joined = {
            asset: units
            for asset in change.tokens
            if asset not in change.before
            and (units := await readings.first(asset, number, since=change.at)) is not None
        }
        first, *others = change.tokens
        pairs.append(PairChange(change.at, first, tuple(others), joined))
    first, *others = found[0].before if found else tuple(held.tokens)
    opened = {
        asset: await readings.first(asset, -1, since=since) or ZERO for asset in (first, *others)
    }
    quote = await readings.first(USDT, -1, since=since)
    opening = Held(
        first,
        held.quote if quote is None else quote,
        opened[first],
        {asset: opened[asset] for asset in others},
    )
    return Stays(pairs, opening)


@dataclass(frozen=True, slots=True)
class _Readings:
    session: AsyncSession
    account: Account
    held: Held
    changes: Sequence[TokensChanged]

    async def first(self, asset: Asset, number: int, *, since: datetime) -> Decimal | None:
        """Returns how much of *asset* the first reading from *since* on found, which is after that
        change, as long as it was traded: none may have been made.
        """
        later = self.changes[number + 1 :]
        left = (one.at for one in later if asset in one.before and asset not in one.tokens)
        until = next(left, None)
        in_usdt = asset == USDT
        column = OrderRow.quote_before if in_usdt else OrderRow.base_before
        trades = select(OrderRow.created_at, column).where(
            *trades_of(self.account), OrderRow.created_at >= since
        )
        if not in_usdt:
            trades = trades.where(OrderRow.symbol == symbol_of(asset))
        moves = select(BalanceChangeRow.at, BalanceChangeRow.before).where(
            *changes_of(self.account),
            BalanceChangeRow.at >= since,
            BalanceChangeRow.asset == asset,
        )
        found = [
            (await self.session.execute(query.order_by(at, key).limit(1))).first()
            for query, at, key in (
                (moves, BalanceChangeRow.at, BalanceChangeRow.id),
                (trades, OrderRow.created_at, OrderRow.id),
            )
        ]
        readings = [row for row in found if row is not None and (until is None or row[0] < until)]
        if readings:
            units: Decimal = min(readings, key=lambda row: row[0])[1]
            return units
        if until is not None:
            return None
        return self.held.quote if in_usdt else self.held.tokens.get(asset)
