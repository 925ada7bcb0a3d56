"""What happens to the fake MEXC's accounts, one change after the other, for whoever listens."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.fakes.mexc_books import Account, Moved


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """*order* is a copy, as it was at that moment; *dealt* is what its last fill added."""

    account: Account
    order: Any
    dealt: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Dealt:
    """The fill *number* of an order."""

    account: Account
    order: Any
    number: int


Entry = Moved | OrderChanged | Dealt


class Journal:
    """*listeners* get the entries of each operation together. REST shows a change of a balance only
    *rest_behind* later.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._open = 0
        self._entries: list[Entry] = []
        self.listeners: list[Callable[[list[Entry]], None]] = []
        self.rest_behind = timedelta()

    @contextmanager
    def operation(self) -> Generator[None]:
        """What is noted meanwhile belongs together."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
            self._tell()

    def moved(self, moved: Moved) -> None:
        if self.rest_behind:
            moved.account.unseen.append((self._now() + self.rest_behind, moved))
        self._note(moved)

    def order(self, account: Account, order: Any, dealt: Decimal | None = None) -> None:
        if self.listeners:
            self._note(OrderChanged(account, copy(order), dealt))

    def dealt(self, account: Account, order: Any) -> None:
        if self.listeners:
            shown = copy(order)
            shown.fills = list(order.fills)
            self._note(Dealt(account, shown, len(order.fills) - 1))

    def _note(self, entry: Entry) -> None:
        if self.listeners:
            self._entries.append(entry)
            self._tell()

    def _tell(self) -> None:
        if self._open or not self._entries:
            return
        entries, self._entries = self._entries, []
        for listener in self.listeners:
            listener(entries)
