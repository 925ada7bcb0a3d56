"""Every trade once, oldest first, in pages of any size."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.orders.order import AccountId, Order, OrderState
from engine.storage.accounts import accounts, alert_preferences
from engine.storage.database import Database
from engine.storage.models.accounts import AlertPreferencesRow
from engine.storage.trading import orders, trades
from tests.builders import execution, intent, settings
from tests.fakes.clock import START

ME, YOU = AccountId(1), AccountId(2)


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
    found: list[Order] = []
    last = None
    while True:
        async with database.reading() as session:
            page = await trades.after(session, ME, last=last, most=size, real_only=real_only)
        if not page:
            break
        found += [trade for trade, _ in page]
        last = page[-1]

    async with database.reading() as session:
        assert await trades.count(session, ME, real_only=real_only) == len(found)
    assert found == [trade for trade in mine if not (real_only and trade.dry_run)]


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
