"""The past of `/why`: only what was news, the newest 50 of each account."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from engine.domain.market.pairs import Side
from engine.domain.orders.order import AccountId, ClientOrderId, Trigger
from engine.domain.rebalancing.check_result import CheckResult, NoTrade, OrderPlaced
from engine.domain.rebalancing.planner import EmptyBook
from engine.storage.accounts import accounts
from engine.storage.database import Database
from engine.storage.models.trading import DecisionRow
from engine.storage.trading import check_results, decision_history
from tests.builders import settings
from tests.fakes.clock import START

ME, YOU = AccountId(1), AccountId(2)
BLOCKED = CheckResult(
    at=START,
    trigger=Trigger.INTERVAL,
    target=Decimal(40),
    band=settings().fixed_goal.band,
    verdict=NoTrade(EmptyBook(Side.BUY)),
)


def ordered(number: int) -> CheckResult:
    verdict = OrderPlaced(ClientOrderId(f"order-{number}"), Side.BUY, Decimal(number))
    return replace(BLOCKED, verdict=verdict, at=START + timedelta(minutes=number))


async def put(database: Database, *wanted: CheckResult, account: AccountId = ME) -> None:
    for look in wanted:
        async with database.writing() as session:
            await check_results.put(session, account, look)


async def past(database: Database, account: AccountId = ME, most: int = 100) -> list[CheckResult]:
    async with database.reading() as session:
        return list(await decision_history.latest(session, account, most=most))


async def opened(database: Database) -> None:
    async with database.writing() as session:
        for chat_id in (ME, YOU):
            await accounts.get_or_create(session, chat_id=chat_id, settings=settings(), now=START)


async def test_the_newest_fifty_of_each_account_are_kept(database: Database):
    await opened(database)
    await put(database, ordered(1), account=YOU)
    await put(database, *[ordered(number) for number in range(1, 54)])

    kept = await past(database)

    assert [look.at for look in kept] == [ordered(number).at for number in range(53, 3, -1)]
    assert await past(database, YOU) == [ordered(1)]
    assert kept[0] == ordered(53)


async def test_a_decision_that_repeats_itself_is_remembered_once(database: Database):
    await opened(database)
    again = [replace(BLOCKED, at=START + timedelta(minutes=m)) for m in range(3)]

    await put(database, *again, ordered(9), again[2])

    assert await past(database) == [again[2], ordered(9), again[0]]


async def test_a_decision_of_another_version_is_left_out(database: Database):
    await opened(database)
    await put(database, BLOCKED, ordered(1))
    async with database.writing() as session:
        session.add(DecisionRow(account_id=ME, at=START, payload='{"verdict": "of tomorrow"}'))

    assert await past(database) == [ordered(1), BLOCKED]
    await put(database, ordered(2))
    assert (await past(database))[0] == ordered(2)
