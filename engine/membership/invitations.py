"""One-time invitation codes: made by an owner, valid for a day, used once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import Clock
from engine.domain.accounts.audit import NOTHING
from engine.domain.accounts.members import SHARED_IDS, ChatMembers, Invitation, Role
from engine.domain.alerts.alerts import MemberJoined
from engine.notifications.publish import publish
from engine.security.one_time_codes import hash_of, new_code
from engine.storage.accounts import audit, invitations, members, share_links
from engine.storage.database import Database

LIFETIME = timedelta(hours=24)
# Wrong codes that a user may send: invitations' and the pairing code together.
TRIES = 5
TRIES_WITHIN = timedelta(days=1)


class Admitted(Enum):
    """Result of sending a code."""

    ADMITTED = "admitted"
    ALREADY = "already"  # in with this role or a higher one; the code is not used up
    USED = "used"
    EXPIRED = "expired"
    WRONG = "wrong"
    NO_TRIES_LEFT = "unheard"  # no code is open, or this user has guessed too often


@dataclass(frozen=True, slots=True)
class Admission:
    """Result of a code; *invitation* is its own, if the code is known."""

    admitted: Admitted
    invitation: Invitation | None = None
    tries_left: int = 0


class Invitations:
    """Invitations; *standing* returns the role that the program's settings give in a chat."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        standing: Callable[[int, int], Awaitable[Role | None]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._standing = standing

    async def invite(self, circle: ChatMembers, *, user_id: int, role: Role) -> str | None:
        """A new code; None where *user_id* may not invite, perhaps not any more.

        A private chat's code makes its bearer the owner of their own, whatever *role* says.
        """
        now = self._clock.now()
        code = new_code()
        invitation = Invitation(
            chat_id=circle.chat_id,
            role=Role.OWNER if circle.is_private else role,
            invited_by=user_id,
            expires_at=now + LIFETIME,
        )
        async with self._database.writing() as session:
            there = [] if circle.is_private else await members.of_chat(session, circle.chat_id)
            if not circle.may_change(user_id, circle.with_standing(there)):
                return None
            await invitations.add(session, invitation, code_hash=hash_of(code), now=now)
            subject = "a private chat" if circle.is_private else role.value
            detail = f"{NOTHING} -> a code for 24 h"
            await audit.record(
                session, circle.chat_id, user_id, "invite", detail, subject=subject, at=now
            )
        return code

    async def void(self, code: str) -> None:
        """Revoke a code that was not delivered."""
        now = self._clock.now()
        async with self._database.writing() as session:
            await invitations.void(session, code_hash=hash_of(code), now=now)

    async def accept(self, code: str, *, sent_in: int, user_id: int, name: str) -> Admission:
        """Admit the user who sent a valid code. Wrong codes are limited to a few a day.

        The inviting chat is alerted, unless the code was *sent_in* it.

        The same message again, after a crash, is ALREADY.
        """
        now = self._clock.now()
        async with self._database.reading() as session:
            known = await invitations.find(session, hash_of(code))
        standing = None
        if known is not None:
            standing = await self._standing(known[0].admits_to(user_id), user_id)
        async with self._database.writing() as session:
            guessed = await invitations.guesses(session, user_id=user_id, since=now - TRIES_WITHIN)
            if guessed >= TRIES or user_id in SHARED_IDS:
                return Admission(Admitted.NO_TRIES_LEFT)
            found = await invitations.find(session, hash_of(code))
            if found is None:
                await invitations.guessed(session, user_id=user_id, count=guessed + 1, now=now)
                is_open = await invitations.is_any_open(
                    session, now=now
                ) or await share_links.is_any_open(session, now=now)
                how = Admitted.WRONG if is_open else Admitted.NO_TRIES_LEFT
                return Admission(how, tries_left=TRIES - guessed - 1)
            invitation, used_by = found
            if standing is not None and standing.covers(invitation.role):
                return Admission(Admitted.ALREADY, invitation)
            admission = await self._let_in(session, code, invitation, used_by, user_id, name)
            if admission.admitted is Admitted.ADMITTED and invitation.chat_id != sent_in:
                role = None if invitation.is_private else invitation.role
                alert = MemberJoined(user_id=user_id, name=name, role=role)
                key = f"join:{hash_of(code)}"
                await publish(session, invitation.chat_id, alert, key=key, now=now)
            return admission

    async def _let_in(
        self,
        session: AsyncSession,
        code: str,
        invitation: Invitation,
        used_by: int | None,
        user_id: int,
        name: str,
    ) -> Admission:
        now = self._clock.now()
        chat_id = invitation.admits_to(user_id)
        member = await members.find(session, chat_id=chat_id, user_id=user_id)
        if member is not None and (used_by == user_id or member.role.covers(invitation.role)):
            return Admission(Admitted.ALREADY, invitation)
        if used_by is not None:
            return Admission(Admitted.USED, invitation)
        if invitation.expires_at < now:
            return Admission(Admitted.EXPIRED, invitation)
        if not await invitations.use(session, hash_of(code), user_id=user_id, now=now):
            return Admission(Admitted.USED, invitation)
        if member is None:
            await members.admit(
                session,
                chat_id=chat_id,
                user_id=user_id,
                role=invitation.role,
                name=name,
                now=now,
            )
        else:
            await members.set_role(session, chat_id=chat_id, user_id=user_id, role=invitation.role)
        before = member.role.value if member else NOTHING
        # In the inviter's audit: a user's own private chat was opened to them by its maker.
        subject = "a private chat" if invitation.is_private else "this chat"
        detail = f"{before} -> {invitation.role.value}"
        await audit.record(
            session, invitation.chat_id, user_id, "join", detail, subject=subject, at=now
        )
        return Admission(Admitted.ADMITTED, invitation)
