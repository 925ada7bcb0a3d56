"""Use cases of an account's risk limits: read their usage, and set them."""

from dataclasses import dataclass, replace
from typing import Any

from engine.domain.accounts.account import Account
from engine.domain.accounts.risk_limits import Recent
from engine.storage.accounts import accounts, audit
from engine.storage.service import Service
from engine.storage.trading import limit_usage


@dataclass(frozen=True, slots=True)
class LimitsChange:
    """An account before and after a wish; equal where it changed nothing."""

    before: Account
    after: Account
    recent: Recent


class AccountLimits(Service):
    async def recent(self, account: Account) -> Recent:
        async with self.database.reading() as session:
            return await limit_usage.recent(session, account, now=self.clock.now())

    async def change(self, account: Account, *, user_id: int, **wishes: Any) -> LimitsChange:
        """Set limits by their name; None makes one follow from the target again.

        It holds for the next order that leaves, even if that one is planned already.
        """
        now = self.clock.now()
        async with self.database.writing() as session:
            before = after = await accounts.get(session, account.id)
            wanted = replace(before.limits, **wishes)
            if wanted != before.limits:
                after = await accounts.set_limits(session, before, wanted)
                await audit.add_changes(session, before, after, at=now, user_id=user_id)
            recent = await limit_usage.recent(session, after, now=now)
        return LimitsChange(before, after, recent)
