"""The real engine over a real database, with one account or several in front of an exchange."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from sqlalchemy import select, update

from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import Incident
from engine.domain.alerts.alerts import Alert
from engine.domain.market.pairs import Side
from engine.domain.orders.order import AccountId, Order
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.check_result import CheckResult, NoTrade
from engine.domain.rebalancing.manual_trade import ManualRun
from engine.domain.rebalancing.run_request import RunRequest, WholePlan
from engine.exchanges.interface import Exchange
from engine.notifications import runs
from engine.rebalancing.checked import Checked
from engine.rebalancing.checker import Checker
from engine.storage.accounts import accounts, check_inputs, incidents
from engine.storage.coordination import leases
from engine.storage.database import Database
from engine.storage.models.coordination import LeaseRow
from engine.storage.models.queues import OutboxRow
from engine.storage.models.trading import OrderRow, RunRequestRow
from engine.storage.serialization import alert_from_json
from engine.storage.trading import check_results, orders, run_requests
from engine.streaming.live_accounts import LiveAccounts
from engine.timeouts import Timing
from tests import builders
from tests.builders import Amount
from tests.fakes.clock import START, FakeClock
from tests.fakes.database import OnStep, WatchedDatabase
from tests.fakes.tasks import a_moment

CHAT = 1001
T = TypeVar("T")
ENOUGH_CHECKS = 60


class Crash(BaseException):
    """The process is gone, at once and without a word, as after SIGKILL."""


class Fuse:
    """Notes every step it hears of and, at the step named *blows_at*, kills the process."""

    def __init__(self, blows_at: str | None = None) -> None:
        self._blows_at = blows_at
        self.steps: list[str] = []

    async def __call__(self, step: str) -> None:
        nth = sum(past.startswith(f"{step} ") for past in self.steps) + 1
        self.steps.append(f"{step} {nth}")
        if self.steps[-1] == self._blows_at:
            raise Crash(step)


class StillClock(FakeClock):
    """Whoever sleeps gets on after a moment of real time; the time itself stands still."""

    async def sleep(self, duration: timedelta) -> None:
        await a_moment()


class Engine:
    """One process: its checker, its leases. *exchanges* are the accounts at the exchange by chat.

    A second Engine over the same database is another process, or this one's next life.
    """

    def __init__(
        self,
        database: Database,
        clock: FakeClock,
        exchanges: Exchange | dict[int, Exchange],
        *,
        owner: str = "process-1",
        timing: Timing | None = None,
        on_step: OnStep | None = None,
        live: LiveAccounts | None = None,
    ) -> None:
        """*on_step* watches the checker's own transactions, not those of the harness."""
        self.database = database
        self.clock = clock
        self.exchanges = exchanges if isinstance(exchanges, dict) else {CHAT: exchanges}
        self.owner = owner
        self.timing = timing or Timing()
        self.fences: dict[AccountId, int] = {}
        watched = WatchedDatabase(database, clock, on_step=on_step) if on_step else database
        self.checker = Checker(
            database=watched,
            clock=clock,
            timing=self.timing,
            exchange_for=lambda account: self.exchanges[account.chat_id],
            owner=owner,
            live=live,
        )

    async def open_account(self, chat_id: int = CHAT, *, key: bool = True, **wishes) -> Account:
        """A connected account that is running and that this process owns."""
        async with self.database.writing() as session:
            account = await accounts.get_or_create(
                session, chat_id=chat_id, settings=builders.settings(**wishes), now=START
            )
            if key:
                account = await accounts.store_key(
                    session, account, sealed_key="sealed", key_tail="TAIL", key_print=str(chat_id)
                )
            paused = wishes.get("paused", False)
            account = await accounts.change(session, account, paused=paused)
        await self.claim()
        return account

    async def claim(self) -> None:
        """As the dispatcher does it."""
        async with self.database.writing() as session:
            claimed = await leases.claim(
                session,
                owner=self.owner,
                now=self.database.now(),
                ttl=self.timing.lease,
                most=100,
            )
            await orders.drop_planned(session, list(claimed), now=self.clock.now())
            await runs.end_left_open(session, list(claimed), now=self.clock.now())
        self.fences |= claimed

    async def lease_runs_out(self, *, within: timedelta = timedelta(seconds=-1)) -> None:
        """Whoever holds the accounts will have lost them *within* that time."""
        async with self.database.writing() as session:
            left = within // timedelta(milliseconds=1)
            await session.execute(
                update(LeaseRow)
                .values(lease_until=self.database.now() + left)
                .execution_options(synchronize_session=False)
            )

    async def change(self, account: Account, **wishes) -> Account:
        async with self.database.writing() as session:
            current = await accounts.get(session, account.id)
            return await accounts.change(session, current, **wishes)

    async def tap(
        self,
        account: Account,
        *,
        side: Side = Side.BUY,
        expected_quote: Amount,
        tap_id: str = "tap-1",
        good_for: timedelta = timedelta(seconds=60),
        manual: ManualRun | None = None,
        plan: WholePlan | None = None,
    ) -> None:
        """A person confirms a rebalance, or the trade that *manual* says."""
        request = RunRequest(
            confirmation_id=tap_id,
            side=side,
            expected_quote=Decimal(expected_quote),
            expires_at=self.clock.now() + good_for,
            manual=manual,
            plan=plan,
        )
        async with self.database.writing() as session:
            await run_requests.put(session, account.id, request)

    async def duty(self, account: Account) -> CheckInput:
        async with self.database.reading() as session:
            [duty] = await check_inputs.duties(session, [account.id])
        return duty

    async def check(self, account: Account, *, fence: int | None = None) -> Checked:
        duty = await self.duty(account)
        return await self.checker.check(duty, fence=fence or self.fences[account.id])

    async def wait(self, duration: timedelta) -> None:
        """Time passes, and the heartbeat keeps the leases alive."""
        self.clock.shift(duration)
        await self.lease_runs_out(within=self.timing.lease)

    async def until_quiet(self, account: Account) -> list[CheckResult]:
        """Check, and wait as told, until a check finds nothing to do; what they all saw."""
        seen: list[CheckResult] = []
        for _ in range(ENOUGH_CHECKS):
            checked = await self.check(account)
            seen.append(checked.look)
            if isinstance(checked.look.verdict, NoTrade):
                return seen
            await self.wait(checked.again_in or account.settings.interval)
        raise TimeoutError([look.verdict for look in seen])

    async def account(self, account: Account) -> Account:
        async with self.database.reading() as session:
            return await accounts.get(session, account.id)

    async def only_account(self) -> Account:
        async with self.database.reading() as session:
            account = await accounts.of_chat(session, CHAT)
        if account is None:
            raise LookupError(CHAT)
        return account

    async def intents(self) -> list[Order]:
        """Every order ever written down, oldest first."""
        async with self.database.reading() as session:
            rows = await session.scalars(select(OrderRow).order_by(OrderRow.id))
            return [orders.intent_of(row) for row in rows]

    async def alerts(self) -> list[Alert]:
        """What the chats were told, oldest first."""
        async with self.database.reading() as session:
            rows = (await session.scalars(select(OutboxRow).order_by(OutboxRow.id))).all()
        return [alert_from_json(row.kind, row.payload) for row in rows]

    async def alerts_of(self, kind: type[T]) -> list[T]:
        return [alert for alert in await self.alerts() if isinstance(alert, kind)]

    async def told(self) -> list[str]:
        """The kinds of alerts, oldest first."""
        return [type(alert).__name__ for alert in await self.alerts()]

    async def trouble(self, account: Account) -> Incident | None:
        async with self.database.reading() as session:
            return await incidents.get(session, account.id)

    async def stored_look(self, account: Account) -> CheckResult | None:
        async with self.database.reading() as session:
            return await check_results.get(session, account.id)

    async def pending_taps(self) -> list[str]:
        async with self.database.reading() as session:
            return list(await session.scalars(select(RunRequestRow.confirmation_id)))


async def nothing_known(_: Account) -> CheckResult | None:
    """For previews: no balances are known from before."""
    return None


async def eventually(holds: Callable[[], bool]) -> None:
    """Return when *holds* is true; fail after five seconds."""
    async with asyncio.timeout(30):
        while not holds():
            await a_moment()
