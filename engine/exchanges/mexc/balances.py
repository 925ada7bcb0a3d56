"""Parses MEXC's account into holdings.
An invalid row costs its own asset, not the account: `Holdings.of` decides whether it matters.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from engine.domain.market.balances import NAMELESS, Balance, Holdings, folded
from engine.domain.market.decimals import plain
from engine.domain.market.pairs import Asset
from engine.errors import BadData
from engine.exchanges.mexc.json_fields import Ambiguous, amount, record, rows, text, words

_LONGEST_NAME = 40
_LONGEST_AMOUNT = 40
_LONGEST = 200
# What an answer that is no error leaves out, or leaves blank.
_COMPLAINTS = ("msg", "message", "error", "errorMsg", "errorCode")
# What a list says that was cut into pages: an asset of the next page would count as zero.
_OF_PARTS = ("hasNext", "hasMore", "nextPage", "nextCursor", "nextPageCursor", "cursor")
_NO_COMPLAINT = (None, "", 0, "0", "success", "SUCCESS", "OK", "ok")


def holdings(answer: object, *, read_at: datetime) -> Holdings:
    """Raises BadData where the whole answer cannot be trusted."""
    account = record(answer, what="account")
    for name in _COMPLAINTS:
        if account.get(name) not in _NO_COMPLAINT:
            raise BadData(f"an account with a complaint: {_stated(account.get(name))}")
    if account.get("success", True) is not True:
        raise BadData("an account that says it is no success")
    if any(account.get(name) for name in _OF_PARTS):
        raise BadData("the answer has only a part of the balances")
    listed: defaultdict[Asset, list[object]] = defaultdict(list)
    for row in rows(account.get("balances"), what="balances"):
        listed[folded(_name(row))].append(row)
    balances: dict[Asset, Balance] = {}
    unreadable: dict[Asset, str] = {}
    for key, of_asset in listed.items():
        if key == NAMELESS:
            unreadable[key] = "a row without the name of an asset"
            continue
        try:
            [row] = of_asset
            balances[Asset(text(record(row, what="a balance"), "asset"))] = _balance(row)
        except (BadData, ValueError):
            unreadable[key] = _what_was_read(key, of_asset)
    return Holdings(balances, read_at=read_at, unreadable=unreadable)


def _name(row: object) -> str:
    """Returns the row's asset, or "" where it is not stated."""
    if not isinstance(row, Mapping) or (isinstance(row, Ambiguous) and "asset" in row.doubled):
        return ""
    return words(row.get("asset"), most=_LONGEST_NAME)


def _balance(row: object) -> Balance:
    of = record(row, what="a balance")
    free, locked = amount(of, "free"), amount(of, "locked")
    if free.is_signed() or locked.is_signed():
        raise BadData("a balance of minus zero")  # whatever was rounded to it was no balance
    return Balance(free=free, locked=locked)


def _what_was_read(name: Asset, of_asset: Sequence[object]) -> str:
    if len(of_asset) == 1:
        return f"MEXC's row of {name} makes no sense ({_row(of_asset[0])})"
    first, last = ", ".join(_row(row) for row in of_asset[:-1]), _row(of_asset[-1])
    times = "twice" if len(of_asset) == 2 else f"{len(of_asset)} times"  # noqa: PLR2004
    return f"MEXC lists {name} {times} ({first} and {last})"[:_LONGEST]


def _row(row: object) -> str:
    """The amount of a row that is plain; both fields of one that is not."""
    if isinstance(row, Ambiguous):
        return f"{', '.join(sorted(row.doubled))} stated twice"
    try:
        balance = _balance(row)
    except BadData:
        of = row if isinstance(row, Mapping) else {}
        return f"free {_stated(of.get('free'))}, locked {_stated(of.get('locked'))}"
    return plain(balance.total)


def _stated(value: object) -> str:
    match value:
        case None:
            return "missing"
        case bool():
            return str(value)
        case Decimal():
            return str(value)[:_LONGEST_AMOUNT]
        case str() | int():
            return words(str(value), most=_LONGEST_AMOUNT) or "blank"
        case _:
            return "no amount"
