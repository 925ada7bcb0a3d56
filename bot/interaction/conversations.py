"""Dialogs: what a person was asked to type, one at a time in each chat, kept sealed until then."""

from dataclasses import dataclass
from datetime import timedelta

from bot.interaction.request import Request
from bot.updates.inbox import Sealer
from engine.clock import Clock
from engine.storage.chat import conversations
from engine.storage.chat.conversations import Conversation
from engine.storage.database import Database


@dataclass(frozen=True, slots=True)
class ConversationStep:
    """What is waited for, and *text*, which was kept with it."""

    kind: str
    text: str


class Conversations:
    def __init__(
        self, *, database: Database, sealer: Sealer, clock: Clock, patience: timedelta
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._clock = clock
        self._patience = patience

    async def wait(self, ask: Request, kind: str, text: str = "") -> None:
        """For the next thing this person says here; what was waited for before is forgotten."""
        dialog = Conversation(
            chat_id=ask.chat_id,
            user_id=ask.user_id,
            kind=kind,
            sealed=self._sealer.seal_text(text, purpose=_purpose(ask)),
            expires_at=self._clock.now() + self._patience,
        )
        async with self._database.writing() as session:
            await conversations.put(session, dialog)

    async def step(self, ask: Request) -> ConversationStep | None:
        """What is waited for, if anything is."""
        async with self._database.reading() as session:
            dialog = await conversations.get(
                session, chat_id=ask.chat_id, user_id=ask.user_id, now=self._clock.now()
            )
        if dialog is None:
            return None
        return ConversationStep(
            dialog.kind, self._sealer.open_text(dialog.sealed, purpose=_purpose(ask))
        )

    async def forget(self, ask: Request) -> None:
        """It was answered, or the person turned to something else."""
        async with self._database.writing() as session:
            await conversations.end(session, chat_id=ask.chat_id, user_id=ask.user_id)


def _purpose(ask: Request) -> str:
    return f"dialog:{ask.chat_id}:{ask.user_id}"
