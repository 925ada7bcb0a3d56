"""`/connect` in one message or step by step, and `/disconnect` with its question."""

import re
from collections.abc import Mapping
from datetime import timedelta

from bot.asks import Ask, Command, OnTap, Page
from bot.callbacks import Choose, Confirm
from bot.intake import Sealer
from bot.messages import Message
from bot.questions import Questions
from bot.replies import Replies
from bot.views.connect import (
    ask_disconnect_view,
    ask_key_view,
    ask_secret_view,
    connect_failed_view,
    connected_view,
    disconnected_view,
    group_refused_view,
    malformed_key_view,
    nothing_to_disconnect_view,
    stray_key_view,
)
from engine.accounts import Accounts
from engine.clock import Clock
from engine.errors import EngineError
from engine.preview import Previews
from engine.storage import dialogs
from engine.storage.confirmations import Confirmation
from engine.storage.database import Database
from engine.storage.dialogs import Dialog

DISCONNECT = "disconnect"
_AWAITS_KEY = "connect:key"
_AWAITS_SECRET = "connect:secret"  # noqa: S105 - the name of a step
_WORD = re.compile(r"[A-Za-z0-9_-]{6,128}", re.ASCII)
_KEY_AND_SECRET = 2
# As MEXC makes them today: mx0 and letters, or 32 hexadecimal digits.
_LIKE_A_KEY = re.compile(r"\b(?:mx0[A-Za-z0-9]{8,}|[0-9a-f]{32})\b", re.ASCII)


class Keys:
    def __init__(
        self,
        *,
        accounts: Accounts,
        previews: Previews,
        questions: Questions,
        replies: Replies,
        database: Database,
        sealer: Sealer,
        clock: Clock,
        patience: timedelta,
    ) -> None:
        self._accounts = accounts
        self._previews = previews
        self._questions = questions
        self._replies = replies
        self._database = database
        self._sealer = sealer
        self._clock = clock
        self._patience = patience

    @property
    def commands(self) -> Mapping[str, Command]:
        return {"connect": self.connect, "disconnect": self.disconnect}

    @property
    def taps(self) -> Mapping[str, OnTap]:
        return {DISCONNECT: OnTap(self._questions.once(self._disconnect_confirmed))}

    @property
    def pages(self) -> Mapping[type, Page]:
        return {}

    async def connect(self, ask: Ask) -> Message:
        """Whatever was typed is deleted before anything else is done with it."""
        words = ask.argument.split()
        deleted = bool(words) and await self._replies.delete(ask.chat_id, ask.message_id)
        if not ask.is_private:
            return group_refused_view(deleted=deleted if words else None)
        if not words:
            await self._await(ask, _AWAITS_KEY, "")
            return ask_key_view(account=await self._accounts.of(ask.chat_id))
        if len(words) != _KEY_AND_SECRET or not all(map(_WORD.fullmatch, words)):
            return malformed_key_view(deleted=deleted)
        return await self._try(ask, api_key=words[0], api_secret=words[1], deleted=deleted)

    async def said(self, ask: Ask, text: str) -> Message | None:
        """An answer to a step of /connect; None if none was being waited for."""
        async with self._database.reading() as session:
            dialog = await dialogs.get(
                session, chat_id=ask.chat_id, user_id=ask.user_id, now=self._clock.now()
            )
        if dialog is None:
            return await self.stray(ask, text)
        deleted = await self._replies.delete(ask.chat_id, ask.message_id)
        if not _WORD.fullmatch(text.strip()):
            await self.forget(ask)
            return malformed_key_view(deleted=deleted)
        if dialog.kind == _AWAITS_KEY:
            await self._await(ask, _AWAITS_SECRET, text.strip())
            return ask_secret_view(deleted=deleted)
        api_key = self._sealer.open_text(dialog.sealed, purpose=_purpose(ask))
        answer = await self._try(ask, api_key=api_key, api_secret=text.strip(), deleted=deleted)
        await self.forget(ask)  # only now: killed in between, the same message is understood again
        return answer

    async def stray(self, ask: Ask, text: str) -> Message | None:
        """What looks like a key where none was asked for goes as well; None if nothing does."""
        if not _LIKE_A_KEY.search(text):
            return None
        return stray_key_view(deleted=await self._replies.delete(ask.chat_id, ask.message_id))

    async def forget(self, ask: Ask) -> None:
        """The person turned to something else."""
        async with self._database.writing() as session:
            await dialogs.end(session, chat_id=ask.chat_id, user_id=ask.user_id)

    async def disconnect(self, ask: Ask) -> Message:
        account = await self._accounts.of(ask.chat_id)
        if account.sealed_key is None:
            return nothing_to_disconnect_view()
        question_id = await self._questions.ask(ask, kind=DISCONNECT)
        return ask_disconnect_view(account=account, confirmation_id=question_id)

    async def _disconnect_confirmed(
        self, _: Confirmation, __: Confirm | Choose, ask: Ask
    ) -> Message:
        change = await self._accounts.disconnect(ask.chat_id, user_id=ask.user_id)
        if change.before.key_tail is None:
            return nothing_to_disconnect_view()
        return disconnected_view(account=change.after, key_tail=change.before.key_tail)

    async def _try(self, ask: Ask, *, api_key: str, api_secret: str, deleted: bool) -> Message:
        before = await self._accounts.of(ask.chat_id)
        try:
            facts = await self._accounts.connect(
                ask.chat_id, user_id=ask.user_id, api_key=api_key, api_secret=api_secret
            )
        except EngineError as e:
            return connect_failed_view(error=e, account=before, deleted=deleted)
        account = await self._accounts.of(ask.chat_id)
        return connected_view(
            account=account,
            facts=facts,
            rules=await self._previews.known_rules(account),
            deleted=deleted,
            replaced_tail=before.key_tail,
        )

    async def _await(self, ask: Ask, kind: str, text: str) -> None:
        dialog = Dialog(
            chat_id=ask.chat_id,
            user_id=ask.user_id,
            kind=kind,
            sealed=self._sealer.seal_text(text, purpose=_purpose(ask)),
            expires_at=self._clock.now() + self._patience,
        )
        async with self._database.writing() as session:
            await dialogs.put(session, dialog)


def _purpose(ask: Ask) -> str:
    return f"dialog:{ask.chat_id}:{ask.user_id}"
