"""The books of a program that ran: its database file, read from outside, against both fakes."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.clock import SystemClock, from_millis
from engine.domain.market.pairs import USDT, Asset, Symbol, base_of
from engine.domain.market.quotes import Quote
from engine.domain.orders.order import FINAL, UNRESOLVED, OrderState
from engine.domain.portfolio.plan import NoLegs
from engine.domain.rebalancing.check_result import CheckResult, NoTrade
from engine.domain.targets.goals import TargetSettings
from engine.domain.targets.outside import surely_outside
from engine.storage.accounts.setting_columns import Targeting
from engine.storage.models.accounts import ThresholdUnit
from engine.storage.serialization import from_json
from tests.e2e.world import World
from tests.fakes.telegram_messages import SentMessage

_SETTLED = frozenset({OrderState.FILLED, OrderState.PARTIAL, OrderState.UNFILLED})
# The alerts one of which each end has; a person who was asked knows it from the answer.
_TOLD = {
    OrderState.FILLED: ("filled",),
    OrderState.PARTIAL: ("partial",),
    OrderState.NOT_EXECUTED: ("never", "person"),
}
_TRADE = ("Bought", "Sold")
# The titles of what came of a run of several trades, and of a trade over time.
_RUN, _SLICES = re.compile(r" · (\d+) trades, "), " over time"
_REPEAT = "(repeat?)"


class Books:
    """The database in *folder*, whether its program lives or not."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "data/ballast.db"

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self._file}?mode=rw", uri=True, timeout=10)

    def rows(self, query: str) -> list[Any]:
        connection = self._open()
        connection.row_factory = sqlite3.Row
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def pass_time(self, span: timedelta) -> None:
        """So much has passed for the orders: nobody waits for a quarter of an hour in a test."""
        columns = ("created_at", "sent_at", "resolved_at", "missed_at")
        earlier = ", ".join(f"{c} = {c} - {span // timedelta(milliseconds=1)}" for c in columns)
        connection = self._open()
        try:
            with connection:
                connection.execute(f"UPDATE orders SET {earlier}")  # noqa: S608 - all of it ours
        finally:
            connection.close()

    def key_is_due(self) -> None:
        """The day has come on which MEXC is asked how long the key lives."""
        connection = self._open()
        try:
            with connection:
                connection.execute("UPDATE accounts SET key_checked_at = 0")
        finally:
            connection.close()

    def set_time_is_due(self, span: timedelta) -> None:
        """So much has passed since the last set time was dealt with."""
        connection = self._open()
        try:
            with connection:
                connection.execute(
                    "UPDATE accounts SET slot_at = slot_at - ?",
                    [span // timedelta(milliseconds=1)],
                )
        finally:
            connection.close()

    def order_is(self, age: timedelta) -> None:
        """The newest order was written down so long ago."""
        newest = from_millis(self.rows("SELECT max(created_at) FROM orders")[0][0])
        self.pass_time(age - (SystemClock().now() - newest))

    def unfinished(self) -> list[str]:
        """What still waits: updates, messages, orders, tapped runs, trades over several pairs or
        over time.
        """
        unresolved = ", ".join(f"'{state.value}'" for state in UNRESOLVED)
        waiting = {
            "inbox": "SELECT count(*) FROM inbox WHERE done_at IS NULL",
            "outbox": "SELECT count(*) FROM outbox WHERE done_at IS NULL",
            "orders": f"SELECT count(*) FROM orders WHERE state IN ({unresolved}, 'planned')",  # noqa: S608 - all of it ours
            "runs": "SELECT count(*) FROM requests",
            "runs over pairs": "SELECT count(*) FROM runs WHERE ended_at IS NULL",
            "trades over time": "SELECT count(*) FROM sliced_trades",
        }
        [counts] = self.rows(f"SELECT {', '.join(f'({query})' for query in waiting.values())}")
        return [name for name, count in zip(waiting, counts, strict=True) if count]


def out_of_band(world: World, books: Books) -> list[str]:
    """Accounts with real money that trade and are not where they should be."""
    found: list[str] = []
    for row in books.rows("SELECT * FROM accounts WHERE NOT paused AND NOT dry_run"):
        if row["targeting"] is not None:
            found += _outside_without_reason(world, books, row)
            continue
        target = Decimal(row["target"])
        is_part = ThresholdUnit(row["threshold_unit"]) is ThresholdUnit.FRACTION
        width = Decimal(row["threshold"]) * (target if is_part else 1)
        if row["sealed_key"] and not target - width <= world.usdt <= target + width:
            found.append(f"{world.usdt} USDT, the target is {target} ±{width}")
    return found


def _outside_without_reason(world: World, books: Books, row: Any) -> Iterator[str]:
    """Assets beyond the same edge at all best bids and asks, of which no check said why they stay."""
    stored = from_json(row["targeting"], Targeting)
    token = base_of(Symbol(row["symbol"]))
    settings = TargetSettings(
        target=stored.target, threshold=stored.threshold, token=token, bands=stored.bands
    )
    pairs = world.mexc.ledger.pairs
    quotes = {
        asset: Quote(bid=pairs[asset + USDT].bids[0][0], ask=pairs[asset + USDT].asks[0][0])
        for asset in settings.tokens
    }
    held = {asset: world.account.of(asset).free for asset in (USDT, *settings.tokens)}
    said = _reasons(books, row["id"])
    for asset, edge in surely_outside(settings.goals, held, quotes).items():
        if row["sealed_key"] and asset not in said:
            yield f"{held[asset]} {asset} is beyond its {edge.value} edge"


def _reasons(books: Books, account_id: int) -> frozenset[Asset]:
    """The assets that the last decision left outside, each for a reason of its own."""
    rows = books.rows(f"SELECT payload FROM looks WHERE account_id = {account_id}")  # noqa: S608 - a number of ours
    for row in rows:
        verdict = from_json(row["payload"], CheckResult).verdict
        if isinstance(verdict, NoTrade) and isinstance(verdict.reason, NoLegs):
            return frozenset(verdict.reason.assets)
    return frozenset()


def violations(world: World, books: Books, *, first_update: int) -> list[str]:
    """Whatever must never be, after everything has come to rest and the program has ended.

    *first_update* is the number of the first update of this world.
    """
    return [
        *_posted_twice(world),
        *_orders_differ(world, books),
        *_untold(world, books),
        *_told_twice(world, books),
        *_unheard(world, books, first_update),
        *world.secrets_found(),
        *(f"still open: {name}" for name in books.unfinished()),
        *out_of_band(world, books),
        *world.breaks(),
    ]


def _posted_twice(world: World) -> Iterator[str]:
    for order, posts in world.mexc.order_posts.items():
        if posts > 1:
            yield f"{order} was sent {posts} times"


def _orders_differ(world: World, books: Books) -> Iterator[str]:
    """The ledger's orders are our intents, with the same amounts, and the other way round."""
    ledger = {order.client_order_id: order for order in world.mexc.orders}
    intents = {row["client_order_id"]: row for row in _live_orders(books)}
    for unknown in ledger.keys() - intents.keys():
        yield f"{unknown} was traded and never written down"
    for name, row in intents.items():
        state, order = OrderState(row["state"]), ledger.get(name)
        if state in _SETTLED and order is None:
            yield f"{name} was booked and never traded"
        elif state in FINAL - _SETTLED - {OrderState.SET_ASIDE} and order is not None:
            yield f"{name} was traded and is booked as {state.value}"
        elif state in _SETTLED and order is not None:
            booked = Decimal(row["executed_base"]), Decimal(row["executed_quote"])
            if booked != (order.executed, order.spent):
                yield f"{name} traded {order.executed} for {order.spent}, booked is {booked}"


def _untold(world: World, books: Books) -> Iterator[str]:
    """The end of an order has its alert, and every message of the outbox has reached its chat."""
    rows = books.rows("SELECT * FROM outbox")
    keys = {row["dedupe_key"] for row in rows}
    for row in books.rows("SELECT * FROM orders"):
        endings = _TOLD.get(OrderState(row["state"]), ())
        alerts = {f"order:{row['client_order_id']}:{ending}" for ending in endings}
        if alerts and row["leg"] is not None:
            alerts.add(f"run:{row['account_id']}:{row['run_id']}")
        elif alerts and row["slice_number"] is not None:
            alerts.add(f"slices:{row['run_id'].rpartition(':')[0]}:over")
        if alerts and not alerts & keys:
            yield f"{row['client_order_id']} is {row['state']} and nobody was told"
    for row in rows:
        if row["failure"] is not None:
            yield f"{row['dedupe_key']} was given up: {row['failure']}"
        elif (row["chat_id"], row["message_id"]) not in world.telegram._sent:
            yield f"{row['dedupe_key']} never reached the chat"


def _told_twice(world: World, books: Books) -> Iterator[str]:
    """A message that may be a repetition says so."""
    alerts = [m for m in world.telegram._sent.values() if _REPEAT not in m.text]
    fills = books.rows("SELECT 1 FROM orders WHERE state IN ('filled', 'partial')")
    if sum(map(_trades_told, alerts)) > len(fills):
        yield f"{len(fills)} trades were told as {[m.text for m in alerts if _trades_told(m)]}"
    ends = [m.text for m in alerts if _tells_slices(m)]
    over = books.rows("SELECT 1 FROM outbox WHERE dedupe_key LIKE 'slices:%:over'")
    if len(ends) > len(over):
        yield f"{len(over)} trades over time were told as {ends}"


def _trades_told(message: SentMessage) -> int:
    """Of a trade over time it counts none: a slice that was unclear has told of itself."""
    title = _title(message)
    if (run := _RUN.search(title)) is not None:
        return int(run[1])
    return int(any(f" · {verb} " in title for verb in _TRADE) and _SLICES not in title)


def _tells_slices(message: SentMessage) -> bool:
    title = _title(message)
    return _SLICES in title and any(f" · {verb} " in title for verb in (*_TRADE, "Nothing"))


def _title(message: SentMessage) -> str:
    return message.text.partition("\n")[0]


def _unheard(world: World, books: Books, first_update: int) -> Iterator[str]:
    """Whatever a person sent was written down once and dealt with, and nothing broke on it."""
    stored = Counter(row["update_id"] for row in books.rows("SELECT update_id FROM inbox"))
    newest = next(world.telegram._update_ids)
    for update_id in range(first_update, newest):
        if stored[update_id] != 1:
            yield f"update {update_id} was stored {stored[update_id]} times"
    for row in books.rows("SELECT * FROM inbox WHERE failure IS NOT NULL"):
        yield f"update {row['update_id']} failed: {row['failure']}"
    if world.telegram.unconfirmed:
        yield f"Telegram still has {world.telegram.unconfirmed}"


def _live_orders(books: Books) -> list[Any]:
    return books.rows("SELECT * FROM orders WHERE NOT dry_run")
