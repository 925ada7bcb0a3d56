"""Prometheus metrics of the process, read from their sources when they are requested.
Labels are names of enums and of endpoints; no chat, account, pair or amount is ever one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product

from prometheus_client import (
    CollectorRegistry,
    Counter,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from bot.observability.database_stats import DatabaseStats
from bot.observability.event_loop import Turning
from bot.observability.telegram_activity import TelegramActivity
from bot.version import VERSION
from engine.clock import Clock
from engine.domain.orders.order import OrderState
from engine.domain.streams.trust import Doubt
from engine.exchanges.rate_limiter import Usage
from engine.exchanges.request_stats import RequestStats
from engine.scheduling.dispatcher import Dispatcher
from engine.storage.maintenance.statistics import DatabaseStatistics
from engine.streaming.fleet import Fleet
from engine.streaming.live_accounts import LiveAccounts
from engine.streaming.live_prices import LivePrices

_MODES = {False: "live", True: "paper"}
# The name, the description, and the value; None where it is not known.
_Gauge = tuple[str, str, float | None]

# One more series for each of ours, which nothing reads.
disable_created_metrics()  # type: ignore[no-untyped-call]


@dataclass(eq=False, kw_only=True)
class Metrics(Collector):
    """The metrics of one process, in a registry of its own, read from the objects that hold the
    numbers. The demo has no exchange client.
    """

    clock: Clock
    database_stats: DatabaseStats
    dispatcher: Dispatcher
    telegram_activity: TelegramActivity
    updates: Counter
    turning: Turning
    request_stats: RequestStats
    usage: Callable[[], Usage] | None
    fleet: Fleet
    live: LiveAccounts
    oldest_key: Callable[[], timedelta] | None
    prices: LivePrices | None

    def __post_init__(self) -> None:
        self._stored: DatabaseStatistics | None = None
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    async def text(self) -> bytes:
        """Return the exposition text; without the database, without what only it knows."""
        self._stored = await self.database_stats.latest()
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        tally, requests, loop = self.dispatcher.tally, self.request_stats, self.turning
        yield InfoMetricFamily("ballast_build", "The version that runs", {"version": VERSION})
        for counted in (
            *(tally.outcomes, tally.failures, tally.late, tally.takings, self.updates),
            *(requests.took, requests.ended, loop.lag, loop.blocks, loop.blocked),
            *(self.live.tally.to_check, self.live.tally.to_order),
        ):
            yield from counted.collect()
        yield CounterMetricFamily(
            "ballast_heartbeats",
            "Beats that reached the database and handed out what was due",
            self.dispatcher.pulse().beats.done,
        )
        answers = self.telegram_activity.answers
        yield CounterMetricFamily("ballast_polls", "Polls that Telegram answered", answers)
        yield self._orders()
        yield from self._streams()
        for name, what, value in (*self._of_process(), *self._of_database()):
            yield GaugeMetricFamily(name, what, value)

    def _streams(self) -> Iterator[Metric]:
        states = GaugeMetricFamily(
            "ballast_streams", "Accounts with a stream, by how far it is", labels=["state"]
        )
        for state, count in self.live.states().items():
            states.add_metric([state.value], count)
        lost = CounterMetricFamily(
            "ballast_streams_lost", "Streams that were lost, by why", labels=["why"]
        )
        for why in Doubt:
            lost.add_metric([why.value], self.fleet.lost[why])
        yield from (states, lost)
        for name, what, count in (
            ("events", "Events received from streams", self.live.events),
            ("events_missed", "Changes of a balance that no stream reported", self.live.missed),
            ("connects", "Attempts to connect a stream", self.fleet.attempts),
            (
                "connects_failed",
                "Attempts to connect a stream that failed",
                self.fleet.failed_attempts,
            ),
        ):
            yield CounterMetricFamily(f"ballast_stream_{name}", what, count)
        age = self.oldest_key() if self.oldest_key else None
        prices = self.prices
        yield CounterMetricFamily(
            "ballast_prices_missed",
            "Changes of a price that no stream reported",
            prices.missed if prices else 0,
        )
        for name, what, value in (
            ("streams_wanted", "Accounts that are to have a stream", self.fleet.wanted_now),
            (
                "oldest_listen_key_age_seconds",
                "The time since the oldest of the streams' keys was extended",
                age.total_seconds() if age is not None else None,
            ),
            (
                "price_connections",
                "Connections for prices, shared by all accounts",
                prices.fleet.connections if prices else 0,
            ),
            ("prices_live", "Pairs with a live price", prices.fleet.live if prices else 0),
            (
                "accounts_waiting_for_prices",
                "Accounts that wait for a move of live prices",
                prices.watched if prices else 0,
            ),
        ):
            yield GaugeMetricFamily(f"ballast_{name}", what, value)

    def _of_process(self) -> Iterator[_Gauge]:
        owned, active = self.dispatcher.owned, len(self.dispatcher.pulse().checks)
        usage = self.usage() if self.usage else None
        polled = self.telegram_activity.age()
        yield "ballast_accounts_owned", "Accounts this process holds the lease of", owned
        yield "ballast_accounts_active", "Accounts it owns that have checks due", active
        yield (
            "ballast_exchange_weight_used",
            "Weight spent in the running window",
            usage.weight_used if usage else None,
        )
        yield (
            "ballast_exchange_weight_limit",
            "Weight that one window may take",
            usage.weight_limit if usage else None,
        )
        yield (
            "ballast_last_poll_age_seconds",
            "The age of the last answer to a poll",
            None if polled is None else polled.total_seconds(),
        )

    def _of_database(self) -> Iterator[_Gauge]:
        """Yield what is the same in every process of one database; no values while it is away."""
        stored = self._stored
        is_up = stored is not None and not self.dispatcher.pulse().database_away
        yield "ballast_database_up", "Whether the database answered lately (1) or not (0)", is_up
        yield (
            "ballast_orders_unresolved",
            "Orders whose outcome is not known yet",
            stored.unresolved if stored else None,
        )
        yield (
            "ballast_oldest_unresolved_order_age_seconds",
            "The age of the oldest order that is unresolved",
            self._waited(stored.oldest_unresolved) if stored else None,
        )
        yield (
            "ballast_alerts_put_off",
            "Messages that wait for hours, as their chat is gone",
            stored.outbox.put_off if stored else None,
        )
        for name, what, backlog in (
            ("alert", "messages to chats", stored.outbox if stored else None),
            ("update", "updates from Telegram", stored.inbox if stored else None),
        ):
            waiting = backlog.waiting if backlog else None
            oldest = self._waited(backlog.oldest) if backlog else None
            yield f"ballast_{name}s_waiting", f"How many {what} wait for their turn", waiting
            age = f"The age of the oldest of the {what} that wait"
            yield f"ballast_oldest_{name}_age_seconds", age, oldest

    def _orders(self) -> Metric:
        orders = GaugeMetricFamily(
            "ballast_orders",
            "Orders of all accounts and all times, by state and kind of money",
            labels=["mode", "state"],
        )
        if self._stored is not None:
            for (dry_run, mode), state in product(_MODES.items(), OrderState):
                count = self._stored.orders.get((dry_run, state), 0)
                orders.add_metric([mode, state.value], count)
        return orders

    def _waited(self, since: datetime | None) -> float:
        """Return the age in seconds; zero if nothing is waiting."""
        return max(0.0, (self.clock.now() - since).total_seconds()) if since else 0.0
