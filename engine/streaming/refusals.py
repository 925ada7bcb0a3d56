"""Whose key the exchange gives no stream, and when it is asked again."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.domain.accounts.account import Account
from engine.domain.orders.order import AccountId
from engine.errors import Rejected
from engine.streaming.connections import Member

logger = logging.getLogger(__name__)

# Whoever lacked a right may have it by then, by the same key.
ASKED_AGAIN_IN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Refusal:
    member: Member
    why: Rejected
    again_at: datetime


class Refusals:
    def __init__(self) -> None:
        self._of: dict[AccountId, _Refusal] = {}

    def keep_out(self, account: Account, now: datetime) -> bool:
        """True if it is not to be asked for *account* yet. Another key is asked for at once."""
        refusal = self._of.get(account.id)
        if refusal is not None and not refusal.member.means(account):
            del self._of[account.id]
            return False
        return refusal is not None and now < refusal.again_at

    def add(self, member: Member, why: Rejected, now: datetime) -> None:
        account = member.account
        self._of[account.id] = _Refusal(member, why, now + ASKED_AGAIN_IN)
        logger.warning("stream refused", extra={"account": account.id, "code": why.code})

    def end(self, account_id: AccountId) -> None:
        """The account has a stream."""
        self._of.pop(account_id, None)

    def why(self, account_id: AccountId) -> Rejected | None:
        refusal = self._of.get(account_id)
        return None if refusal is None else refusal.why
