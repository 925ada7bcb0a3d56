"""Reads each key's expiry from MEXC once a day, and sends reminders in time."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.accounts import key_sharing
from engine.domain.accounts.account import Account
from engine.domain.accounts.key_expiry import days_left, expiry, reminder_due, still_told
from engine.domain.alerts.key_alerts import KeyEnding, KeyTooPowerful
from engine.errors import DecryptionFailed, NoKey, Rejected, TooPowerful, Unavailable
from engine.exchanges.interface import KeyInspector, KeyPermissions, within
from engine.notifications.publish import publish
from engine.security.credentials import Credentials
from engine.security.vault import Vault
from engine.storage.accounts import exchange_accounts, key_expiry
from engine.storage.coordination import key_values
from engine.storage.service import Service

EVERY = timedelta(days=1)
_AGAIN_WITHIN = timedelta(hours=1)
# A round is made every few seconds; after a long sleep thousands may be due at once.
_MOST = 2
_PATIENCE_S = 5
_POWERS = "key_powers:{}"

logger = logging.getLogger(__name__)


def asked_again_at(now: datetime) -> datetime:
    """Returns the moment that counts as the last reading of a key still to be read."""
    return now - EVERY + _AGAIN_WITHIN


@dataclass(eq=False, kw_only=True, repr=False)
class KeyExpiryMonitor(Service):
    vault: Vault
    key_check: KeyInspector

    async def powers(self, account: Account) -> KeyPermissions | None:
        """Read what the account's key may do; None where MEXC does not say.

        Raises NoKey, DecryptionFailed, Rejected for a key that is refused or unfit, Unavailable.
        """
        key = self._key(account)
        async with within(_PATIENCE_S):
            return await self.key_check.powers(api_key=key.api_key, api_secret=key.api_secret)

    async def round(self) -> None:
        """Check a few keys that are due.
        Each is due at the hour it was connected, which spreads the requests.
        """
        now = self.clock.now()
        async with self.database.reading() as session:
            if not await key_expiry.any_due(session, asked_before=now - EVERY):
                return
        async with self.database.writing() as session:
            # Should we die before the answer, the key is asked about again within the hour.
            claimed = await key_expiry.claim(
                session,
                asked_before=now - EVERY,
                counts_as=asked_again_at(now),
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
        except TooPowerful as e:
            asked = False  # again within the hour, until it is put right
            await self._stop_powerful(account, e.message)
        except (Rejected, DecryptionFailed) as e:
            # The checks report a refused key first; /doctor does too.
            logger.warning("key inspection failed", extra={"account": account.id, "error": str(e)})
        else:
            if powers is not None:  # where MEXC stopped showing it, the known expiry remains
                expires_at = expiry(powers.days_left, now=self.clock.now())
            await self._find_account(account)
        await self._keep(account, expires_at=expires_at, asked=asked)

    async def _stop_powerful(self, account: Account, powers: str) -> None:
        """Pause trading and alert the chat, as for a refused key."""
        logger.warning("key too powerful", extra={"account": account.id, "powers": powers})
        async with self.database.writing() as session:
            key_print = await exchange_accounts.key_print(session, account)
            if key_print is None:
                return  # another key by now
            before, stopped = await key_sharing.pause(session, account.id)
            told = await key_values.get(session, _POWERS.format(key_print))
            if told == powers and not stopped:
                return  # alerted already, and nothing trades
            await key_values.put(session, _POWERS.format(key_print), powers)
            alert = KeyTooPowerful(
                dry_run=before.settings.dry_run,
                key_tail=before.key_tail or "",
                powers=powers,
            )
            key = f"powers:{account.id}:{before.version}:{self.clock.now():%Y-%m-%dT%H}"
            await publish(session, before.chat_id, alert, key=key, now=self.clock.now())

    async def _find_account(self, account: Account) -> None:
        """Read the key's exchange account once; the chat that connected it second is paused."""
        async with self.database.reading() as session:
            if await exchange_accounts.print_of(session, account) is not None:
                return
        key = self._key(account)
        number = await self.key_check.account_number(
            api_key=key.api_key, api_secret=key.api_secret
        )
        if number is None:
            return
        async with self.database.writing() as session:
            await key_sharing.found(session, account, number=number, now=self.clock.now())

    def _key(self, account: Account) -> Credentials:
        if account.sealed_key is None:
            raise NoKey("no key is connected")
        return self.vault.open_credentials(
            account.sealed_key, account_uuid=account.uuid, chat_id=account.chat_id
        )

    async def _keep(self, account: Account, *, expires_at: datetime | None, asked: bool) -> None:
        """Store the expiry and queue the reminder due, in one transaction."""
        now = self.clock.now()
        async with self.database.writing() as session:
            told = await key_expiry.told(session, account)
            due = None
            if expires_at is not None:
                days = days_left(expires_at, now=now)
                told = still_told(days, told=told)
                due = reminder_due(days, told=told)
            if not await key_expiry.learn(
                session,
                account,
                expires_at=expires_at,
                told=due or told,
                asked_at=now if asked else None,
            ):
                return  # replaced: the new key was inspected when connected
            if due is not None and expires_at is not None:
                alert = KeyEnding(
                    dry_run=account.settings.dry_run,
                    key_tail=account.key_tail or "",
                    days_left=days_left(expires_at, now=now),
                    expires_at=expires_at,
                )
                key = f"key:{account.id}:{expires_at:%Y-%m-%d}:{due}"
                await publish(session, account.chat_id, alert, key=key, now=now)
