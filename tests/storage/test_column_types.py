"""What goes into a column comes out exactly, as the type it was, on both databases."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Enum as EnumType
from sqlalchemy import select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import StatementError

from engine.domain.market.balances import Counting
from engine.storage.column_types import Exact, Moment, Seconds
from engine.storage.database import Database
from engine.storage.models.accounts import AccountRow, ThresholdUnit

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DIALECT = sqlite.dialect()


def an_account(**values: Any) -> AccountRow:
    defaults = {
        "uuid": "account-1",
        "chat_id": 1,
        "version": 1,
        "target": Decimal(40),
        "threshold": Decimal("0.05"),
        "threshold_unit": ThresholdUnit.FRACTION,
        "interval_s": timedelta(seconds=120),
        "symbol": "MNTLUSDT",
        "counting": Counting.HELD,
        "dry_run": False,
        "paused": True,
        "created_at": NOON,
    }
    return AccountRow(**(defaults | values))


async def stored(database: Database, **values: Any) -> AccountRow:
    """The account as another session reads it."""
    async with database.writing() as session:
        session.add(an_account(**values))
    async with database.reading() as session:
        return (await session.scalars(select(AccountRow))).one()


async def raw(database: Database, column: str) -> Any:
    async with database.reading() as session:
        return await session.scalar(text(f"SELECT {column} FROM accounts"))  # noqa: S608 - our own names


@pytest.mark.parametrize(
    "amount",
    [
        "123456789.123456789012345678",
        "999999999999999999999999.999999999999999999999999999999999999",
        "0.000000000000000000000000000000000001",
        "0.0000001",
        "-0.1",
        "0",
    ],
)
async def test_a_decimal_keeps_every_digit(database, amount):
    account = await stored(database, target=Decimal(amount))

    assert account.target == Decimal(amount)
    assert isinstance(account.target, Decimal)


async def test_a_decimal_is_stored_as_text_without_an_exponent(database):
    await stored(database, target=Decimal("1E-7"))

    assert await raw(database, "target") == "0.0000001"


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=18
    )
)
def test_any_amount_survives_its_column(amount):
    column = Exact()

    text_form = column.process_bind_param(amount, DIALECT)

    assert column.process_result_value(text_form, DIALECT) == amount


@pytest.mark.parametrize(
    ("moment", "read"),
    [
        (NOON, NOON),
        (NOON.replace(microsecond=123_999), NOON.replace(microsecond=123_000)),
        (NOON.astimezone(timezone(timedelta(hours=5, minutes=30))), NOON),
        (datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),) * 2,
        (datetime(9999, 12, 31, tzinfo=UTC),) * 2,
    ],
)
async def test_a_time_comes_back_aware_in_whole_milliseconds(database, moment, read):
    account = await stored(database, created_at=moment)

    assert account.created_at == read
    assert account.created_at.tzinfo is UTC


async def test_a_time_without_a_zone_is_refused(database):
    with pytest.raises(StatementError, match="offset-naive"):
        await stored(database, created_at=NOON.replace(tzinfo=None))


@pytest.mark.parametrize("interval", [timedelta(seconds=1), timedelta(days=1)])
async def test_a_duration_is_stored_in_seconds(database, interval):
    account = await stored(database, interval_s=interval)

    assert account.interval_s == interval
    assert await raw(database, "interval_s") == interval.total_seconds()


@pytest.mark.parametrize("unit", list(ThresholdUnit))
async def test_an_enum_comes_back_as_its_member_and_is_stored_by_value(database, unit):
    account = await stored(database, threshold_unit=unit, counting=Counting.FREE)

    assert account.threshold_unit is unit
    assert account.counting is Counting.FREE
    assert await raw(database, "threshold_unit") == unit.value


async def test_a_word_that_is_no_member_cannot_be_read(database):
    await stored(database)
    async with database.writing() as session:
        await session.execute(text("UPDATE accounts SET counting = 'HELD'"))

    async with database.reading() as session:
        with pytest.raises(LookupError, match="not among the defined enum values"):
            await session.scalars(select(AccountRow))


@pytest.mark.parametrize("chat_id", [-(2**52), 2**52])
async def test_the_largest_chat_ids_fit(database, chat_id):
    account = await stored(database, chat_id=chat_id)

    assert account.chat_id == chat_id


async def test_truth_and_nothing_come_back_as_they_were(database):
    account = await stored(database, dry_run=True, paused=False, sealed_key=None)

    assert account.dry_run is True
    assert account.paused is False
    assert account.sealed_key is None


@pytest.mark.parametrize("column", [Exact(), Moment(), Seconds()])
def test_nothing_stays_nothing(column):
    assert column.process_bind_param(None, DIALECT) is None
    assert column.process_result_value(None, DIALECT) is None


def test_every_enum_column_is_plain_text_that_can_take_new_members():
    """A native enum would need a migration for each new member."""
    enums = [
        column.type
        for table in AccountRow.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, EnumType)
    ]

    assert len(enums) >= 5
    assert {(kind.native_enum, kind.length) for kind in enums} == {(False, 24)}
