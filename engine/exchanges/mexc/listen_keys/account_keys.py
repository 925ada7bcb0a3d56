"""The listen keys of this program's accounts: made, stored sealed, extended, deleted.

An account has one at most, and only those that were made here are ever deleted: others of the same
person belong to other programs. A process that goes leaves its keys to the next one.
"""

import asyncio
import hashlib
import logging
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime, timedelta

from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.orders.order import AccountId
from engine.domain.streams.key_times import USABLE_FOR, VALID_FOR
from engine.domain.streams.trust import Doubt
from engine.errors import (
    AccountRestricted,
    AddressRefused,
    BadCredentials,
    DecryptionFailed,
    EngineError,
    HostRefused,
    MissingPermission,
    RateLimited,
    Rejected,
    Unavailable,
)
from engine.exchanges.interface import within
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.error_codes import UNKNOWN_LISTEN_KEY
from engine.exchanges.mexc.listen_keys.keeper import KeptKey, KeyGone, KeyKeeper
from engine.exchanges.mexc.listen_keys.requests import ListenKeyRequests
from engine.security.credentials import Credentials
from engine.security.vault import Vault
from engine.storage import availability
from engine.storage.coordination import listen_keys
from engine.storage.coordination.listen_keys import StoredListenKey
from engine.storage.database import Database

logger = logging.getLogger(__name__)

# Nobody may have a key before something about the API key or the account changes.
_FOR_GOOD = (BadCredentials, AddressRefused, MissingPermission, AccountRestricted)
# An account may have 60 keys, each lasts an hour, and one that is asked for without an answer may
# have been made: a loop of ours must not use them up.
_ASKED_AGAIN_AFTER, _MOST_ASKED = timedelta(minutes=10), 3
# A user may wait for it.
_DELETED_WITHIN_S = 3
_FAILURES = (EngineError, *availability.AWAY)


class ListenKeys:
    """*on_doubt* is told whose stream is about to end, or has ended, with its key."""

    def __init__(
        self, *, client: MexcClient, database: Database, vault: Vault, clock: Clock
    ) -> None:
        self._requests = ListenKeyRequests(client)
        self._database = database
        self._vault = vault
        self._clock = clock
        self._keeper = KeyKeeper(clock, extend=self._extend, on_doubt=self._doubt)
        self._turns: defaultdict[AccountId, asyncio.Lock] = defaultdict(asyncio.Lock)
        # By the API key.
        self._asked: defaultdict[str, deque[datetime]] = defaultdict(
            lambda: deque(maxlen=_MOST_ASKED)
        )
        self._refused_until: dict[str, datetime] = {}
        self.on_doubt: Callable[[AccountId, Doubt], None] = lambda _account_id, _why: None

    async def key_for(self, account: Account, *, renew: bool) -> str:
        """Returns the account's key, which is extended from now on: the one in use, the one that an
        earlier process left, or a new one. With *renew* it is a new one.

        Raises Rejected where the API key may not have one, or Unavailable.
        """
        credentials = self._credentials(account)
        async with self._turns[account.id]:
            in_use = self._keeper.of(account.id)
            if in_use is not None and not renew and self._fits(in_use, credentials):
                return in_use.value
            try:
                return await self._stored_or_new(account, credentials, renew=renew)
            except availability.AWAY as e:
                raise Unavailable("the database is away") from e

    def release(self, account_id: AccountId) -> None:
        """Extend the account's key no more: another process does, or nobody."""
        self._keeper.forget(account_id)

    async def revoke(self, account: Account) -> None:
        """*account* was used with an API key that is given up: end at the exchange what was made with
        it. Returns within seconds and never raises; what is left ends by itself within the hour.
        """
        try:
            async with within(_DELETED_WITHIN_S):
                await self._revoke(account)
        except _FAILURES as e:
            about = {"account": account.id, "problem": type(e).__name__}
            logger.warning("listen key not deleted", extra=about)

    def oldest_age(self) -> timedelta:
        """Returns the age of the key in use that was not extended for longest."""
        return self._keeper.oldest_age()

    async def run(self) -> None:
        """Extend the keys in use, until cancelled."""
        await self._keeper.run()

    async def _stored_or_new(
        self, account: Account, credentials: Credentials, *, renew: bool
    ) -> str:
        async with self._database.reading() as session:
            stored = await listen_keys.get(session, account.id)
        value = None if stored is None else self._opened(stored, account, credentials)
        if stored is not None and value is not None:
            age = self._clock.now() - stored.extended_at
            if not renew and timedelta() <= age < USABLE_FOR:
                self._keep(account, stored, value, age=age)
                return value
            if age >= VALID_FOR:
                value = None
        return await self._new(account, credentials, stored, replaced=value)

    async def _new(
        self,
        account: Account,
        credentials: Credentials,
        stored: StoredListenKey | None,
        *,
        replaced: str | None,
    ) -> str:
        value = await self._made(account, credentials)
        if replaced is not None:
            self._requests.note("POST", "the key" if value == replaced else "another key")
        now = self._clock.now()
        key = StoredListenKey(
            sealed=self._vault.seal_text(value, purpose=_purpose(account)),
            key_print=_print_of(credentials),
            created_at=now,
            extended_at=now,
        )
        try:
            async with self._database.writing() as session:
                present = await listen_keys.put(session, account, key, instead_of=stored)
        except availability.AWAY:
            await self._delete(account, value, credentials)
            raise
        kept = None if present is None else self._opened(present, account, credentials)
        for unused in {value, replaced or value} - {kept}:
            await self._delete(account, unused, credentials)
        if present is None or kept is None:
            raise Unavailable("the account was changed while its stream was opened")
        self._keep(account, present, kept, age=now - present.extended_at)
        return kept

    async def _made(self, account: Account, credentials: Credentials) -> str:
        now, key_print = self._clock.steady(), _print_of(credentials)
        asked = self._asked[key_print]
        if now < self._refused_until.get(key_print, now):
            raise Unavailable("the exchange refused a listen key a moment ago")
        if len(asked) == _MOST_ASKED and now - asked[0] < _ASKED_AGAIN_AFTER:
            raise Unavailable("too many listen keys were asked for")
        asked.append(now)
        try:
            return await self._requests.make(credentials)
        except _FOR_GOOD:
            raise
        except (RateLimited, HostRefused):
            asked.remove(now)  # nothing was made
            raise
        except Rejected as e:
            self._refused_until[key_print] = now + _ASKED_AGAIN_AFTER
            about = {"account": account.id, "code": e.code}
            logger.warning(
                "listen key refused", extra=about | {"valid": await self._count(credentials)}
            )
            raise Unavailable("the exchange refuses a listen key") from e

    async def _count(self, credentials: Credentials) -> int | None:
        """For the log: how many keys the account has. Which they are is not our business."""
        try:
            async with within(_DELETED_WITHIN_S):
                return await self._requests.count(credentials)
        except EngineError:
            return None

    async def _extend(self, key: KeptKey, urgently: bool) -> None:
        credentials = self._credentials(key.account)
        try:
            await self._requests.extend(key.value, credentials, urgently=urgently)
        except Rejected as e:
            if e.code != UNKNOWN_LISTEN_KEY:
                raise
            await self._drop(key)
            raise KeyGone from e
        try:
            async with self._database.writing() as session:
                is_ours = await listen_keys.extended(
                    session, key.account.id, created_at=key.created_at, at=self._clock.now()
                )
        except availability.AWAY as e:
            # It is valid all the same; a process that starts within the hour makes another one.
            logger.warning("listen key not noted", extra={"problem": type(e).__name__})
            return
        if not is_ours:
            raise KeyGone

    async def _drop(self, key: KeptKey) -> None:
        try:
            async with self._database.writing() as session:
                await listen_keys.forget(session, key.account.id, created_at=key.created_at)
        except availability.AWAY as e:
            logger.warning("listen key not forgotten", extra={"problem": type(e).__name__})

    async def _revoke(self, account: Account) -> None:
        if account.sealed_key is None:
            return
        async with self._database.reading() as session:
            stored = await listen_keys.get(session, account.id)
        credentials = self._credentials(account)
        value = None if stored is None else self._opened(stored, account, credentials)
        if stored is None or value is None:
            return
        in_use = self._keeper.of(account.id)
        if in_use is not None and in_use.value == value:
            self._keeper.forget(account.id)
        async with self._database.writing() as session:
            await listen_keys.forget(session, account.id, created_at=stored.created_at)
        await self._requests.delete(value, credentials)

    async def _delete(self, account: Account, value: str, credentials: Credentials) -> None:
        try:
            async with within(_DELETED_WITHIN_S):
                await self._requests.delete(value, credentials)
        except EngineError as e:
            about = {"account": account.id, "problem": type(e).__name__}
            logger.info("listen key not deleted", extra=about)

    def _keep(self, account: Account, key: StoredListenKey, value: str, *, age: timedelta) -> None:
        self._keeper.keep(
            KeptKey(
                account=account,
                value=value,
                key_print=key.key_print,
                created_at=key.created_at,
                extended_at=self._clock.steady() - age,
                kept_at=self._clock.steady(),
            )
        )

    def _fits(self, key: KeptKey, credentials: Credentials) -> bool:
        age = self._clock.steady() - key.extended_at
        return key.key_print == _print_of(credentials) and age < USABLE_FOR

    def _opened(
        self, stored: StoredListenKey, account: Account, credentials: Credentials
    ) -> str | None:
        """Returns the key; None where another API key made it, or it cannot be read."""
        if stored.key_print != _print_of(credentials):
            return None
        try:
            return self._vault.open_text(stored.sealed, purpose=_purpose(account))
        except DecryptionFailed:
            logger.warning("listen key unreadable", extra={"account": account.id})
            return None

    def _credentials(self, account: Account) -> Credentials:
        try:
            return self._vault.open_credentials(
                account.sealed_key or "", account_uuid=account.uuid, chat_id=account.chat_id
            )
        except DecryptionFailed as e:
            raise BadCredentials(code=0, message="the stored key cannot be read") from e

    def _doubt(self, account_id: AccountId, why: Doubt) -> None:
        self.on_doubt(account_id, why)


def _purpose(account: Account) -> str:
    return f"listen key of {account.uuid}"


def _print_of(credentials: Credentials) -> str:
    return hashlib.sha256(credentials.api_key.encode()).hexdigest()
