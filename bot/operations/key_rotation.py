"""`rotate-keys`: encrypts everything with the first key; older ones can then be removed."""

from bot.config.key_file import put_new_key_first
from bot.config.settings import BadSettings, ProcessSettings
from bot.operations.database_access import at_work, must_know, vault_of
from bot.operations.report import folded
from engine.clock import Clock
from engine.maintenance.key_rotation import Rotated, rotate
from engine.security.vault import Vault

_MOST_NAMED = 20


async def rotate_keys(
    settings: ProcessSettings, clock: Clock, *, new_key: bool
) -> tuple[bool, str]:
    """Return whether the older keys are no longer needed, and the operator's report.
    With *new_key* a new one is first put into the key file. Raises BadSettings, CannotStart.
    """
    if new_key and settings.key_file is None:
        raise BadSettings(
            ["--new-key is for a key file; put the new key first in ENCRYPTION_KEYS"]
        )
    async with at_work(settings, clock=clock) as database:
        vault = vault_of(settings)
        await must_know(vault, database)
        if new_key and settings.key_file is not None:
            put_new_key_first(settings.key_file)
            vault = vault_of(settings)
        rotated = await rotate(database, vault)
    return rotated.is_complete, _told(rotated, vault, settings)


def _told(rotated: Rotated, vault: Vault, settings: ProcessSettings) -> str:
    lines = [
        f"{name + ':':<20}{count.resealed:>7} encrypted again, {count.kept:>7} in all"
        for name, count in rotated.counts.items()
    ]
    if rotated.broken:
        lines.append(f"No key opens {rotated.broken} of them. They stay as they are.")
    if accounts := rotated.broken_accounts:
        some = ", ".join(str(account) for account in accounts[:_MOST_NAMED])
        lines.append(f"Send /connect again in the chats of accounts: {some}")
    return folded(*lines, _verdict(rotated, vault, settings))


def _verdict(rotated: Rotated, vault: Vault, settings: ProcessSettings) -> str:
    where = settings.key_file or "ENCRYPTION_KEYS"
    if not rotated.is_complete:
        return (
            "Remove no key yet. A process still encrypts with an older key. Restart every process "
            "with the new key, then run this again."
        )
    if not vault.has_older_keys:
        return f"Everything is encrypted with the one key in {where}."
    return (
        "Everything is encrypted with the first key. When every process runs with it, remove the "
        f"older ones from {where}. Keep them with the backups that they open."
    )
