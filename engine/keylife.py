"""Looks after keys: MEXC is asked once a day how long each lives, and its person hears in time."""

import asyncio
import logging
from datetime import datetime, timedelta

from engine.clock import Clock
from engine.domain.accounts import Account
from engine.domain.alerts import KeyEnding
from engine.domain.keylife import days_left, expiry, reminder_due, still_told
from engine.errors import NoKey, Rejected, SealBroken, Unavailable
from engine.exchange.port import KeyCheck, KeyPowers
from engine.storage import keylife, outbox
from engine.storage.database import Database
from engine.vault import Vault

EVERY = timedelta(days=1)
_AGAIN_WITHIN = timedelta(hours=1)
# A round is made every few seconds; after a long sleep thousands may be due at once.
_MOST = 2
_PATIENCE_S = 5

logger = logging.getLogger(__name__)


class KeyLife:
    def __init__(
        self, *, database: Database, clock: Clock, vault: Vault, key_check: KeyCheck
    ) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault
        self._key_check = key_check

    async def powers(self, account: Account) -> KeyPowers | None:
        """What MEXC says of the account's key now; None where it does not say.

        Raises NoKey, SealBroken, Rejected for a key that is refused or unfit, Unavailable.
        """
        if account.sealed_key is None:
            raise NoKey("no key is connected")
        key = self._vault.open_credentials(
            account.sealed_key, account_uuid=account.uuid, chat_id=account.chat_id
        )
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._key_check.powers(api_key=key.api_key, api_secret=key.api_secret)
        except TimeoutError as e:
            raise Unavailable("the exchange takes too long") from e

    async def round(self) -> None:
        """Ask about a few keys whose day has come. Each was asked about at an hour of its own when
        it was connected, so the day's questions are spread as the people came.
        """
        now = self._clock.now()
        async with self._database.reading() as session:
            if not await keylife.any_due(session, asked_before=now - EVERY):
                return
        async with self._database.writing() as session:
            # Should we die before the answer, the key is asked about again within the hour.
            claimed = await keylife.claim(
                session,
                asked_before=now - EVERY,
                counts_as=now - EVERY + _AGAIN_WITHIN,
                most=_MOST,
            )
        for account in claimed:
            await self._look_at(account)

    async def _look_at(self, account: Account) -> None:
        expires_at, asked = account.key_expires_at, True
        try:
            powers = await self.powers(account)
        except Unavailable:
            asked = False
        except (Rejected, SealBroken) as e:
            # A refused key is told of by the checks, which find it first; /doctor tells as well.
            logger.warning("key not as it was", extra={"account": account.id, "error": str(e)})
        else:
            if powers is not None:  # what MEXC does not tell any more was true all the same
                expires_at = expiry(powers.days_left, now=self._clock.now())
        await self._keep(account, expires_at=expires_at, asked=asked)

    async def _keep(self, account: Account, *, expires_at: datetime | None, asked: bool) -> None:
        """What is known, and the reminder that follows from it, in one step."""
        now = self._clock.now()
        async with self._database.writing() as session:
            told = await keylife.told(session, account)
            due = None
            if expires_at is not None:
                days = days_left(expires_at, now=now)
                told = still_told(days, told=told)
                due = reminder_due(days, told=told)
            if not await keylife.learn(
                session,
                account,
                expires_at=expires_at,
                told=due or told,
                asked_at=now if asked else None,
            ):
                return  # another key by now, which was looked at when it came
            if due is not None and expires_at is not None:
                alert = KeyEnding(
                    dry_run=account.settings.dry_run,
                    key_tail=account.key_tail or "",
                    days_left=days_left(expires_at, now=now),
                    expires_at=expires_at,
                )
                await outbox.add_alert(
                    session,
                    chat_id=account.chat_id,
                    alert=alert,
                    dedupe_key=f"key:{account.id}:{expires_at:%Y-%m-%d}:{due}",
                    now=now,
                )
