"""Groups that want to see an account: one of their users sends a link, its owner decides."""

import secrets
from dataclasses import dataclass

from engine.domain.accounts.confirmation import Confirmation, Refusal
from engine.domain.alerts.shared_alerts import GroupAnswered, GroupAsks
from engine.membership import sharing
from engine.membership.sharing import Redeemed
from engine.notifications.publish import publish
from engine.security.one_time_codes import hash_of
from engine.storage.accounts import accounts, members, share_links, shares
from engine.storage.chat import confirmations
from engine.storage.serialization import from_json, to_json
from engine.storage.service import Service

GROUP_ASKS = "share_group"
"""The kind of the question whether a group may see an account."""
YES, NO = range(2)


@dataclass(frozen=True, slots=True)
class GroupRequest:
    """What the owner is asked: the link by its hash, and the group as it was then."""

    code_hash: str
    title: str


class GroupRequests(Service):
    async def ask(
        self, code: str, *, chat_id: int, title: str, user_id: int, name: str
    ) -> Redeemed:
        """Ask the owner of a link's account whether the group may see it, once a link: IN_GROUP. It
        is asked anew at their tap whether the link and the group are as they were.
        """
        now, code_hash = self.clock.now(), hash_of(code)
        async with self.database.writing() as session:
            link = await share_links.find(session, code_hash, for_update=True)
            if link is None:
                return Redeemed.EXPIRED
            account = await accounts.get(session, link.account_id)
            before = await shares.of_chat(session, chat_id)
            own = await accounts.of_chat(session, chat_id)
            refused = sharing.refusal(
                link, account, chat_id=chat_id, before=before, own=own, now=now
            )
            if refused is not None:
                return refused
            if link.requested_chat == chat_id:
                return Redeemed.IN_GROUP
            if not await share_links.request(
                session,
                code_hash,
                chat_id=chat_id,
                user_id=user_id,
                name=name,
                title=title,
                now=now,
            ):
                return Redeemed.USED
            await members.keep_name(session, user_id, name)
            question = Confirmation(
                id=secrets.token_urlsafe(9),
                chat_id=account.chat_id,
                user_id=link.made_by,
                kind=GROUP_ASKS,
                payload=to_json(GroupRequest(code_hash, title)),
                asked_at=now,
                expires_at=link.expires_at,
            )
            await confirmations.ask(session, question)
            alert = GroupAsks(
                title=title,
                user_id=user_id,
                name=name,
                role=link.role,
                until=link.expires_at,
                question_id=question.id,
            )
            await publish(session, account.chat_id, alert, key=f"group:{code_hash}", now=now)
        return Redeemed.IN_GROUP

    async def answer(
        self, question_id: str, *, chat_id: int, user_id: int, message_id: int, yes: bool
    ) -> tuple[Redeemed | None, str] | Refusal:
        """The owner's tap, once: what came of a yes, None for a no, and the group's name. The group is
        told, and the link is used up.
        """
        now = self.clock.now()
        async with self.database.writing() as session:
            taken = await confirmations.take(
                session,
                question_id,
                chat_id=chat_id,
                user_id=user_id,
                now=now,
                message_id=message_id,
            )
            if isinstance(taken, Refusal):
                return taken
            asked = from_json(taken.payload, GroupRequest)
            link = await share_links.find(session, asked.code_hash, for_update=True)
            if link is None or link.requested_chat is None or link.requested_by is None:
                return Redeemed.EXPIRED, asked.title
            result = None
            if yes:
                came = await sharing.admit(
                    session,
                    link,
                    asked.code_hash,
                    chat_id=link.requested_chat,
                    user_id=link.requested_by,
                    name=asked.title,
                    now=now,
                    is_told=True,
                )
                result = came.result
            is_admitted = result in {Redeemed.JOINED, Redeemed.ALREADY}
            if not is_admitted:
                await share_links.void(
                    session, link.account_id, now=now, code_hash=asked.code_hash
                )
            name = link.requested_name or ""
            answered = GroupAnswered(is_admitted=is_admitted, role=link.role, name=name)
            key = f"group_answered:{asked.code_hash}"
            await publish(session, link.requested_chat, answered, key=key, now=now)
        return result, asked.title
