"""The listen keys of the fake MEXC: who has one may open that account's stream.

    mexc.listen_keys.valid_for = timedelta(minutes=2)   # by the fake's clock
    mexc.listen_keys.of(API_KEY)            # the valid keys of an account
    mexc.listen_keys.made, .put_ages        # what was asked for so far

What MEXC leaves open is a setting: `same_again` (a second POST gives the first key), `answers_put`
(what PUT and DELETE answer), `when_full` (how the 61st key is refused), `plain_list`.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import crc32

from tests.fakes.mexc_books import Account, Refused, missing

Query = Mapping[str, str]
MOST_KEYS = 60


@dataclass(slots=True)
class ListenKey:
    """*value* is valid until *until*; *connections* are open with it."""

    value: str = field(repr=False)
    account: Account
    made_at: datetime
    extended_at: datetime
    until: datetime
    connections: int = 0


def uid_of(account: Account) -> str:
    return str(account.uid or 100_000_000 + crc32(account.api_key.encode()))


class ListenKeys:
    """*on_end* is called with each key that was ended before its time. *put_ages* is how long ago each key that was
    extended had been made or extended before.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._keys: dict[str, ListenKey] = {}
        self.valid_for = timedelta(minutes=60)
        self.same_again = False
        self.plain_list = False
        self.answers_put: Callable[[str], object] = lambda key: {"listenKey": key}
        self.when_full = Refused(400, "the number of listen keys exceeds the limit")
        self.on_end: list[Callable[[str], None]] = []
        self.made = 0
        self.deleted = 0
        self.put_ages: list[timedelta] = []

    def find(self, value: str) -> ListenKey | None:
        """The key, where it is valid now."""
        key = self._keys.get(value)
        return key if key is not None and self._now() < key.until else None

    def left(self) -> list[ListenKey]:
        """All that are valid now."""
        return [key for key in self._keys.values() if self._now() < key.until]

    def of(self, api_key: str) -> list[str]:
        return [key.value for key in self.left() if key.account.api_key == api_key]

    def expire(self, value: str) -> None:
        """Its hour is over."""
        self._keys[value].until = self._now()
        self._tell(value)

    def make(self, account: Account, _: Query) -> Mapping[str, str]:
        uid, now = uid_of(account), self._now()
        present = [key for key in self.left() if uid_of(key.account) == uid]
        if self.same_again and present:
            present[0].until = now + self.valid_for
            return {"listenKey": present[0].value}
        if len(present) >= MOST_KEYS:
            raise self.when_full
        value = secrets.token_hex(32)
        self._keys[value] = ListenKey(value, account, now, now, now + self.valid_for)
        self.made += 1
        return {"listenKey": value}

    def extend(self, account: Account, query: Query) -> object:
        key, now = self._mine(account, query), self._now()
        self.put_ages.append(now - key.extended_at)
        key.extended_at, key.until = now, now + self.valid_for
        return self.answers_put(key.value)

    def list(self, account: Account, _: Query) -> object:
        uid = uid_of(account)
        values = [key.value for key in self.left() if uid_of(key.account) == uid]
        counts = {"total": len(values), "available": MOST_KEYS - len(values)}
        return {"listenKey": values} | ({} if self.plain_list else counts)

    def delete(self, account: Account, query: Query) -> object:
        key = self._mine(account, query)
        del self._keys[key.value]
        self.deleted += 1
        self._tell(key.value)
        return self.answers_put(key.value)

    def _tell(self, value: str) -> None:
        for tell in self.on_end:
            tell(value)

    def _mine(self, account: Account, query: Query) -> ListenKey:
        """The valid key of the account's that *query* names."""
        value = query.get("listenKey")
        if not value:
            raise missing("listenKey")
        key = self.find(value)
        if key is None or uid_of(key.account) != uid_of(account):
            raise Refused("730708", "listen key information error")
        return key
