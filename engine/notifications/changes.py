"""Tells the other chats that see an account what a user changed of it in one of them."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.alerts.shared_alerts import AccountChanged
from engine.notifications.publish import publish
from engine.storage.accounts import acting, members


async def tell_others(
    session: AsyncSession, before: Account, after: Account, *, user_id: int, now: datetime
) -> None:
    """*user_id* changed *before* to *after*; the chat in which they did has it in its answer."""
    was, now_is = before.settings, after.settings
    is_aim, fixed = was.target != now_is.target, now_is.fixed
    changed = AccountChanged(
        dry_run=now_is.dry_run,
        user_id=user_id,
        trading=None if was.paused is now_is.paused else not now_is.paused,
        target=fixed.target if is_aim and fixed else None,
        aim=now_is.target if is_aim and not fixed else None,
        threshold=None if was.threshold == now_is.threshold else now_is.threshold,
    )
    if changed.tells_nothing:
        return
    share = acting.present_share()
    chat_id = after.chat_id if share is None else share.chat_id
    name = await members.name_in(session, chat_id=chat_id, user_id=user_id)
    if share is not None and share.is_private:
        name = share.name
    await publish(
        session,
        after.chat_id,
        replace(changed, name=name or await members.name_of(session, user_id)),
        key=f"changed:{after.id}:{after.version}",
        now=now,
        but_not=chat_id,
    )
