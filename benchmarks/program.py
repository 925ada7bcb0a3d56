"""`python -m bot` as its host starts it, on a database that already knows its people."""

import asyncio
import os
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from cryptography.fernet import Fernet
from sqlalchemy import Engine, Select, create_engine, func, insert, select, update

from benchmarks.mexc import SYMBOL
from benchmarks.processes import OURS, ROOT, Fake, NotMeasured, Process, running
from benchmarks.telegram import TOKEN
from engine.clock import SystemClock, from_millis
from engine.domain.market.balances import Counting
from engine.security.vault import Vault
from engine.storage.database import Database, with_driver
from engine.storage.migrations import migrate
from engine.storage.models.accounts import AccountRow, ThresholdUnit
from engine.storage.models.coordination import LeaseRow

ENCRYPTION_KEY = Fernet.generate_key().decode()
OWNER = 4001
_FIRST_CHAT = 1_000_000
_AT_ONCE = 500
_WAKE_EVERY_S = 0.5
# The program reads every two seconds what another process, as this one, has woken.
_HEARD_WITHIN_S = 3.0


def api_key(number: int) -> str:
    """Of the account with that number, counted from 0."""
    return f"mx0bench{number:08d}"


def seed(url: str, accounts: int, *, interval: timedelta) -> None:
    """A migrated database with running accounts, each with a key, 40 USDT its target."""
    migrate(url)
    asyncio.run(_fill(url, accounts, interval=interval))


async def _fill(url: str, accounts: int, *, interval: timedelta) -> None:
    vault = Vault([ENCRYPTION_KEY])
    async with Database.open(url, clock=SystemClock()) as database, database.writing() as session:
        for first in range(0, accounts, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, accounts))
            rows = [_account(number, vault, interval=interval) for number in numbers]
            await session.execute(insert(AccountRow), rows)
            leases = [
                {"account_id": number + 1, "lease_until": from_millis(0)} for number in numbers
            ]
            await session.execute(insert(LeaseRow), leases)


def _account(number: int, vault: Vault, *, interval: timedelta) -> dict[str, object]:
    account_uuid, chat_id, key = uuid.uuid4().hex, _FIRST_CHAT + number, api_key(number)
    return {
        "id": number + 1,
        "uuid": account_uuid,
        "chat_id": chat_id,
        "target": Decimal(40),
        "threshold": Decimal("0.05"),
        "threshold_unit": ThresholdUnit.FRACTION,
        "interval_s": interval,
        "symbol": SYMBOL,
        "counting": Counting.HELD,
        "dry_run": False,
        "paused": False,
        "sealed_key": vault.seal_credentials(
            api_key=key, api_secret="0" * 32, account_uuid=account_uuid, chat_id=chat_id
        ),
        "key_tail": key[-4:],
        "key_print": f"print-{number}",
        "created_at": datetime.now(UTC),
    }


def wake_evenly(url: str, accounts: int, *, over: timedelta, within: float) -> None:
    """Let every account be looked at now, one after the other: from then on their checks are spread
    over their interval, however they began. First all must have an owner.

    Raises NotMeasured where that takes longer than *within* seconds.
    """
    engine = create_engine(with_driver(url, asynchronous=False))
    owned = select(func.count()).select_from(LeaseRow).where(LeaseRow.owner.is_not(None))
    deadline = time.monotonic() + within
    try:
        while (found := _scalar(engine, owned)) < accounts:
            if time.monotonic() > deadline:
                raise NotMeasured(f"{found} of {accounts} accounts were claimed")
            time.sleep(0.5)
        begun, woken = time.monotonic(), 0
        while woken < accounts:
            time.sleep(_WAKE_EVERY_S)
            passed = (time.monotonic() - begun) / over.total_seconds()
            until = min(accounts, int(accounts * passed))
            whose = LeaseRow.account_id.between(woken + 1, until)
            with engine.begin() as connection:
                connection.execute(update(LeaseRow).where(whose).values(woken=True))
            woken = until
        time.sleep(_HEARD_WITHIN_S)
    finally:
        engine.dispose()


def _scalar(engine: Engine, query: Select[int]) -> int:
    with engine.connect() as connection:
        return connection.execute(query).scalar_one()


def environment(*, database_url: str, telegram: Fake, mexc: Fake, **more: str) -> dict[str, str]:
    """What the program is started with. The exchange's budget is as good as unlimited."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'benchmarks/lean'}",
        "TELEGRAM_TOKEN": TOKEN,
        "TELEGRAM_API_URL": telegram.url,
        "MEXC_API_URL": mexc.url,
        "AUTHORIZED_CHATS": str(OWNER),
        "DATABASE_URL": database_url,
        "ENCRYPTION_KEYS": ENCRYPTION_KEY,
        "MEXC_WEIGHT": "1000000",
        "LOG_LEVEL": "WARNING",
        **more,
    }


@contextmanager
def ballast(env: dict[str, str], *, folder: Path, core: int = OURS) -> Iterator[Process]:
    with running([sys.executable, "-m", "bot"], core=core, env=env, folder=folder) as process:
        yield process
