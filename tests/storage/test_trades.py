"""Every trade and every flow once, oldest first, in pages of any size."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.flows import Correction, Flow
from engine.domain.market.pairs import USDT, Asset
from engine.domain.orders.order import AccountId, Order, OrderState
from engine.domain.profit.entries import FlowKey, FlowKind
from engine.storage.accounts import accounts, alert_preferences
from engine.storage.database import Database
from engine.storage.models.accounts import AlertPreferencesRow
from engine.storage.models.trading import BalanceChangeRow
from engine.storage.trading import balance_changes, bookkeeping, flow_corrections, orders
from tests.builders import MNTL, execution, intent, settings
from tests.fakes.clock import START

ME, YOU = AccountId(1), AccountId(2)
MINUTE = timedelta(minutes=1)


async def filled(database: Database) -> list[Order]:
    """Nine trades of mine, three each in the same moment and every third on paper; and others."""
    mine = []
    async with database.writing() as session:
        for chat_id in (ME, YOU):
            await accounts.get_or_create(session, chat_id=chat_id, settings=settings(), now=START)
        for number in range(9):
            mine.append(
                intent(
                    account_id=ME,
                    run_id=f"run-{number}",
                    state=OrderState.FILLED if number % 2 else OrderState.PARTIAL,
                    execution=execution(),
                    dry_run=number % 3 == 0,
                    created_at=START + timedelta(seconds=number // 3),
                )
            )
            await orders.add(session, mine[-1])
        await orders.add(session, intent(account_id=ME, run_id="x", state=OrderState.REJECTED))
        other = intent(account_id=YOU, run_id="y", state=OrderState.FILLED, execution=execution())
        await orders.add(session, other)
    return mine


@pytest.mark.parametrize("size", [1, 2, 4, 9, 50])
@pytest.mark.parametrize("real_only", [False, True])
async def test_pages_hold_every_trade_once(database: Database, size: int, real_only: bool):
    mine = await filled(database)
    found = await paged(database, size=size, real_only=real_only)

    async with database.reading() as session:
        counted = await bookkeeping.count(session, ME, real_only=real_only)
    assert counted == (len(found), 0)
    assert found == [trade for trade in mine if not (real_only and trade.dry_run)]


@pytest.mark.parametrize("size", [1, 2, 3, 50])
async def test_flows_stand_where_they_happened_and_an_exchange_by_hand_is_one(
    database: Database, size: int
):
    first, *_, last = await filled(database)
    swap = [change(USDT, 50, 40, minute=-1), change(MNTL, 0, 5000, minute=-1)]
    inflow, both = (
        change(USDT, 40, 60),
        [change(MNTL, 1, 9, minute=9), change(USDT, 1, 2, minute=9)],
    )
    on_paper = replace(both[0], dry_run=True)
    async with database.writing() as session:
        for one in (*both, on_paper, *swap, inflow):
            await balance_changes.add(session, ME, one)
        await balance_changes.add(session, YOU, inflow)
        key = FlowKey(FlowKind.MOVED, USDT, both[1].at, both[1].change)
        for account, paper in ((ME, False), (YOU, True)):
            await flow_corrections.put(session, account, [key], Correction.RESULT, dry_run=paper)
        await session.execute(
            update(BalanceChangeRow)
            .where(BalanceChangeRow.at == START - MINUTE)
            .values(price=Decimal("0.002"))
        )

    found = await paged(database, size=size)
    real = await paged(database, size=size, real_only=True)

    flows = [event for event in found if isinstance(event, Flow)]
    assert [[f"{c.change} {c.asset}" for c in flow.changes] for flow in flows] == [
        ["-10 USDT", "5000 MNTL"],
        ["20 USDT"],
        ["1 USDT", "8 MNTL"],
        ["8 MNTL"],
    ]
    assert [flow.is_by_hand for flow in flows] == [True, False, False, False]
    assert [flows[0].value_of(c) for c in flows[0].changes] == [-10, 10]
    assert flows[2].value_of(flows[2].changes[1]) is None
    assert [flow.corrections for flow in flows] == [{}, {}, {USDT: Correction.RESULT}, {}]
    assert [found.index(flow) for flow in flows[:2]] == [0, 1]
    assert (found[2], found[-3]) == (first, last)
    assert [event for event in found if not event.dry_run] == real
    async with database.reading() as session:
        assert await bookkeeping.count(session, ME) == (9, 4)
        assert await bookkeeping.count(session, ME, real_only=True) == (6, 3)


async def paged(database: Database, *, size: int, real_only: bool = False) -> list[Order | Flow]:
    found: list[Order | Flow] = []
    last = None
    while True:
        async with database.reading() as session:
            page, last = await bookkeeping.after(
                session, ME, last=last, most=size, real_only=real_only
            )
        if not page:
            return found
        found += page


def change(asset: Asset, before: int, after: int, *, minute: int = 0) -> BalanceChange:
    return BalanceChange(
        at=START + minute * MINUTE,
        dry_run=False,
        asset=asset,
        before=Decimal(before),
        after=Decimal(after),
    )


async def test_the_chats_own_time_is_known_once_it_is_said(database: Database):
    await filled(database)
    async with database.writing() as session:
        session.add(
            AlertPreferencesRow(
                account_id=ME,
                levels="{}",
                smallest=Decimal(0),
                time_zone="Europe/Berlin",
            )
        )

    async with database.reading() as session:
        assert await alert_preferences.time_zone_of_chat(session, ME) == "Europe/Berlin"
        assert await alert_preferences.time_zone_of_chat(session, YOU) is None
