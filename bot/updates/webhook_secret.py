"""The secret that Telegram sends with each webhook update: random, stored encrypted.
Versions up to 0.4.0 derive it from the bot's token. Beside such a process, which may set the
webhook again, that secret is accepted too: for a day at most.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from engine.clock import Clock, from_millis, to_millis
from engine.errors import DecryptionFailed
from engine.security.vault import Vault
from engine.storage.coordination import key_values, processes
from engine.storage.database import Database

_SEALED_FOR = "webhook"
_DERIVED_FOR = b"ballast webhook"
_DERIVED_FOR_A = timedelta(days=1)
_BYTES = 32


def derived_from(token: str) -> str:
    """Return the secret of versions up to 0.4.0."""
    return hmac.new(token.encode(), _DERIVED_FOR, hashlib.sha256).hexdigest()


@dataclass(frozen=True, eq=False, repr=False)
class WebhookSecret:
    """*since* is when it was created."""

    value: str
    since: datetime
    token: str
    database: Database
    clock: Clock

    @classmethod
    async def load(cls, *, database: Database, vault: Vault, token: str, clock: Clock) -> Self:
        """Return the stored secret, or a new one if none can be read."""
        fresh = f"{to_millis(clock.now())} {secrets.token_hex(_BYTES)}"
        async with database.writing() as session:
            sealed = vault.seal_text(fresh, purpose=_SEALED_FOR)
            kept = await key_values.put_first(session, key_values.WEBHOOK_SECRET, sealed)
            try:
                text = vault.open_text(kept, purpose=_SEALED_FOR)
            except DecryptionFailed:
                await key_values.put(session, key_values.WEBHOOK_SECRET, sealed)
                text = fresh
        since, _, value = text.partition(" ")
        return cls(
            value, since=from_millis(int(since)), token=token, database=database, clock=clock
        )

    async def is_known(self, given: str) -> bool:
        """Return whether it is accepted; may raise what the database raises."""
        said = given.encode(errors="surrogateescape")
        if hmac.compare_digest(said, self.value.encode()):
            return True
        derived = derived_from(self.token).encode()
        return hmac.compare_digest(said, derived) and await self._may_be_derived()

    async def _may_be_derived(self) -> bool:
        if not timedelta() <= self.clock.now() - self.since < _DERIVED_FOR_A:
            return False
        async with self.database.reading() as session:
            return await processes.any_older(session, now=self.database.now())
