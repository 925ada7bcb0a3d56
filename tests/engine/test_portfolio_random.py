"""Whatever prices, fills and refusals do: no cash is overdrawn, nothing protected is sold, each order
is sent once, each trade told once, and no run stays open.
"""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from engine.domain.execution.bound import ExecutionMode
from engine.domain.market.pairs import USDT, Symbol
from engine.domain.market.quotes import Quote
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import Basket
from engine.errors import ClockRefused, OutcomeUnknown, Rejected, Unavailable
from engine.storage.database import Database
from tests.builders import MNTL
from tests.engine.harness import Engine
from tests.engine.portfolios import BTC, ETH, an_exchange, open_basket, stored_runs, told_trades
from tests.fakes.clock import FakeClock
from tests.fakes.exchange import FakeExchange
from tests.sampling import sampled

D = Decimal
_ACCIDENTS = (
    ("place", Rejected(code=30021, message="Not now"), False),
    ("place", Rejected(code=30087, message="price"), False),
    ("place", Rejected(code=30041, message="type"), False),
    ("place", OutcomeUnknown("timeout"), True),
    ("place", OutcomeUnknown("timeout"), False),
    ("place", Unavailable("never left"), False),
    ("place", ClockRefused(code=700003, message="stamp"), False),
    ("quotes", Unavailable("away"), False),
    ("book", Unavailable("away"), False),
    ("holdings", Unavailable("away"), False),
    ("order", Unavailable("away"), False),
)


class Storm:
    """An account whose market and exchange do as the dice say."""

    def __init__(self, database: Database, clock: FakeClock, seed: int) -> None:
        self.dice = Random(seed)  # noqa: S311 - accidents, not a secret
        self.exchange = an_exchange(
            clock, **{name: self.dice.randint(0, most) for name, most in _MOST.items()}
        )
        self.engine = Engine(database, clock, self.exchange)
        self.least = self.exchange.usdt
        self.exchange.hear_steps(self._note)

    async def _note(self, _: str) -> None:
        self.least = min(self.least, self.exchange.usdt)

    def befall(self) -> None:
        dice = self.dice
        self.exchange.fills = D(dice.choice(["1", "1", "0.97", "0.4", "0"]))
        market = self.exchange.paper_market
        for asset in (BTC, ETH):
            quote = market.others[asset]
            moved = (quote.bid * D(dice.choice(["0.93", "1", "1", "1.08"]))).quantize(D("0.0001"))
            market.others[asset] = Quote(moved, moved + D(dice.choice(["0.001", "0.05"])))
        if dice.random() < 0.6:
            call, error, executes = dice.choice(_ACCIDENTS)
            self.exchange.go_wrong(call, error, executes=executes)

    def calm(self) -> None:
        self.exchange.fills = D(1)
        for call in ("place", "quotes", "book", "holdings", "order"):
            self.exchange.forget_accidents(call)


_MOST = {"usdt": 600, "mntl": 400_000, "btc": 60, "eth": 300}


@pytest.mark.parametrize("seed", sampled(range(40), every=40))
async def test_whatever_befalls_it_a_basket_is_traded_within_its_means(
    sqlite: Database, clock: FakeClock, seed: int
):
    storm = Storm(sqlite, clock, seed)
    dice, engine, exchange = storm.dice, storm.engine, storm.exchange
    parts = [(asset, dice.randint(1, 9)) for asset in (MNTL, BTC, ETH, USDT)]
    protected = {BTC: D(dice.randint(1, 40))} if dice.random() < 0.5 else {}
    account = await open_basket(
        engine,
        target=Basket.of(parts),
        threshold=Threshold(relative=D(dice.choice(["0.05", "0.2"]))),
        protected=protected,
        execution=dice.choice([ExecutionMode.AUTO, ExecutionMode.MARKET]),
    )
    kept = {asset: min(exchange.others[asset], amount) for asset, amount in protected.items()}
    for _ in range(8):
        storm.befall()
        checked = await engine.check(account)
        await engine.wait(checked.again_in or timedelta(minutes=2))
        account = await _resumed(engine, account)
    storm.calm()
    sent = []
    for _ in range(24):
        sent.append(len(exchange.tickets))
        checked = await engine.check(account)
        await engine.wait(checked.again_in or timedelta(minutes=2))
        account = await _resumed(engine, account)

    assert sent[-5:] == sent[-1:] * 5  # without a change of prices there is an end of it
    assert storm.least >= 0
    assert all(exchange.others[asset] >= amount for asset, amount in kept.items())
    assert set(exchange.posts.values()) <= {1}
    assert all(run.told and run.end for run in await stored_runs(engine, account))
    traded = Counter(
        (leg.symbol, leg.execution.quote_amount)
        for leg in await engine.intents()
        if leg.execution.base_quantity
    )
    assert await told_trades(engine) == traded
    assert _real(exchange) == traded


async def _resumed(engine: Engine, account):
    """Too many refusals pause trading, and the user goes on."""
    current = await engine.account(account)
    return await engine.change(current, paused=False) if current.settings.paused else current


def _real(exchange: FakeExchange) -> Counter[tuple[Symbol, Decimal]]:
    symbols = {ticket.client_order_id: ticket.symbol for ticket in exchange.tickets}
    return Counter(
        (symbols[name], report.execution.quote_amount)
        for name, report in exchange.ledger.items()
        if report.execution.base_quantity
    )
