"""Use cases of a chat's price alerts: set one, change it, remove it, list them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.alerts.price_alerts import MOST_ALERTS, PriceAlert, noted
from engine.domain.market.decimals import plain
from engine.domain.market.pairs import Symbol, base_of
from engine.errors import EngineError, PairUnavailable
from engine.exchanges.interface import ExchangeFor, within
from engine.exchanges.pair_data import market_of
from engine.storage.accounts import accounts, audit
from engine.storage.chat import price_alerts
from engine.storage.service import Service

_PATIENCE_S = 5


class PriceAlertRefusal(Enum):
    TOO_MANY = "too many"
    NO_PRICE = "no price"  # the exchange does not show the pair


@dataclass(frozen=True, slots=True)
class PriceAlertSet:
    """The alert as it is now; not new where it was set so before, and went on."""

    alert: PriceAlert
    is_new: bool


@dataclass(eq=False, kw_only=True, repr=False)
class PriceAlertService(Service):
    exchange_for: ExchangeFor

    async def of(self, account: Account) -> Sequence[PriceAlert]:
        async with self.database.reading() as session:
            return await price_alerts.of_account(session, account.id)

    async def set(
        self, account: Account, symbol: Symbol, fraction: Decimal, *, user_id: int
    ) -> PriceAlertSet | PriceAlertRefusal:
        """Set an alert, or change it: then it counts from now on. The same again changes nothing."""
        try:
            price = await self._price(account, symbol)
        except PairUnavailable:
            return PriceAlertRefusal.NO_PRICE
        now = self.clock.now()
        alert = PriceAlert(symbol=symbol, fraction=fraction, set_at=now)
        if price is not None:
            alert, _ = noted(alert, price, now=now)
        async with self.database.writing() as session:
            await accounts.locked(session, account.id)
            known = await price_alerts.of_account(session, account.id)
            before = next((one for one in known if one.symbol == symbol), None)
            if before is not None and before.fraction == fraction:
                return PriceAlertSet(before, is_new=False)
            if before is None and len(known) >= MOST_ALERTS:
                return PriceAlertRefusal.TOO_MANY
            await price_alerts.put(session, account.id, alert)
            had = None if before is None else before.fraction
            await self._record(session, account, symbol, had, fraction, user_id=user_id)
        return PriceAlertSet(alert, is_new=True)

    async def remove(self, account: Account, symbol: Symbol, *, user_id: int) -> bool:
        """False if there was none."""
        async with self.database.writing() as session:
            before = await price_alerts.remove(session, account.id, symbol)
            if before is not None:
                await self._record(session, account, symbol, before, None, user_id=user_id)
        return before is not None

    async def _price(self, account: Account, symbol: Symbol) -> Decimal | None:
        """None where it cannot be read now, or nobody offers. Raises PairUnavailable."""
        try:
            async with within(_PATIENCE_S):
                market = market_of(self.exchange_for, account)
                asset = base_of(symbol)
                quote = (await market.quotes([asset])).by_asset.get(asset)
                if quote is None:
                    await market.rules(symbol)
        except PairUnavailable:
            raise
        except EngineError:
            return None
        return None if quote is None else quote.mid

    async def _record(
        self,
        session: AsyncSession,
        account: Account,
        symbol: Symbol,
        before: Decimal | None,
        after: Decimal | None,
        *,
        user_id: int,
    ) -> None:
        await audit.record(
            session,
            account.chat_id,
            user_id,
            "pricealert",
            f"{_percent(before)} -> {_percent(after)}",
            subject=base_of(symbol),
            at=self.clock.now(),
            is_setting=True,
        )


def _percent(fraction: Decimal | None) -> str:
    return "off" if fraction is None else f"{plain(fraction * 100)}%"
