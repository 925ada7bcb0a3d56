"""What a `/pause` or `/halt` finds unhandled, and cancels: it must not start trading afterwards."""

import json
import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.interaction.confirmations import GO_LIVE, LIFT, REBALANCE, UNDO
from bot.interaction.update_kind import started_by, update_kind_of
from bot.updates.inbox import Sealer, purpose
from bot.views.cancelled_updates import TAP
from engine.clock import Clock
from engine.domain.accounts.confirmation import RESUME
from engine.domain.accounts.settings import TradingMode
from engine.domain.rebalancing.approval import OFFER
from engine.domain.rebalancing.manual_trade import MANUAL
from engine.domain.rebalancing.pending_change import PendingChange
from engine.domain.rebalancing.slices.plan import SLICED
from engine.rebalancing.deposits import WAITING
from engine.storage.accounts import accounts
from engine.storage.chat import confirmations
from engine.storage.models.queues import InboxRow
from engine.storage.queues import claims, inbox
from engine.storage.serialization import from_json

# Buttons that start trading, or let it move real money, by the kind of their question.
_STARTING = {
    **dict.fromkeys((REBALANCE, OFFER, GO_LIVE, LIFT, WAITING), frozenset({0})),
    **dict.fromkeys((RESUME, MANUAL, SLICED), frozenset({0, 1})),
}

logger = logging.getLogger(__name__)


class UpdateCancellation:
    """Cancels in the transaction of what stops trading, so nothing comes in between."""

    def __init__(self, *, sealer: Sealer, clock: Clock) -> None:
        self._sealer = sealer
        self._clock = clock

    def begin(self, chat_id: int, *, everywhere: bool = False) -> "CancelledUpdates":
        """For what *chat_id* sends, against what was sent before in the chats that see the same
        account; *everywhere*: in any known chat.
        """
        return CancelledUpdates(
            sealer=self._sealer, clock=self._clock, chat_id=chat_id, everywhere=everywhere
        )


class CancelledUpdates:
    """Call it first in the transaction; then *names* are the commands it cancelled, oldest first,
    each without its slash, or TAP.
    """

    def __init__(self, *, sealer: Sealer, clock: Clock, chat_id: int, everywhere: bool) -> None:
        self._sealer = sealer
        self._clock = clock
        self._chat_id = chat_id
        self._everywhere = everywhere
        self.names: Sequence[str] = ()

    async def __call__(self, session: AsyncSession) -> None:
        if (held := claims.present()) is None:
            return
        older = await inbox.older(
            session,
            than=held.row_id,
            chats=await accounts.chats_with(session, self._chat_id),
            everywhere=self._everywhere,
        )
        found = {
            row.id: name for row in older if (name := await self._starts(session, row)) is not None
        }
        if not found:
            return
        cancelled = await inbox.cancel(session, found, now=self._clock.now())
        self.names = [name for row_id, name in found.items() if row_id in cancelled]
        logger.warning("overtaken updates cancelled", extra={"count": len(cancelled)})

    async def _starts(self, session: AsyncSession, row: InboxRow) -> str | None:
        kind = update_kind_of(self._opened(row))
        if not kind.question_id:
            return started_by(kind)
        question = await confirmations.get(session, kind.question_id)
        if question is None or question.chat_id != row.chat_id:
            return None
        if question.kind == UNDO:
            return TAP if _goes_live(question.payload) else None
        return TAP if kind.option in _STARTING.get(question.kind, ()) else None

    def _opened(self, row: InboxRow) -> dict[str, Any]:
        try:
            text = self._sealer.open_text(row.payload, purpose=purpose(row.bot_id, row.update_id))
            raw = json.loads(text)
        except Exception:
            # Whatever is wrong with it must not keep the pause from taking effect.
            logger.exception("update unreadable", extra={"row": row.id})
            return {}
        return raw if isinstance(raw, dict) else {}


def _goes_live(payload: str) -> bool:
    """What cannot be read might."""
    try:
        wanted = from_json(payload, PendingChange).wanted
    except ValueError:
        return True
    return wanted.dry_run is False or wanted.autonomy is TradingMode.AUTO
