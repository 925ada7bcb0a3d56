"""The promises of `Exchange`, kept by MEXC's adapter against the fake MEXC."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.exchanges.interface import Exchange
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.exchange import MexcExchange
from engine.exchanges.mexc.market_data import MexcMarket
from engine.security.credentials import Credentials
from tests.exchange.contract import (
    ASKS,
    BIDS,
    FEE_RATE,
    LAST_PRICE,
    MNTL_HELD,
    USDT_HELD,
    ExchangeContract,
    Venue,
)
from tests.fakes.clock import FakeClock
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_books import Pair

OWNER = Credentials("mx0contractKEY", "contractSECRET")


@pytest.fixture
async def venue(mexc: FakeMexc, mexc_client: MexcClient, clock: FakeClock) -> Venue:
    mexc.add_pair(
        Pair(
            symbol="MNTLUSDT",
            base="MNTL",
            last=LAST_PRICE,
            asks=list(ASKS),
            bids=list(BIDS),
            taker_fee=FEE_RATE,
            min_notional=Decimal(1),
        )
    )
    mexc.add_account(OWNER.api_key, OWNER.api_secret, USDT=f"{USDT_HELD:f}", MNTL=f"{MNTL_HELD:f}")
    exchange: Exchange = MexcExchange(mexc_client, OWNER, MexcMarket(mexc_client))
    await exchange.resync()  # without a measured clock no order leaves
    return Venue(exchange, clock)


class TestMexcExchange(ExchangeContract):
    pass


class TestMexcExchangeThatLagsBehind(ExchangeContract):
    """An order is unknown for a moment after it was taken."""

    @pytest.fixture
    def venue(self, venue: Venue, mexc: FakeMexc) -> Venue:
        mexc.ledger.invisible_for = timedelta(seconds=1)
        return venue
