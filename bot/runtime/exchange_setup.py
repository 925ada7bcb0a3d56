"""What the program needs of an exchange: MEXC, or the demo's simulated one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from engine.accounts.account_service import OpenPaper
from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import Settings
from engine.domain.streams.trust import StreamsOff
from engine.exchanges.interface import (
    AccountStreams,
    ExchangeFor,
    KeyInspector,
    RevokeStream,
    no_stream,
)
from engine.exchanges.rate_limit_memory import RateLimitMemory
from engine.exchanges.rate_limiter import Usage
from engine.exchanges.request_stats import RequestStats
from engine.notifications.price_alerts import PriceAlerts
from engine.storage.database import Database
from engine.streaming.live_prices import LivePrices
from engine.timeouts import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSetup:
    """Where orders go: MEXC and paper beside it, or the demo's simulated market alone.
    *streams* are those of accounts that trade real money, *most_streams* of them at once, and
    *paper_streams* those of the others; *streams_off* is why there are none. *oldest_key* is how
    long ago the key of one was extended that is due first. *prices* are those that all accounts
    share.
    """

    exchange_for: ExchangeFor
    key_check: KeyInspector
    open_paper: OpenPaper
    defaults: Settings
    paper_only: bool
    timing: Timing
    heartbeat: timedelta
    request_stats: RequestStats = field(default_factory=RequestStats)
    usage: Callable[[], Usage] | None = None
    rate_limit_memory: RateLimitMemory | None = None
    revoke_stream: RevokeStream = no_stream
    streams: AccountStreams | None = None
    paper_streams: AccountStreams | None = None
    most_streams: int = 1000
    prices: LivePrices | None = None
    streams_off: StreamsOff | None = None
    oldest_key: Callable[[], timedelta] | None = None

    def price_alerts(self, database: Database, clock: Clock) -> PriceAlerts:
        """Returns who tells of prices; what streams tell needs no request."""
        told = None if self.prices is None else self.prices.fleet
        return PriceAlerts(
            database=database, clock=clock, exchange_for=self.exchange_for, told=told
        )

    def streams_for(self, account: Account) -> AccountStreams | None:
        """Returns where the account's own stream is; None if it has none."""
        return self.paper_streams if account.settings.dry_run else self.streams
