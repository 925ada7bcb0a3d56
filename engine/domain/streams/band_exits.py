"""Accounts by the prices at which they leave their brackets: a price costs those that it leaves. Pure.

A bracket is what an account does nothing within. It may be of several pairs, and ends with the first
of them that is left.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

from engine.domain.market.pairs import Symbol
from engine.domain.orders.order import AccountId

Bracket = tuple[Decimal, Decimal]
"""The lowest and the highest price that are inside."""

# What is left of former brackets may be as much as that and the present ones before it is cleared.
_SPARE = 64


@dataclass(slots=True)
class _Edges:
    """The edges of one pair, the nearest first: of each a bracket's number says whose it was."""

    lows: list[tuple[Decimal, int]] = field(default_factory=list)  # negative: the highest first
    highs: list[tuple[Decimal, int]] = field(default_factory=list)
    present: int = 0


class BandExits:
    """Putting a bracket costs O(log n), and so does each account that a price leaves."""

    def __init__(self) -> None:
        self._edges: dict[Symbol, _Edges] = {}
        self._numbers = count()
        self._number_of: dict[AccountId, int] = {}
        self._owners: dict[int, tuple[AccountId, Sequence[Symbol]]] = {}

    def __len__(self) -> int:
        return len(self._owners)

    def put(self, account_id: AccountId, brackets: Mapping[Symbol, Bracket]) -> None:
        """These are the account's from now on, in place of what it had."""
        self.drop(account_id)
        if not brackets:
            return
        number = next(self._numbers)
        self._number_of[account_id] = number
        self._owners[number] = account_id, [*brackets]
        for symbol, (low, high) in brackets.items():
            edges = self._edges.setdefault(symbol, _Edges())
            edges.present += 1
            heapq.heappush(edges.lows, (-low, number))
            heapq.heappush(edges.highs, (high, number))

    def drop(self, account_id: AccountId) -> None:
        """The account has none any more."""
        number = self._number_of.pop(account_id, None)
        if number is None:
            return
        _, symbols = self._owners.pop(number)
        for symbol in symbols:
            edges = self._edges[symbol]
            edges.present -= 1
            if not edges.present:
                del self._edges[symbol]
            elif len(edges.lows) + len(edges.highs) > 4 * edges.present + _SPARE:
                self._clear(edges)

    def left(
        self, symbol: Symbol, price: Decimal, *, most: int | None = None
    ) -> Sequence[AccountId]:
        """Returns whose brackets *price* leaves, *most* of them at once; they have none any more."""
        found: list[AccountId] = []
        edges = self._edges.get(symbol)
        while edges is not None and (most is None or len(found) < most):
            if edges.lows and -edges.lows[0][0] > price:
                number = heapq.heappop(edges.lows)[1]
            elif edges.highs and edges.highs[0][0] < price:
                number = heapq.heappop(edges.highs)[1]
            else:
                break
            if number in self._owners:
                account_id, _ = self._owners[number]
                found.append(account_id)
                self.drop(account_id)
                edges = self._edges.get(symbol)
        return found

    def _clear(self, edges: _Edges) -> None:
        edges.lows = [edge for edge in edges.lows if edge[1] in self._owners]
        edges.highs = [edge for edge in edges.highs if edge[1] in self._owners]
        heapq.heapify(edges.lows)
        heapq.heapify(edges.highs)
