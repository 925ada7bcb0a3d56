"""What every `Exchange` promises, as tests: subclass it and give it the fixture `venue`."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.domain.execution.bounded_order import BoundedOrder, Wanted, bounded_order
from engine.domain.market.balances import Balance
from engine.domain.market.pairs import USDT, Asset, OrderType, Side, Symbol
from engine.domain.market.quotes import Quote
from engine.domain.orders.order import NOTHING, ClientOrderId, Execution
from engine.errors import (
    BelowMinimum,
    InsufficientBalance,
    OrderNotFound,
    PairUnavailable,
    Rejected,
)
from engine.exchanges.interface import Exchange, OpenOrder, OrderReport, OrderRequest
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

    def priced(
        self, order_type: OrderType, side: Side, base_quantity: str, price: str
    ) -> OrderRequest:
        return replace(
            self._ticket(Side.SELL, MNTLUSDT, base_quantity=Decimal(base_quantity)),
            side=side,
            order_type=order_type,
            price=Decimal(price),
        )

    async def seen(self, ticket: OrderRequest) -> OrderReport:
        """The order once an exchange knows it, which may take a moment."""
        for _ in range(_LOOK_UPS):
            try:
                return await self.exchange.order(ticket.symbol, ticket.client_order_id)
            except OrderNotFound:
                await self.clock.sleep(timedelta(milliseconds=250))
        raise AssertionError(f"{ticket.client_order_id} is never seen")

    async def settled(self, ticket: OrderRequest) -> OrderReport:
        """The order, which is over."""
        report = await self.seen(ticket)
        assert report.is_final
        return report

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

    async def test_quotes_are_the_best_prices_and_leave_out_what_has_none(self, venue: Venue):
        quotes = await venue.exchange.market.quotes([MNTL, Asset("NOPE")])

        assert quotes.by_asset == {MNTL: Quote(bid=BIDS[0][0], ask=ASKS[0][0])}
        assert quotes.is_fresh(venue.clock.now())

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

    @pytest.mark.parametrize(
        ("side", "price", "traded"),
        [(Side.BUY, "0.002002", 10_000), (Side.SELL, "0.0019", 12_000)],
    )
    async def test_an_ioc_takes_what_is_offered_at_its_price_and_drops_the_rest(
        self, venue: Venue, side: Side, price: str, traded: int
    ):
        ticket = venue.priced(OrderType.IOC, side, "15000", price)
        exchange_order_id = await venue.exchange.place(ticket)
        report = await venue.settled(ticket)
        fees = await venue.exchange.fees(MNTLUSDT, exchange_order_id, **ALL)

        best = (ASKS if side is Side.BUY else BIDS)[0][0]
        sign = 1 if side is Side.BUY else -1
        assert (report.complete, report.execution) == (
            False,
            Execution(Decimal(traded), traded * best),
        )
        assert fees.by_asset == {USDT: traded * best * FEE_RATE}
        assert await venue.balance(MNTL) == Balance(free=MNTL_HELD + sign * traded)
        assert await venue.exchange.open_orders(MNTLUSDT) == []

    async def test_an_ioc_takes_better_prices_than_its_own(self, venue: Venue):
        ticket = venue.priced(OrderType.IOC, Side.BUY, "12000", "0.0021")
        await venue.exchange.place(ticket)
        report = await venue.settled(ticket)

        spent = 10_000 * ASKS[0][0] + 2_000 * ASKS[1][0]
        assert (report.complete, report.execution) == (True, Execution(Decimal(12_000), spent))

    async def test_an_ioc_that_finds_nobody_is_over_and_moves_nothing(self, venue: Venue):
        ticket = venue.priced(OrderType.IOC, Side.BUY, "1000", "0.002")
        await venue.exchange.place(ticket)
        report = await venue.settled(ticket)

        assert (report.complete, report.execution) == (False, NOTHING)
        assert await venue.balance(USDT) == Balance(free=USDT_HELD)

    @pytest.mark.parametrize("order_type", [OrderType.LIMIT, OrderType.LIMIT_MAKER])
    async def test_what_does_not_cross_rests_and_is_locked_until_it_is_cancelled(
        self, venue: Venue, order_type: OrderType
    ):
        buy = venue.priced(order_type, Side.BUY, "10000", "0.0019")
        sell = venue.priced(order_type, Side.SELL, "8000", "0.0021")
        ids = [await venue.exchange.place(ticket) for ticket in (buy, sell)]
        reports = [await venue.seen(ticket) for ticket in (buy, sell)]
        resting = await venue.exchange.open_orders(MNTLUSDT)
        locked = [await venue.balance(asset) for asset in (USDT, MNTL)]
        for ticket in (buy, sell):
            await venue.exchange.cancel(MNTLUSDT, ticket.client_order_id)
        after = [await venue.settled(ticket) for ticket in (buy, sell)]

        assert [(report.is_final, report.execution) for report in reports] == [
            (False, NOTHING)
        ] * 2
        assert [order.exchange_order_id for order in resting] == ids
        assert resting[0] == OpenOrder(
            exchange_order_id=ids[0],
            client_order_id=buy.client_order_id,
            side=Side.BUY,
            price=Decimal("0.0019"),
            base_quantity=Decimal(10_000),
            executed=Decimal(0),
        )
        assert locked == [
            Balance(free=USDT_HELD - 19, locked=Decimal(19)),
            Balance(free=MNTL_HELD - 8_000, locked=Decimal(8_000)),
        ]
        assert [(report.complete, report.execution) for report in after] == [(False, NOTHING)] * 2
        assert await venue.balance(USDT) == Balance(free=USDT_HELD)
        assert await venue.balance(MNTL) == Balance(free=MNTL_HELD)

    async def test_a_limit_order_that_crosses_in_part_rests_with_the_rest(self, venue: Venue):
        ticket = venue.priced(OrderType.LIMIT, Side.BUY, "12000", "0.002002")
        exchange_order_id = await venue.exchange.place(ticket)
        report = await venue.seen(ticket)
        locked = (await venue.balance(USDT)).locked
        await venue.exchange.cancel(MNTLUSDT, ticket.client_order_id)
        after = await venue.settled(ticket)
        fees = await venue.exchange.fees(MNTLUSDT, exchange_order_id, **ALL)

        spent = 10_000 * ASKS[0][0]
        assert not report.is_final
        assert report.execution == after.execution == Execution(Decimal(10_000), spent)
        assert locked == 2_000 * ASKS[0][0]
        assert not after.complete
        assert fees.by_asset == {USDT: spent * FEE_RATE}
        assert await venue.balance(USDT) == Balance(free=USDT_HELD - spent - spent * FEE_RATE)

    async def test_an_order_that_is_over_or_was_never_seen_cannot_be_cancelled(self, venue: Venue):
        ticket = venue.priced(OrderType.LIMIT, Side.BUY, "1000", "0.0019")
        await venue.exchange.place(ticket)
        await venue.seen(ticket)
        await venue.exchange.cancel(MNTLUSDT, ticket.client_order_id)
        market = venue.buy("5")
        await venue.exchange.place(market)
        await venue.seen(market)

        for name in (ticket.client_order_id, market.client_order_id, ClientOrderId("bl-never")):
            with pytest.raises(OrderNotFound):
                await venue.exchange.cancel(MNTLUSDT, name)

    @pytest.mark.parametrize(
        ("order_type", "quantity", "price", "refusal"),
        [
            (OrderType.LIMIT_MAKER, "1000", "0.002002", Rejected),  # it would trade at once
            (OrderType.IOC, "400", "0.0021", BelowMinimum),
            (OrderType.LIMIT, "50000", "0.002", InsufficientBalance),  # the fee does not fit
            (OrderType.IOC, "1000.5", "0.0021", Rejected),
            (OrderType.LIMIT, "1000", "0.00200000001", Rejected),
        ],
    )
    async def test_a_refused_order_with_a_price_changes_nothing(
        self, venue: Venue, order_type: OrderType, quantity: str, price: str, refusal: type
    ):
        ticket = venue.priced(order_type, Side.BUY, quantity, price)
        with pytest.raises(refusal):
            await venue.exchange.place(ticket)

        assert await venue.balance(USDT) == Balance(free=USDT_HELD)
        assert await venue.exchange.open_orders(MNTLUSDT) == []
        with pytest.raises(OrderNotFound):
            await venue.exchange.order(MNTLUSDT, ticket.client_order_id)

    async def test_an_order_that_is_only_tried_is_judged_and_never_placed(self, venue: Venue):
        good = venue.priced(OrderType.IOC, Side.BUY, "1000", "0.0021")
        small = venue.priced(OrderType.IOC, Side.BUY, "100", "0.0021")
        await venue.exchange.try_order(good)
        with pytest.raises(BelowMinimum):
            await venue.exchange.try_order(small)

        assert await venue.balance(USDT) == Balance(free=USDT_HELD)
        with pytest.raises(OrderNotFound):
            await venue.exchange.order(MNTLUSDT, good.client_order_id)

    async def test_an_order_at_a_bound_does_what_it_expects(self, venue: Venue):
        market = venue.exchange.market
        order = bounded_order(
            Side.BUY,
            Wanted(Decimal("17.1")),
            free=USDT_HELD,
            book=await market.book(MNTLUSDT),
            rules=await market.rules(MNTLUSDT),
            slippage=Decimal("0.01"),
        )
        assert isinstance(order, BoundedOrder)
        ticket = OrderRequest.at_price(
            order,
            client_order_id=ClientOrderId("bl-bounded"),
            symbol=MNTLUSDT,
            sent_at=venue.exchange.time(),
        )
        await venue.exchange.place(ticket)
        report = await venue.settled(ticket)

        expected = order.expected
        assert report.complete
        assert report.execution == Execution(expected.base_quantity, expected.quote_amount)
        spent = order.expected_quote + order.expected_fee
        assert await venue.balance(USDT) == Balance(free=USDT_HELD - spent)

    async def test_its_time_is_near_ours(self, venue: Venue):
        await venue.exchange.resync()

        assert abs(venue.exchange.time() - venue.clock.now()) < timedelta(seconds=2)
