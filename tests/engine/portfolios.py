"""An account that holds three tokens and USDT, worth about 1,000, for tests of runs."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from engine.domain.accounts.account import Account
from engine.domain.alerts.alerts import TradeSettled
from engine.domain.alerts.run_alerts import RunSettled
from engine.domain.market.pairs import USDT, Asset, Symbol
from engine.domain.market.quotes import Quote
from engine.domain.runs.stored_run import PortfolioRun
from engine.domain.targets.bands import Threshold
from engine.domain.targets.outside import outside
from engine.domain.targets.target import Basket
from engine.storage.trading import runs
from tests.builders import MNTL
from tests.engine.harness import Engine
from tests.fakes.clock import FakeClock
from tests.fakes.exchange import FakeExchange

D = Decimal
BTC, ETH = Asset("BTC"), Asset("ETH")
QUOTES = {BTC: Quote(D("10.00"), D("10.01")), ETH: Quote(D("2.000"), D("2.002"))}
SHARES = Basket.of([(MNTL, 30), (BTC, 30), (ETH, 20), (USDT, 20)])
WISHES: dict[str, Any] = {"target": SHARES, "threshold": Threshold(relative=D("0.1"))}


def an_exchange(clock: FakeClock, **held: str | int) -> FakeExchange:
    """Inside all bands, unless *held* says otherwise; keywords are `usdt`, `mntl`, `btc`, `eth`."""
    amounts = {"usdt": 200, "mntl": 150_000, "btc": 30, "eth": 100} | held
    exchange = FakeExchange(clock, usdt=amounts["usdt"], mntl=amounts["mntl"])
    exchange.paper_market.others |= QUOTES
    exchange.others |= {BTC: D(amounts["btc"]), ETH: D(amounts["eth"])}
    return exchange


async def open_basket(engine: Engine, **wishes: Any) -> Account:
    account = await engine.open_account()
    return await engine.change(account, **(WISHES | wishes))


async def stored_runs(engine: Engine, account: Account) -> Sequence[PortfolioRun]:
    async with engine.database.reading() as session:
        return list(reversed(await runs.latest(session, account.id, most=100)))


async def told_trades(engine: Engine) -> Counter[tuple[Symbol, Decimal]]:
    """Every trade that the chat was told of, alone or as one of a run."""
    told: Counter[tuple[Symbol, Decimal]] = Counter()
    for alert in await engine.alerts():
        if isinstance(alert, TradeSettled) and alert.base_quantity:
            told[alert.symbol, alert.quote_amount] += 1
        elif isinstance(alert, RunSettled):
            told.update((trade.symbol, trade.quote_amount) for trade in alert.trades)
    return told


async def whats_outside(account: Account, exchange: FakeExchange) -> set[Asset]:
    """By what the exchange holds and asks now."""
    targeting = account.settings.targeting
    quotes = (await exchange.market.quotes(targeting.tokens)).by_asset
    amounts = {**exchange.others, MNTL: exchange.mntl}
    values = {a: amounts[a] * quotes[a].mid for a in targeting.tokens} | {USDT: exchange.usdt}
    return set(outside(targeting.goals, values))
