"""Re-encrypts all secrets under the vault's first key, so that an older key can be removed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.orders.order import AccountId
from engine.errors import DecryptionFailed
from engine.security.vault import Vault
from engine.storage.accounts import accounts
from engine.storage.database import Database
from engine.storage.maintenance import encrypted_columns
from engine.storage.maintenance.encrypted_columns import KEYS, PLACES, EncryptedColumn, Sealed

_BATCH = 200
# A process with only an old key keeps sealing with it: then no number of passes is enough.
_MOST_PASSES = 3


@dataclass(slots=True)
class Count:
    """Secrets of one place: how many were re-encrypted, and how many there are.
    *still* counts those under another key, and the rows that no key opens are listed.
    """

    resealed: int = 0
    kept: int = 0
    still: int = 0
    broken: list[Sealed] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rotated:
    """Result of a rotation by place."""

    counts: dict[str, Count]

    @property
    def is_complete(self) -> bool:
        """Nothing is left that an older key opens and the first one does not."""
        return not any(count.still for count in self.counts.values())

    @property
    def broken(self) -> int:
        return sum(len(count.broken) for count in self.counts.values())

    @property
    def broken_accounts(self) -> Sequence[int]:
        return [secret.identity[0] for secret in self.counts[KEYS.name].broken]


@dataclass(slots=True)
class Keyring:
    """Stored exchange keys: their number, accounts that do not open, those under an older key."""

    keys: int = 0
    older: int = 0
    unreadable: list[AccountId] = field(default_factory=list)


async def look_over(session: AsyncSession, vault: Vault) -> Keyring:
    """Open every stored exchange key as a check would."""
    found = Keyring()
    last = 0
    while batch := await accounts.with_key(session, after=last, most=_BATCH):
        for account in batch:
            found.keys += 1
            token = account.sealed_key or ""
            try:
                vault.open_credentials(token, account_uuid=account.uuid, chat_id=account.chat_id)
            except DecryptionFailed:
                found.unreadable.append(account.id)
            else:
                found.older += vault.under_first_key(token) is not None
        last = batch[-1].id
    return found


async def rotate(database: Database, vault: Vault) -> Rotated:
    """Re-encrypt every secret under the first key, in short transactions, beside live processes.
    Repeats until there was nothing to do, three times at most.

    Safe to interrupt and run again: secrets under the first key are skipped, and one that was
    replaced meanwhile is not overwritten.
    """
    resealed = {place.name: 0 for place in PLACES}
    counts: dict[str, Count] = {}
    for _ in range(_MOST_PASSES):
        counts = {place.name: await _pass(database, vault, place) for place in PLACES}
        for name, count in counts.items():
            resealed[name] += count.resealed
            # What had to be put right was new since the last pass, and there may be more of it.
            count.still += count.resealed
            count.resealed = resealed[name]
        if not any(count.still for count in counts.values()):
            break
    return Rotated(counts)


async def _pass(database: Database, vault: Vault, place: EncryptedColumn) -> Count:
    count = Count()
    last: Sealed | None = None
    while True:
        async with database.reading() as session:
            batch = await encrypted_columns.after(session, place, last, most=_BATCH)
        if not batch:
            return count
        changes = list(_changes(vault, batch, count))
        if changes:
            async with database.writing() as session:
                for secret, token in changes:
                    if await encrypted_columns.replace(session, place, secret, token):
                        count.resealed += 1
                    else:  # replaced meanwhile: the next pass reads it
                        count.still += 1
        count.kept += len(batch)
        last = batch[-1]


def _changes(vault: Vault, batch: Sequence[Sealed], count: Count) -> Sequence[tuple[Sealed, str]]:
    """Returns the secrets to replace, with their new values."""
    changes = []
    for secret in batch:
        try:
            token = vault.under_first_key(secret.token)
        except DecryptionFailed:
            count.broken.append(secret)
        else:
            if token is not None:
                changes.append((secret, token))
    return changes
