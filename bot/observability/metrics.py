"""Prometheus metrics of the process, read from their sources when they are requested.
Labels are names of enums and of endpoints; no chat, account, pair or amount is ever one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

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
from engine.exchanges.rate_limiter import Usage
from engine.exchanges.request_stats import RequestStats
from engine.scheduling.dispatcher import Dispatcher
from engine.storage.maintenance.statistics import DatabaseStatistics, QueueBacklog

_MODES = {False: "live", True: "paper"}

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
        tally, turning = self.dispatcher.tally, self.turning
        yield InfoMetricFamily("ballast_build", "The version that runs", {"version": VERSION})
        for counted in (tally.outcomes, tally.failures, tally.late):
            yield from counted.collect()
        yield from self._accounts()
        yield from self._of_database()
        yield from self._exchange()
        yield from self._updates()
        for counted in (turning.lag, turning.blocks, turning.blocked):
            yield from counted.collect()

    def _accounts(self) -> Iterator[Metric]:
        pulse = self.dispatcher.pulse()
        yield GaugeMetricFamily(
            "ballast_accounts_owned",
            "Accounts this process holds the lease of",
            self.dispatcher.owned,
        )
        yield GaugeMetricFamily(
            "ballast_accounts_active", "Accounts it owns that have checks due", len(pulse.checks)
        )
        yield from self.dispatcher.tally.takings.collect()
        yield CounterMetricFamily(
            "ballast_heartbeats",
            "Beats that reached the database and handed out what was due",
            pulse.beats.done,
        )

    def _of_database(self) -> Iterator[Metric]:
        """Yield what is the same in every process of one database; nothing while it is away."""
        census = self._stored
        away = census is None or self.dispatcher.pulse().database_away
        yield GaugeMetricFamily(
            "ballast_database_up", "Whether the database answered lately (1) or not (0)", not away
        )
        orders = GaugeMetricFamily(
            "ballast_orders",
            "Orders of all accounts and all times, by state and kind of money",
            labels=["mode", "state"],
        )
        if census is not None:
            for dry_run, mode in _MODES.items():
                for state in OrderState:
                    orders.add_metric([mode, state.value], census.orders.get((dry_run, state), 0))
        yield orders
        yield GaugeMetricFamily(
            "ballast_orders_unresolved",
            "Orders whose outcome is not known yet",
            census.unresolved if census else None,
        )
        yield _age(
            "ballast_oldest_unresolved_order",
            "the oldest order that is unresolved",
            self._waited(census.oldest_unresolved) if census else None,
        )
        yield GaugeMetricFamily(
            "ballast_alerts_put_off",
            "Messages that wait for hours, as their chat is gone",
            census.outbox.put_off if census else None,
        )
        yield from self._backlog("alert", "messages to chats", census.outbox if census else None)
        yield from self._backlog(
            "update", "updates from Telegram", census.inbox if census else None
        )

    def _backlog(self, name: str, what: str, backlog: QueueBacklog | None) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            f"ballast_{name}s_waiting",
            f"How many {what} wait for their turn",
            backlog.waiting if backlog else None,
        )
        yield _age(
            f"ballast_oldest_{name}",
            f"the oldest of the {what} that wait",
            self._waited(backlog.oldest) if backlog else None,
        )

    def _exchange(self) -> Iterator[Metric]:
        usage = self.usage() if self.usage else None
        yield from self.request_stats.took.collect()
        yield from self.request_stats.ended.collect()
        yield GaugeMetricFamily(
            "ballast_exchange_weight_used",
            "Weight spent in the running window",
            usage.weight_used if usage else None,
        )
        yield GaugeMetricFamily(
            "ballast_exchange_weight_limit",
            "Weight that one window may take",
            usage.weight_limit if usage else None,
        )

    def _updates(self) -> Iterator[Metric]:
        answers, age = self.telegram_activity.answers, self.telegram_activity.age()
        yield CounterMetricFamily("ballast_polls", "Polls that Telegram answered", answers)
        yield _age(
            "ballast_last_poll",
            "the last answer to a poll",
            None if age is None else age.total_seconds(),
        )
        yield from self.updates.collect()

    def _waited(self, since: datetime | None) -> float:
        """Return the age in seconds; zero if nothing is waiting."""
        return max(0.0, (self.clock.now() - since).total_seconds()) if since else 0.0


def _age(name: str, what: str, seconds: float | None) -> Metric:
    return GaugeMetricFamily(f"{name}_age_seconds", f"The age of {what}", seconds)
