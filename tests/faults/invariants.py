"""What must hold whatever happened, checked against MEXC's ledger, our tables and the chats.

The names are those of the protocol's description: I1 one POST per order, I2 one unresolved order an
account, I3 ledger and intents agree, I4 everything told, I5 no secret anywhere, I6 spending within
the limits, I7 nothing traded on bad data, I9 each order is planned again from its row. (I8, every account checked in time, is what
`assert_on_target` and the watchdog's tests are about.)
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from engine.domain.orders.order import UNRESOLVED, Execution, Order, OrderState
from engine.domain.rebalancing.replay import Replay, Replayed
from engine.storage.models.queues import OutboxRow
from tests.fakes.http import Reply
from tests.faults.bench import BALANCES, BOOK, ENCRYPTION_KEY, ORDER, PEOPLE, Bench, Exchange

# What a planned order may be built on is at most 10 s old when it starts, and leaves within 5.
_FRESH = timedelta(seconds=15)
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_TOLD = {
    OrderState.FILLED: "filled",
    OrderState.PARTIAL: "partial",
    OrderState.NOT_EXECUTED: "never",
    OrderState.NEEDS_HUMAN: "person",
}
_TROUBLED = frozenset({OrderState.REJECTED, OrderState.UNFILLED})


async def broken(bench: Bench) -> list[str]:
    """Every violation there is by now, while things may still be under way."""
    intents = await bench.intents()
    return [
        *_posted_twice(bench),
        *_unresolved_together(intents),
        *_ledger_differs(bench, intents),
        *_untold(intents, await bench.outbox()),
        *_leaked(bench),
        *_overspent(intents, *await _limits(bench)),
        *_on_bad_data(bench),
        *(f"I2 {collision}" for collision in bench.collisions),
        *_planned_otherwise(await bench.replays()),
    ]


async def broken_at_rest(bench: Bench) -> list[str]:
    """As `broken`, for when everything has calmed down: nothing is open, nothing waits."""
    intents = await bench.intents()
    outbox = await bench.outbox()
    return [
        *await broken(bench),
        *await bench.unfinished(),
        *(f"I3 {order} has no intent" for order in _orphans(bench, intents)),
        *_undelivered(bench, outbox),
    ]


def _posted_twice(bench: Bench) -> Iterator[str]:
    for order, posts in bench.mexc.order_posts.items():
        if posts > 1:
            yield f"I1 {order} was sent {posts} times"


def _unresolved_together(intents: list[Order]) -> Iterator[str]:
    unresolved = Counter(intent.account_id for intent in intents if intent.state in UNRESOLVED)
    for account, count in unresolved.items():
        if count > 1:
            yield f"I2 account {account} has {count} unresolved orders"


def _ledger_differs(bench: Bench, intents: list[Order]) -> Iterator[str]:
    """A final state says the same as the ledger; an order the ledger has was never given up."""
    ledger = {order.client_order_id: order for order in bench.mexc.orders}
    for intent in intents:
        order = ledger.get(intent.client_order_id)
        match intent.state:
            case OrderState.FILLED | OrderState.PARTIAL | OrderState.UNFILLED:
                if order is None:
                    yield f"I3 {intent.client_order_id} was booked and does not exist"
                elif order.left:
                    yield f"I3 {intent.client_order_id} was booked as over and still rests"
                elif intent.execution != Execution(order.executed, order.spent):
                    yield f"I3 {intent.client_order_id} was booked as {intent.execution}"
            case (
                OrderState.PLANNED
                | OrderState.REJECTED
                | OrderState.NOT_EXECUTED
                | OrderState.DROPPED
            ):
                if order is not None:
                    yield (
                        f"I3 {intent.client_order_id} is {intent.state.value} since "
                        f"{intent.resolved_at} and exists since {order.at}\n"
                        f"{story_of(bench, intent.client_order_id)}"
                    )
            case (
                OrderState.SENDING
                | OrderState.ACKED
                | OrderState.UNKNOWN
                | OrderState.NEEDS_HUMAN
                | OrderState.SET_ASIDE
            ):
                continue


def story_of(bench: Bench, order: str) -> str:
    """All that was asked about an order, for whoever has to find out."""
    return "\n".join(
        f"{e.at:%H:%M:%S.%f} {e.life} {e.request.method} {e.request.path} -> "
        f"{e.reply.status} {e.reply.body[:90]!r}{' dropped' if e.reply.drop else ''}"
        for e in bench.exchanges
        if order in e.request.query_string or order.encode() in e.reply.body
    )


def _orphans(bench: Bench, intents: list[Order]) -> Iterator[str]:
    known = {str(intent.client_order_id) for intent in intents}
    for order in bench.mexc.orders:
        if order.client_order_id not in known:
            yield str(order.client_order_id)


def _untold(intents: list[Order], outbox: Sequence[OutboxRow]) -> Iterator[str]:
    """A final state and its alert are one transaction: there is no moment with only one. A maker that
    came to nothing is told by what follows it.
    """
    keys = {row.dedupe_key for row in outbox}
    troubled = any(key.startswith("trouble:") for key in keys)
    for intent in intents:
        if (ending := _TOLD.get(intent.state)) is not None:
            if f"order:{intent.client_order_id}:{ending}" not in keys:
                yield f"I4 {intent.client_order_id} is {intent.state.value} and nobody was told"
        elif intent.state in _TROUBLED and not troubled and not intent.order_type.may_rest:
            yield f"I4 {intent.client_order_id} was {intent.state.value} and nobody was told"


def _undelivered(bench: Bench, outbox: Sequence[OutboxRow]) -> Iterator[str]:
    for row in outbox:
        if row.failure is not None and row.done_at is not None:
            yield f"I4 {row.dedupe_key} was given up: {row.failure}"
        elif (row.chat_id, row.message_id) not in bench.telegram._sent:
            yield f"I4 {row.dedupe_key} never reached the chat"


def _leaked(bench: Bench) -> Iterator[str]:
    secrets = [ENCRYPTION_KEY, *(s for p in PEOPLE for s in (p.api_key, p.api_secret))]
    said = "\n".join(text for person in PEOPLE for text in bench.telegram.texts(person.chat_id))
    for secret in secrets:
        if secret in said:
            yield f"I5 a chat was told a secret ending in {secret[-4:]}"


def _overspent(intents: list[Order], order: Decimal, day: Decimal, hour: int) -> Iterator[str]:
    left = [i for i in intents if i.sent_at is not None and i.state is not OrderState.DROPPED]
    for intent in left:
        if intent.expected_quote > order:
            yield f"I6 {intent.client_order_id} is worth {intent.expected_quote}"
        kin = [i for i in left if (i.account_id, i.dry_run) == (intent.account_id, intent.dry_run)]
        since_day, since_hour = intent.created_at - _DAY, intent.created_at - _HOUR
        turnover = sum(
            i.expected_quote
            for i in kin
            if since_day < i.created_at <= intent.created_at
            and (i.execution.base_quantity or i.state in UNRESOLVED)
        )
        if turnover > day:
            yield f"I6 {turnover} USDT were traded in a day"
        if (count := sum(since_hour < i.created_at <= intent.created_at for i in kin)) > hour:
            yield f"I6 {count} orders left in an hour"


def _planned_otherwise(replays: list[Replay]) -> Iterator[str]:
    for replay in replays:
        if not (isinstance(replay, Replayed) and replay.is_same):
            yield f"I9 {replay}"


async def _limits(bench: Bench) -> tuple[Decimal, Decimal, int]:
    """The defaults, which no bench run changes: they follow from the highest target in use."""
    return Decimal(1000), Decimal(5000), 60


def _on_bad_data(bench: Bench) -> Iterator[str]:
    """Before each order its account's balances and book were read, lately and for good."""
    taken = {order.client_order_id for order in bench.mexc.orders}
    for index, exchange in enumerate(bench.exchanges):
        if (exchange.request.method, exchange.request.path) != ("POST", ORDER):
            continue
        if b"700003" in exchange.reply.body:
            continue  # its time stamp was as old as its data: that is what the window is for
        order = exchange.request.query["newClientOrderId"]
        if exchange.reply.drop and order not in taken:
            continue  # held up on its way, and refused for the same reason when it arrived
        for name in ("quoteOrderQty", "quantity"):
            size = exchange.request.query.get(name, "1")
            if not size.replace(".", "", 1).isdecimal() or not Decimal(size) > 0:
                yield f"I7 {order} asks for {size}"
        for path in (BALANCES, BOOK):
            read = _last_read(bench.exchanges[:index], exchange, path)
            if read is None or not _is_sound(read.reply):
                yield f"I7 {order} left without a sound answer of {path}"
            elif exchange.at - read.at > _FRESH:
                yield f"I7 {order} left {exchange.at - read.at} after {path} was read"


def _last_read(before: list[Exchange], order: Exchange, path: str) -> Exchange | None:
    """What the process that sent *order* last saw; a book is anybody's, balances are a key's."""
    key = order.request.headers["x-mexc-apikey"]
    for exchange in reversed(before):
        if order.at - exchange.at > _DAY:
            return None
        mine = path == BOOK or exchange.request.headers.get("x-mexc-apikey") == key
        if exchange.life == order.life and exchange.request.path == path and mine:
            return exchange
    return None


def _is_sound(reply: Reply) -> bool:
    """Read without the engine's code: an answer whose every number is one."""
    if reply.status != 200 or reply.drop or reply.cut_at is not None:
        return False
    try:
        contents = json.loads(reply.body, parse_float=Decimal)
    except ValueError:
        return False
    if isinstance(contents, dict) and isinstance(contents.get("balances"), list):
        return all(_is_amount(b.get(k)) for b in contents["balances"] for k in ("free", "locked"))
    levels = [*contents.get("bids", []), *contents.get("asks", [])] if contents else []
    return bool(levels) and all(_is_amount(number) for level in levels for number in level)


def _is_amount(text: object) -> bool:
    try:
        return Decimal(str(text)).is_finite() and Decimal(str(text)) >= 0
    except InvalidOperation:
        return False
