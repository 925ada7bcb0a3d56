"""Who decided what about money: written with the deed, in its transaction, and never changed."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.storage.chat_models import AuditRow


async def add(
    session: AsyncSession,
    *,
    at: datetime,
    chat_id: int,
    user_id: int,
    action: str,
    subject: str,
    detail: str,
) -> None:
    """One line of the trail, without secrets."""
    session.add(
        AuditRow(
            at=at,
            chat_id=chat_id,
            user_id=user_id,
            action=action,
            subject=subject,
            detail=detail,
        )
    )
