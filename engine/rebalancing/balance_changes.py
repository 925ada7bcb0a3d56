"""Detects, stores and reports deposits, withdrawals and trades by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.accounts.balance_changes import ChangeFinding, detect_changes
from engine.domain.accounts.deposits import DepositChoice, WaitingDeposit
from engine.domain.accounts.settings import Settings, TradingMode
from engine.domain.alerts.deposit_alerts import BalanceChanged, ComingOrder, DepositTraded
from engine.domain.execution.slices import SlicesRun
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, base_of, symbol_of
from engine.domain.orders.order import Order
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.planner import at_rest
from engine.errors import EngineError
from engine.exchanges.interface import Exchange, Market
from engine.exchanges.pair_data import middles, quantity_step, rules_and_book
from engine.notifications.publish import publish
from engine.rebalancing.deposits import DepositSeen, managed_quote, rest_of, settle
from engine.rebalancing.evaluation import evaluate
from engine.storage.accounts import accounts, alert_preferences
from engine.storage.service import Service
from engine.storage.trading import balance_changes, check_results, orders

# The kind of the question that versions before 0.6.0 asked below a deposit.
DEPOSIT = "keep_deposit"
# Limit of alerts in an hour: a user who makes more transfers knows of them.
_HOUR, _MANY = timedelta(hours=1), 6


@dataclass(eq=False, kw_only=True, repr=False)
class BalanceChangeMonitor(Service):
    owner: str

    async def fills(self, duty: CheckInput) -> Sequence[Order]:
        """Returns our fills since the balances were seen last: of one pair only the last one, which
        was planned from balances with all others in them. Asks the database only if it must.
        """
        last, fill, settings = duty.last_seen, duty.last_fill, duty.account.settings
        if fill is None:
            return ()
        is_pair = settings.fixed is not None and last is not None and last.is_of(settings.assets)
        if last is None or fill.created_at < last.at or is_pair:
            return (fill,)
        async with self.database.reading() as session:
            return await orders.fills_since(
                session, duty.account.id, since=last.at, dry_run=settings.dry_run
            )

    async def detect(
        self,
        duty: CheckInput,
        holdings: Holdings,
        fills: Sequence[Order],
        market: Market,
        *,
        certain: bool = False,
    ) -> ChangeFinding | None:
        """Compare what is held with what was seen before; None where nothing is to be kept. *certain*
        says that all *fills* are in it.
        """
        last, settings = duty.last_seen, duty.account.settings
        if last is not None and last.is_of(settings.assets) and last.is_still(holdings):
            return None
        return detect_changes(
            last,
            holdings,
            assets=settings.assets,
            dry_run=settings.dry_run,
            fills=fills,
            prices={} if last is None else await self._known_prices(duty.account, market),
            now=self.clock.now(),
            certain=certain,
        )

    async def _known_prices(self, account: Account, market: Market) -> Mapping[Asset, Decimal]:
        """Returns the prices by which a change is too small: of one pair the one of its last check."""
        settings = account.settings
        if settings.fixed is None:
            return await middles(market, settings)
        async with self.database.reading() as session:
            seen = await check_results.seen_of(session, account.id, settings.symbol)
        return {} if seen is None or seen.price is None else {base_of(seen.symbol): seen.price}

    async def record(
        self,
        duty: CheckInput,
        finding: ChangeFinding | None,
        holdings: Holdings,
        exchange: Exchange,
        *,
        fence: int,
    ) -> Account:
        """Store and report a finding, and what waits of a deposit; the account as it is then.
        One that was kept already changes nothing.
        """
        account, last, settings = duty.account, duty.last_seen, duty.account.settings
        now, rest = self.clock.now(), rest_of(account, holdings, finding)
        if finding is None and rest == account.waiting and (rest is None or not rest.is_over(now)):
            return account
        moved = finding is not None and finding.moved
        step = await self._step(settings, finding, exchange.market)
        coming = await self._coming(duty, finding, holdings, exchange, rest)
        prices = await middles(exchange.market, settings) if moved else {}
        async with self.database.writing() as session:
            current = await accounts.unchanged(
                session, account, owner=self.owner, fence=fence, now=self.database.now()
            )
            if current is None:
                return account  # balances of another pair or key are not comparable
            if finding is not None:
                noted = await balance_changes.last_seen_of(session, [account.id])
                if noted.get((account.id, settings.dry_run)) != last:
                    return current  # by this very check, before it had to start again
                doubtful = last and await balance_changes.has_doubtful(session, account.id, last)
                await balance_changes.see(
                    session, account.id, finding.seen, dry_run=settings.dry_run
                )
                if doubtful:
                    finding = None
            quote = managed_quote(holdings, settings)
            seen = DepositSeen(
                held=quote.counted(settings.counting),
                total=quote.total,
                arrived=finding.arrived if finding else ZERO,
                rest=rest,
                moved=tuple(finding.moved) if finding else (),
                quantity_step=step,
                cause=finding.cause if finding else None,
            )
            after, is_told = await settle(session, current, seen, now=now)
            if finding is not None and finding.moved:
                await self._store(
                    session, current, finding, seen, coming, is_told=is_told, prices=prices
                )
        return after

    async def _step(
        self, settings: Settings, finding: ChangeFinding | None, market: Market
    ) -> Decimal | None:
        """Returns the precision of the token that an alert of *finding* tells of; None where it tells
        of several, or it cannot be read now.
        """
        if finding is None or not finding.moved:
            return None
        if settings.fixed is not None:
            return await quantity_step(market, settings.symbol)
        tokens = [moved.asset for moved in finding.moved if moved.asset != USDT]
        return await quantity_step(market, symbol_of(tokens[0])) if len(tokens) == 1 else None

    async def _coming(  # noqa: PLR0911 - one return an outcome
        self,
        duty: CheckInput,
        finding: ChangeFinding | None,
        holdings: Holdings,
        exchange: Exchange,
        rest: WaitingDeposit | None,
    ) -> ComingOrder | None:
        """What this check will decide of a change that it trades by itself."""
        account, settings = duty.account, duty.account.settings
        if finding is None or not finding.moved or settings.fixed is None:
            return None
        if at_rest(holdings, settings) is not None:
            return None
        waits = settings.asks_about_deposits or settings.deposits.choice is not DepositChoice.NOW
        if settings.autonomy is not TradingMode.AUTO or (waits and finding.arrived > ZERO):
            return None
        if duty.sliced is not None and account.slicing_until is not None:
            return ComingOrder(SlicesRun(account.slicing_until))
        if duty.request is not None:  # which is what this check is for
            return ComingOrder(at_once=False)
        try:
            rules, book = await rules_and_book(exchange.market, settings.symbol)
            evaluated = await evaluate(
                self.database,
                replace(account, waiting=rest),
                holdings,
                rules,
                book,
                market=exchange.market,
                at=exchange.time(),
            )
        except EngineError:
            return ComingOrder(at_once=False)
        order = evaluated.allowed.order
        return ComingOrder(evaluated.allowed.reason, order.expected_quote if order else None)

    async def _store(
        self,
        session: AsyncSession,
        account: Account,
        finding: ChangeFinding,
        seen: DepositSeen,
        coming: ComingOrder | None,
        *,
        is_told: bool,
        prices: Mapping[Asset, Decimal],
    ) -> None:
        settings, now = account.settings, self.clock.now()
        earlier = await balance_changes.count(session, account.id, since=now - _HOUR)
        ids = [
            await balance_changes.add(
                session, account.id, moved, price=_price_beside(moved.asset, settings, prices)
            )
            for moved in finding.moved
        ]
        if is_told or earlier >= _MANY:
            return  # a user who trades by hand knows: kept, but not reported
        last_for_now = earlier + len(ids) >= _MANY
        alert: BalanceChanged | DepositTraded
        fixed = settings.fixed
        is_out = fixed is not None and seen.held > fixed.band.high
        is_auto = settings.autonomy is TradingMode.AUTO
        if finding.arrived > ZERO and is_out and is_auto:
            alert = DepositTraded(
                **seen.facts(settings),
                order_limit=account.limits_in_force.order,
                has_choices=await alert_preferences.asks_about_deposits(session, account.id),
                last_for_now=last_for_now,
                coming=coming,
            )
        else:
            alert = BalanceChanged(
                **seen.facts(settings),
                by_hand=finding.by_hand,
                band=fixed.band if fixed else None,
                autonomy=settings.autonomy,
                last_for_now=last_for_now,
                coming=coming,
            )
        await publish(session, account.chat_id, alert, key=f"moved:{account.id}:{ids[0]}", now=now)


def _price_beside(
    asset: Asset, settings: Settings, prices: Mapping[Asset, Decimal]
) -> Decimal | None:
    """The price to keep with a change: the token's own, beside USDT that of the only token."""
    _, *tokens = settings.assets
    is_only = asset == USDT and len(tokens) == 1
    return prices.get(tokens[0] if is_only else asset)
