"""The fake MEXC's pushes: what its journal and its books say, as frames by Google's protobuf."""

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from engine.clock import to_millis
from tests.fakes.mexc_books import Account, Moved, Pair, Refused
from tests.fakes.mexc_journal import Entry, OrderChanged
from tests.fakes.mexc_ledger import Ledger
from tests.fakes.mexc_push_encoder import pushed
from tests.fakes.mexc_rows import ticker_row, trade_rows

ACCOUNT = "spot@private.account.v3.api.pb"
ORDERS = "spot@private.orders.v3.api.pb"
DEALS = "spot@private.deals.v3.api.pb"
PRIVATE = (ACCOUNT, ORDERS, DEALS)
_BEST = re.compile(r"spot@public\.aggre\.bookTicker\.v3\.api\.pb@(?:10|100)ms@([A-Z0-9]+)")
_LAST = re.compile(r"spot@public\.miniTicker\.v3\.api\.pb@([A-Z0-9]+)@(?:24H|UTC[+-]\d{1,2})")
_STATUS = {"NEW": 1, "FILLED": 2, "PARTIALLY_FILLED": 3, "CANCELED": 4, "PARTIALLY_CANCELED": 5}
_TYPES = {"LIMIT": 1, "LIMIT_MAKER": 2, "IMMEDIATE_OR_CANCEL": 3, "MARKET": 5}
# A transfer was settled two minutes before it is told, as in the documentation's sample.
_SETTLED_BEFORE = timedelta(seconds=124)
Arranging = Callable[[Sequence[Entry]], Sequence[Entry]]


def channel_of(entry: Entry) -> str:
    if isinstance(entry, Moved):
        return ACCOUNT
    return ORDERS if isinstance(entry, OrderChanged) else DEALS


def as_it_happened(entries: Sequence[Entry]) -> Sequence[Entry]:
    return entries


def by_channel(*channels: str) -> Arranging:
    """All of one channel before those of the next."""
    return lambda entries: sorted(entries, key=lambda entry: channels.index(channel_of(entry)))


def shuffled(random: Random) -> Arranging:
    return lambda entries: random.sample(entries, len(entries))


def merged(entries: Sequence[Entry]) -> list[Entry]:
    """One frame for each asset and order: what there is in the end. The deals stay as they are."""
    last: dict[object, Entry] = {}
    for entry in entries:
        if isinstance(entry, Moved):
            name: object = entry.asset
            if isinstance(before := last.pop(name, None), Moved):
                entry = _both(before, entry)  # noqa: PLW2901
        else:
            name = (entry.order.order_id, getattr(entry, "number", None))
            last.pop(name, None)
        last[name] = entry
    return list(last.values())


def _both(one: Moved, other: Moved) -> Moved:
    return Moved(
        other.account,
        other.asset,
        other.free,
        one.free_change + other.free_change,
        other.locked,
        one.locked_change + other.locked_change,
        other.kind,
    )


def private_frame(entry: Entry, *, made: datetime, sent: datetime) -> bytes:
    if isinstance(entry, Moved):
        return _account_frame(entry, made=made, sent=sent)
    if isinstance(entry, OrderChanged):
        return _order_frame(entry, sent=sent)
    row = trade_rows(entry.order)[entry.number]
    return pushed(
        DEALS,
        "privateDeals",
        {
            "price": row["price"],
            "quantity": row["qty"],
            "amount": row["quoteQty"],
            "tradeType": 1 if row["isBuyer"] else 2,
            "isMaker": row["isMaker"],
            "isSelfTrade": False,
            "tradeId": row["id"],
            "clientOrderId": row["clientOrderId"] or "",
            "orderId": row["orderId"],
            "feeAmount": row["commission"],
            "feeCurrency": row["commissionAsset"],
            "time": row["time"],
        },
        symbol=entry.order.symbol,
        sent_ms=to_millis(sent),
    )


def _account_frame(moved: Moved, *, made: datetime, sent: datetime) -> bytes:
    comes_from_outside = not moved.kind.startswith(("ENTRUST", "TRADE"))
    return pushed(
        ACCOUNT,
        "privateAccount",
        {
            "vcoinName": moved.asset,
            "coinId": hashlib.md5(moved.asset.encode(), usedforsecurity=False).hexdigest(),
            "balanceAmount": f"{moved.free:f}",
            "balanceAmountChange": f"{moved.free_change:f}",
            "frozenAmount": f"{moved.locked:f}",
            "frozenAmountChange": f"{moved.locked_change:f}",
            "type": moved.kind,
            "time": to_millis(made - _SETTLED_BEFORE if comes_from_outside else made),
        },
        made_ms=to_millis(made),
        sent_ms=to_millis(sent),
    )


def _order_frame(entry: OrderChanged, *, sent: datetime) -> bytes:
    order = entry.order
    dealt = {} if entry.dealt is None else {"lastDealQuantity": f"{entry.dealt:f}"}
    average = order.spent / order.executed if order.executed else Decimal(0)
    return pushed(
        ORDERS,
        "privateOrders",
        {
            "id": order.order_id,
            "clientId": order.client_order_id or "",
            "price": f"{order.price:f}",
            "quantity": f"{order.orig_quantity:f}",
            "amount": f"{order.orig_quote:f}",
            "avgPrice": f"{average:f}",
            "orderType": _TYPES[order.kind],
            "tradeType": 1 if order.side == "BUY" else 2,
            "isMaker": order.kind == "LIMIT_MAKER",
            "remainAmount": f"{max(order.orig_quote - order.spent, Decimal(0)):f}",
            "remainQuantity": f"{order.orig_quantity - order.executed:f}",
            **dealt,
            "cumulativeQuantity": f"{order.executed:f}",
            "cumulativeAmount": f"{order.spent:f}",
            "status": _STATUS[order.status],
            "createTime": to_millis(order.at),
        },
        symbol=order.symbol,
        sent_ms=to_millis(sent),
    )


class PublicChannel:
    """The best or the last prices of a pair, whichever *name* asks for; pushed when they change."""

    def __init__(self, name: str, pair: Pair, ledger: Ledger) -> None:
        self._name = name
        self._pair = pair
        self._ledger = ledger
        self._shown = self._now()

    def changed(self) -> bool:
        """Whether there is something to push since the last time."""
        before, self._shown = self._shown, self._now()
        return before != self._shown

    def frame(self, *, sent: datetime) -> bytes:
        body = "publicMiniTicker" if _LAST.fullmatch(self._name) else "publicAggreBookTicker"
        return pushed(
            self._name, body, self._shown, symbol=self._pair.symbol, sent_ms=to_millis(sent)
        )

    def _now(self) -> dict[str, str]:
        if _LAST.fullmatch(self._name):
            price = f"{self._pair.last:f}"
            return {"symbol": self._pair.symbol, "price": price, "rate": "0", "volume": "1000"}
        row = ticker_row(self._ledger, self._pair)
        names = ("bidPrice", "bidQty", "askPrice", "askQty")
        theirs = ("bidPrice", "bidQuantity", "askPrice", "askQuantity")
        return {name: row[key] for name, key in zip(theirs, names, strict=True)}


def public_channel(name: str, ledger: Ledger, caller: Account | None) -> PublicChannel | None:
    """None where there is no such channel, or none for *caller*."""
    found = _BEST.fullmatch(name) or _LAST.fullmatch(name)
    if found is None:
        return None
    try:
        pair = ledger.pair(found[1], caller)
    except Refused:
        return None
    return PublicChannel(name, pair, ledger)
