"""Conversations: the input a user was asked for, one per chat, encrypted until it arrives."""

from dataclasses import dataclass
from datetime import timedelta

from bot.interaction.request import Request
from bot.updates.inbox import Sealer
from engine.storage.chat import conversations
from engine.storage.chat.conversations import Conversation
from engine.storage.service import Service


@dataclass(frozen=True, slots=True)
class ConversationStep:
    """The awaited input, and *text*, which was stored with it."""

    kind: str
    text: str


@dataclass(eq=False, kw_only=True, repr=False)
class Conversations(Service):
    sealer: Sealer
    patience: timedelta

    async def wait(self, request: Request, kind: str, text: str = "") -> None:
        """Await this user's next message in the chat; what was awaited before is replaced."""
        dialog = Conversation(
            chat_id=request.chat_id,
            user_id=request.user_id,
            kind=kind,
            sealed=self.sealer.seal_text(text, purpose=_purpose(request)),
            expires_at=self.clock.now() + self.patience,
        )
        async with self.database.writing() as session:
            await conversations.put(session, dialog)

    async def step(self, request: Request) -> ConversationStep | None:
        """Return the awaited step, if there is one."""
        async with self.database.reading() as session:
            dialog = await conversations.get(
                session, chat_id=request.chat_id, user_id=request.user_id, now=self.clock.now()
            )
        if dialog is None:
            return None
        return ConversationStep(
            dialog.kind, self.sealer.open_text(dialog.sealed, purpose=_purpose(request))
        )

    async def cancel(self, request: Request, kind: str) -> None:
        """End the conversation if it awaits a *kind* of step."""
        step = await self.step(request)
        if step is not None and step.kind == kind:
            await self.forget(request)

    async def forget(self, request: Request) -> None:
        """End the conversation: it was answered, or the user sent another command."""
        async with self.database.writing() as session:
            await conversations.end(session, chat_id=request.chat_id, user_id=request.user_id)


def _purpose(request: Request) -> str:
    return f"dialog:{request.chat_id}:{request.user_id}"
