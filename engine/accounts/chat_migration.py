"""Groups that become supergroups: Telegram gives them a new id, and everything goes along."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.security.vault import Vault
from engine.storage.accounts import accounts, audit, invitations, members, share_links, shares
from engine.storage.chat import status_messages, undeliverable
from engine.storage.coordination import key_values
from engine.storage.service import Service

_MOVED = "moved:{}"


async def moved_to(session: AsyncSession, chat_id: int) -> int | None:
    """The id a group has by now; None for one that never moved."""
    new = await key_values.get(session, _MOVED.format(chat_id))
    return None if new is None else int(new)


@dataclass(eq=False, kw_only=True, repr=False)
class ChatMigration(Service):
    vault: Vault

    async def migrate(self, old: int, new: int) -> None:
        """Move the data of a group that became a supergroup. Idempotent.
        The key is bound to its chat, so it is sealed again.
        """
        async with self.database.writing() as session:
            if await accounts.of_chat(session, new) is not None:
                return
            if (account := await accounts.of_chat(session, old)) is not None:
                await accounts.move(
                    session, account, chat_id=new, sealed_key=self._sealed_for(account, new)
                )
            for what in (members, invitations, share_links, shares, audit, undeliverable):
                await what.move(session, old=old, new=new)
            await key_values.put(session, _MOVED.format(old), str(new))
            await status_messages.move(session, old=old, new=new, now=self.clock.now())

    def _sealed_for(self, account: Account, chat_id: int) -> str | None:
        if account.sealed_key is None:
            return None
        key = self.vault.open_credentials(
            account.sealed_key, account_uuid=account.uuid, chat_id=account.chat_id
        )
        return self.vault.seal_credentials(
            api_key=key.api_key,
            api_secret=key.api_secret,
            account_uuid=account.uuid,
            chat_id=chat_id,
        )
