"""Prometheus metrics of the process, read from their sources when they are requested.
Labels are names of enums and of endpoints; no chat, account, pair or amount is ever one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from bot.observability.database_stats import DatabaseStats
from bot.observability.event_loop import Turning
from bot.observability.telegram_activity import TelegramActivity
from bot.updates.polling import UpdateOutcome
from bot.version import VERSION
from engine.clock import Clock
from engine.domain.orders.order import OrderState
from engine.exchanges.rate_limiter import Usage
from engine.exchanges.request_stats import RequestStats
from engine.monitoring.counters import Histogram
from engine.scheduling.dispatcher import Dispatcher
from engine.storage.maintenance.statistics import DatabaseStatistics, QueueBacklog

E = TypeVar("E", bound=Enum)

_MODES = {False: "live", True: "paper"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The objects that hold the numbers. The demo has no exchange client."""

    clock: Clock
    census: DatabaseStats
    dispatcher: Dispatcher
    polls: TelegramActivity
    updates: Mapping[UpdateOutcome, int]
    turning: Turning
    traffic: RequestStats | None
    usage: Callable[[], Usage] | None


class Metrics:
    """The metrics of one process, in a registry of its own."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._registry = CollectorRegistry()
        self._snapshot = _Snapshot(sources)
        self._registry.register(self._snapshot)
        ProcessCollector(registry=self._registry)

    async def text(self) -> bytes:
        """Return the exposition text; without the database, without what only it knows."""
        self._snapshot.census = await self._sources.census.latest()
        return generate_latest(self._registry)


class _Snapshot(Collector):
    def __init__(self, sources: Sources) -> None:
        self._of = sources
        self.census: DatabaseStatistics | None = None

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("ballast_build", "The version that runs", {"version": VERSION})
        yield from self._checks()
        yield from self._accounts()
        yield from self._stored()
        yield from self._exchange()
        yield from self._updates()
        yield from self._loop()

    def _checks(self) -> Iterator[Metric]:
        tally = self._of.dispatcher.tally
        yield _counts("ballast_checks", "Checks that came to an end", "outcome", tally.outcomes)
        yield _counts(
            "ballast_check_failures", "Checks that failed, by kind", "kind", tally.failures
        )
        yield _spread(
            "ballast_check_lateness_seconds",
            "How long after it was due a check began",
            [((), tally.late)],
        )

    def _accounts(self) -> Iterator[Metric]:
        dispatcher = self._of.dispatcher
        pulse = dispatcher.pulse()
        yield _gauge(
            "ballast_accounts_owned", "Accounts this process holds the lease of", dispatcher.owned
        )
        yield _gauge(
            "ballast_accounts_active", "Accounts it owns that have checks due", len(pulse.checks)
        )
        yield _counts(
            "ballast_leases",
            "Leases that came to this process, and those it lost against its will",
            "event",
            dispatcher.tally.takings,
        )
        yield CounterMetricFamily(
            "ballast_heartbeats",
            "Beats that reached the database and handed out what was due",
            pulse.beats.done,
        )

    def _stored(self) -> Iterator[Metric]:
        """Yield what is the same in every process of one database; nothing while it is away."""
        census = self.census
        away = census is None or self._of.dispatcher.pulse().database_away
        yield _gauge(
            "ballast_database_up", "Whether the database answered lately (1) or not (0)", not away
        )
        orders = GaugeMetricFamily(
            "ballast_orders",
            "Orders of all accounts and all times, by state and kind of money",
            labels=["mode", "state"],
        )
        unresolved = GaugeMetricFamily(
            "ballast_orders_unresolved", "Orders whose outcome is not known yet"
        )
        oldest = _ages("ballast_oldest_unresolved_order", "the oldest order that is unresolved")
        if census is not None:
            for dry_run, mode in _MODES.items():
                for state in OrderState:
                    orders.add_metric([mode, state.value], census.orders.get((dry_run, state), 0))
            unresolved.add_metric([], census.unresolved)
            oldest.add_metric([], self._age(census.oldest_unresolved))
        yield from (orders, unresolved, oldest)
        put_off = GaugeMetricFamily(
            "ballast_alerts_put_off", "Messages that wait for hours, as their chat is gone"
        )
        if census is not None:
            put_off.add_metric([], census.outbox.put_off)
        yield put_off
        yield from self._backlog("alert", "messages to chats", census.outbox if census else None)
        yield from self._backlog(
            "update", "updates from Telegram", census.inbox if census else None
        )

    def _backlog(self, name: str, what: str, backlog: QueueBacklog | None) -> Iterator[Metric]:
        waiting = GaugeMetricFamily(
            f"ballast_{name}s_waiting", f"How many {what} wait for their turn"
        )
        oldest = _ages(f"ballast_oldest_{name}", f"the oldest of the {what} that wait")
        if backlog is not None:
            waiting.add_metric([], backlog.waiting)
            oldest.add_metric([], self._age(backlog.oldest))
        yield from (waiting, oldest)

    def _exchange(self) -> Iterator[Metric]:
        traffic, usage = self._of.traffic, self._of.usage
        yield _spread(
            "ballast_exchange_request_seconds",
            "How long MEXC took to answer, or did not",
            traffic.took.items() if traffic else (),
            labels=["method", "path"],
        )
        ended = CounterMetricFamily(
            "ballast_exchange_requests",
            "Requests to MEXC by how they ended; 403, 418 and 429 ask for silence",
            labels=["method", "path", "result"],
        )
        used = GaugeMetricFamily(
            "ballast_exchange_weight_used", "Weight spent in the running window"
        )
        limit = GaugeMetricFamily(
            "ballast_exchange_weight_limit", "Weight that one window may take"
        )
        if traffic is not None:
            for ((method, path), ending), count in traffic.ended.items():
                ended.add_metric([method, path, ending.value], count)
        if usage is not None:
            now = usage()
            used.add_metric([], now.weight_used)
            limit.add_metric([], now.weight_limit)
        yield from (ended, used, limit)

    def _updates(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "ballast_polls", "Polls that Telegram answered", self._of.polls.answers
        )
        last = _ages("ballast_last_poll", "the last answer to a poll")
        if (age := self._of.polls.age()) is not None:
            last.add_metric([], age.total_seconds())
        yield last
        yield _counts(
            "ballast_updates", "Updates that were dealt with here", "outcome", self._of.updates
        )

    def _loop(self) -> Iterator[Metric]:
        turning = self._of.turning
        yield _spread(
            "ballast_loop_lag_seconds",
            "How long the event loop took to turn, asked four times a second",
            [((), turning.lag)],
        )
        yield CounterMetricFamily(
            "ballast_loop_blocks", "Times it stood still for a second or more", turning.blocks
        )
        yield CounterMetricFamily(
            "ballast_loop_blocked_seconds", "How long it stood still then", turning.blocked_s
        )

    def _age(self, since: datetime | None) -> float:
        """Return the age in seconds; zero if nothing is waiting."""
        return max(0.0, (self._of.clock.now() - since).total_seconds()) if since else 0.0


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value)


def _ages(name: str, what: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{name}_age_seconds", f"The age of {what}")


def _counts(name: str, what: str, label: str, counts: Mapping[E, int]) -> Metric:
    family = CounterMetricFamily(name, what, labels=[label])
    for member, count in counts.items():
        family.add_metric([member.value], count)
    return family


def _spread(
    name: str,
    what: str,
    spreads: Iterable[tuple[Sequence[str], Histogram]],
    *,
    labels: Iterable[str] = (),
) -> Metric:
    family = HistogramMetricFamily(name, what, labels=list(labels))
    for values, spread in spreads:
        buckets, so_far = [], 0
        for bound, count in zip((*spread.bounds, None), spread.counts, strict=True):
            so_far += count
            le = "+Inf" if bound is None else str(bound / timedelta(seconds=1))
            buckets.append((le, so_far))
        family.add_metric(values, buckets, sum_value=spread.total / timedelta(seconds=1))
    return family
