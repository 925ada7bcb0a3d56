"""Use cases of a chat's members: its owners view and change roles, with an audit."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.accounts.audit import NOTHING, AuditEntry
from engine.domain.accounts.members import (
    ChatMembers,
    Member,
    Role,
    RoleChangeResult,
    judge_role_change,
)
from engine.membership import sharing
from engine.storage.accounts import accounts, audience, audit, invitations, members
from engine.storage.database import Database
from engine.storage.trading import run_requests


class MemberService:
    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def of(self, circle: ChatMembers) -> Sequence[Member]:
        """Returns the users who may act, those allowed by the settings first."""
        async with self._database.reading() as session:
            return await _everybody(session, circle)

    async def change_role(
        self,
        circle: ChatMembers,
        *,
        user_id: int,
        member_id: int,
        expected: Role,
        wanted: Role | None,
    ) -> RoleChangeResult:
        """Set a role, or remove with None, if the member is still what *user_id* saw.

        An owner who is demoted leaves no open invitations. A user removed from their own private
        chat can neither see nor stop its account, so it is paused.
        """
        now = self._clock.now()
        async with self._database.writing() as session:
            people = await _everybody(session, circle, for_update=True)
            verdict = judge_role_change(
                circle=circle,
                people=people,
                asked_by=user_id,
                member_id=member_id,
                expected=expected,
                wanted=wanted,
            )
            if verdict is not RoleChangeResult.DONE or wanted is expected:
                return verdict
            [member] = [one for one in people if one.user_id == member_id]
            chat_id = member_id if circle.is_private else circle.chat_id
            if wanted is None:
                await members.remove(session, chat_id=chat_id, user_id=member_id)
            elif member.since is None:
                await members.admit(
                    session,
                    chat_id=chat_id,
                    user_id=member_id,
                    role=wanted,
                    name=member.name,
                    now=now,
                )
            else:
                await members.set_role(session, chat_id=chat_id, user_id=member_id, role=wanted)
            if expected is Role.OWNER:
                await invitations.withdraw(session, chat_id=chat_id, invited_by=member_id, now=now)
            after = wanted.value if wanted else NOTHING
            subject, detail = f"{member_id} {member.name}".strip(), f"{expected.value} -> {after}"
            await audit.record(
                session, circle.chat_id, user_id, "role", detail, subject=subject, at=now
            )
            if circle.is_private:
                await sharing.end_for_user(session, member_id, removed_by=user_id, now=now)
                await self._pause(session, member_id, user_id)
        return verdict

    async def let_all_look(
        self, circle: ChatMembers, *, user_id: int, on: bool
    ) -> RoleChangeResult:
        """Let every member of the group see what a viewer sees, or only those with a role."""
        now = self._clock.now()
        async with self._database.writing() as session:
            people = await _everybody(session, circle, for_update=True)
            account = await accounts.of_chat(session, circle.chat_id)
            if not circle.may_change(user_id, people):
                return RoleChangeResult.NOT_ALLOWED
            if account is None:
                return RoleChangeResult.OUTDATED
            if account.all_may_look is not on:
                await audience.set_all_may_look(session, account.id, on=on)
                words = ("members", "everybody")
                detail = " -> ".join(words if on else reversed(words))
                await audit.record(
                    session, circle.chat_id, user_id, "look", detail, subject="looking", at=now
                )
        return RoleChangeResult.DONE

    async def move_alerts(self, account: Account, *, user_id: int, topic_id: int | None) -> bool:
        """Send alerts to a topic; returns True if they went to another one before."""
        now = self._clock.now()
        async with self._database.writing() as session:
            current = await accounts.get(session, account.id)
            if current.topic_id == topic_id:
                return False
            await audience.set_topic(session, account.id, topic_id)
            detail = f"{_topic(current.topic_id)} -> {_topic(topic_id)}"
            await audit.record(
                session, account.chat_id, user_id, "topic", detail, subject="alerts", at=now
            )
        return True

    async def trail(
        self, chat_id: int, *, size: int, number: int
    ) -> tuple[Sequence[AuditEntry], bool]:
        """A page of who changed what in the chat, newest first, and whether there is more."""
        async with self._database.reading() as session:
            return await audit.page(session, chat_id=chat_id, size=size, number=number)

    async def _pause(self, session: AsyncSession, chat_id: int, user_id: int) -> None:
        account = await accounts.of_chat(session, chat_id)
        if account is None:
            return
        paused = await accounts.change(session, account, paused=True)
        await run_requests.drop(session, account.id)
        await audit.add_changes(session, account, paused, at=self._clock.now(), user_id=user_id)


async def _everybody(
    session: AsyncSession, circle: ChatMembers, *, for_update: bool = False
) -> Sequence[Member]:
    if circle.is_private:
        let_in = await members.in_private(session, for_update=for_update)
    else:
        let_in = await members.of_chat(session, circle.chat_id, for_update=for_update)
    return circle.with_standing(let_in)


def _topic(topic_id: int | None) -> str:
    return "general" if topic_id is None else str(topic_id)
