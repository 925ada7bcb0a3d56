"""What every `Exchange` promises, as tests: subclass it and give it the fixture `venue`."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.domain.market.balances import Balance
from engine.domain.market.pairs import USDT, Asset, Side, Symbol
from engine.domain.orders.order import NOTHING, ClientOrderId
from engine.errors import (
    BelowMinimum,
    InsufficientBalance,
    OrderNotFound,
    PairUnavailable,
    Rejected,
)
from engine.exchanges.interface import Exchange, OrderReport, OrderRequest
from tests.builders import MNTL, MNTLUSDT
from tests.fakes.clock import START, FakeClock

# For orders whose fills all fit on one page.
ALL: dict[str, Any] = {"executed": Decimal(1), "sent_at": START}

USDT_HELD = Decimal(100)
MNTL_HELD = Decimal(50_000)
LAST_PRICE = Decimal("0.002")
# A buy of 40 USDT (19,047 MNTL at the bound) needs both asks; the second bid is out of bounds.
ASKS = ((Decimal("0.002002"), Decimal(10_000)), (Decimal("0.00205"), Decimal(20_000)))
BIDS = ((Decimal("0.001998"), Decimal(12_000)), (Decimal("0.0018"), Decimal(90_000)))
FEE_RATE = Decimal("0.0005")

_LOOK_UPS = 40


@dataclass
class Venue:
    """An exchange whose account and MNTLUSDT book are as the constants above say."""

    exchange: Exchange
    clock: FakeClock
    tickets: int = field(default=0, init=False)

    def buy(self, quote_amount: str, *, symbol: Symbol = MNTLUSDT) -> OrderRequest:
        return self._ticket(Side.BUY, symbol, quote_amount=Decimal(quote_amount))

    def sell(self, base_quantity: str, *, symbol: Symbol = MNTLUSDT) -> OrderRequest:
        return self._ticket(Side.SELL, symbol, base_quantity=Decimal(base_quantity))

    async def settled(self, ticket: OrderRequest) -> OrderReport:
        """The order once it is over; an exchange may take a moment to know it."""
        for _ in range(_LOOK_UPS):
            try:
                report = await self.exchange.order(ticket.symbol, ticket.client_order_id)
            except OrderNotFound:
                await self.clock.sleep(timedelta(milliseconds=250))
            else:
                if report.is_final:
                    return report
        raise AssertionError(f"{ticket.client_order_id} is never over")

    async def balance(self, asset: Asset) -> Balance:
        return (await self.exchange.holdings()).of(asset)

    def _ticket(
        self,
        side: Side,
        symbol: Symbol,
        *,
        quote_amount: Decimal | None = None,
        base_quantity: Decimal | None = None,
    ) -> OrderRequest:
        self.tickets += 1
        return OrderRequest(
            client_order_id=ClientOrderId(f"bl-contract-{self.tickets}"),
            symbol=symbol,
            side=side,
            quote_amount=quote_amount,
            base_quantity=base_quantity,
            sent_at=self.exchange.time(),
        )


class ExchangeContract:
    async def test_balances_are_what_the_account_holds(self, venue: Venue):
        held = await venue.exchange.holdings()

        assert held.of(USDT) == Balance(free=USDT_HELD)
        assert held.of(MNTL) == Balance(free=MNTL_HELD)

    async def test_market_data_is_the_public_one(self, venue: Venue):
        market = venue.exchange.market
        book = await market.book(MNTLUSDT)

        assert await market.last_price(MNTLUSDT) == LAST_PRICE
        assert (book.asks[0].price, book.bids[0].price) == (ASKS[0][0], BIDS[0][0])
        assert (await market.rules(MNTLUSDT)).taker_fee_rate == FEE_RATE

    async def test_a_buy_spends_less_than_asked_and_moves_exactly_what_it_reports(
        self, venue: Venue
    ):
        ticket = venue.buy("40")
        exchange_order_id = await venue.exchange.place(ticket)
        report = await venue.settled(ticket)
        fees = await venue.exchange.fees(MNTLUSDT, exchange_order_id, **ALL)

        bought, spent = report.execution.base_quantity, report.execution.quote_amount
        assert report.exchange_order_id == exchange_order_id
        assert (bought, report.complete) == (Decimal(19_047), True)
        assert spent == 10_000 * ASKS[0][0] + 9_047 * ASKS[1][0]
        assert spent < Decimal(40)
        assert fees.by_asset == {USDT: spent * FEE_RATE}
        assert await venue.balance(USDT) == Balance(free=USDT_HELD - spent - spent * FEE_RATE)
        assert await venue.balance(MNTL) == Balance(free=MNTL_HELD + bought)

    async def test_a_sell_beyond_the_bound_is_filled_in_part(self, venue: Venue):
        ticket = venue.sell("15000")
        exchange_order_id = await venue.exchange.place(ticket)
        report = await venue.settled(ticket)
        fees = await venue.exchange.fees(MNTLUSDT, exchange_order_id, **ALL)

        sold, received = report.execution.base_quantity, report.execution.quote_amount
        assert (sold, report.complete) == (Decimal(12_000), False)
        assert received == 12_000 * BIDS[0][0]
        assert fees.in_asset(USDT) == received * FEE_RATE
        assert await venue.balance(USDT) == Balance(
            free=USDT_HELD + received - received * FEE_RATE
        )
        assert await venue.balance(MNTL) == Balance(free=MNTL_HELD - sold)

    async def test_an_order_it_never_saw_is_not_found(self, venue: Venue):
        never = ClientOrderId("bl-never-sent")
        with pytest.raises(OrderNotFound):
            await venue.exchange.order(MNTLUSDT, never)
        with pytest.raises(OrderNotFound):
            await venue.exchange.order_in_history(MNTLUSDT, never, sent_at=venue.exchange.time())

    async def test_the_history_tells_the_same_of_an_order_as_its_id(self, venue: Venue):
        tickets = [venue.buy("5"), venue.sell("6000"), venue.buy("6")]
        for ticket in tickets:
            await venue.exchange.place(ticket)
        by_id = [await venue.settled(ticket) for ticket in tickets]
        in_history = [
            await venue.exchange.order_in_history(
                MNTLUSDT, ticket.client_order_id, sent_at=ticket.sent_at
            )
            for ticket in tickets
        ]

        assert in_history == by_id

    @pytest.mark.parametrize(
        ("side", "amount", "symbol", "refusal"),
        [
            ("buy", "0.5", MNTLUSDT, BelowMinimum),
            ("sell", "100", MNTLUSDT, BelowMinimum),
            ("buy", "100.5", MNTLUSDT, InsufficientBalance),
            ("sell", "50001", MNTLUSDT, InsufficientBalance),
            ("sell", "15000.5", MNTLUSDT, Rejected),
            ("buy", "40", Symbol("NOPEUSDT"), PairUnavailable),
        ],
    )
    async def test_a_refused_order_changes_nothing(
        self, venue: Venue, side, amount, symbol, refusal
    ):
        ticket = (venue.buy if side == "buy" else venue.sell)(amount, symbol=symbol)
        with pytest.raises(refusal):
            await venue.exchange.place(ticket)

        assert await venue.balance(USDT) == Balance(free=USDT_HELD)
        assert await venue.balance(MNTL) == Balance(free=MNTL_HELD)
        with pytest.raises(OrderNotFound):
            await venue.exchange.order(MNTLUSDT, ticket.client_order_id)

    async def test_each_order_is_known_by_its_own_id(self, venue: Venue):
        first, second = venue.buy("5"), venue.sell("6000")
        ids = [await venue.exchange.place(ticket) for ticket in (first, second)]
        reports = [await venue.settled(ticket) for ticket in (first, second)]

        assert [report.exchange_order_id for report in reports] == ids
        assert ids[0] != ids[1]
        assert all(report.execution != NOTHING for report in reports)

    async def test_its_time_is_near_ours(self, venue: Venue):
        await venue.exchange.resync()

        assert abs(venue.exchange.time() - venue.clock.now()) < timedelta(seconds=2)
