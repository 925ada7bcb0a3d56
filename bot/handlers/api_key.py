"""`/connect` in one message or step by step, and `/disconnect` with its question."""

import re
from dataclasses import dataclass, replace

from bot.handlers.context import Handler, Routes
from bot.interaction.message import Message
from bot.interaction.request import ConfirmationHandler, Request
from bot.views.api_key import (
    another_key_view,
    ask_disconnect_view,
    ask_key_view,
    ask_secret_view,
    connect_failed_view,
    connected_view,
    disconnected_view,
    nothing_to_disconnect_view,
)
from bot.views.stray_api_keys import (
    group_refused_view,
    malformed_key_view,
    not_as_text_view,
    stray_key_view,
)
from engine.domain.accounts.confirmation import Confirmation
from engine.errors import EngineError

DISCONNECT = "disconnect"
_AWAITS_KEY = "connect:key"
_AWAITS_SECRET = "connect:secret"  # noqa: S105 - the name of a step
_WORD = re.compile(r"[A-Za-z0-9_-]{6,128}", re.ASCII)
_KEY_AND_SECRET = 2
# As MEXC makes them today: mx0 and letters, or 32 hexadecimal digits.
_LIKE_A_KEY = re.compile(r"\b(?:mx0[A-Za-z0-9]{8,}|[0-9a-f]{32})\b", re.ASCII)


@dataclass(frozen=True, eq=False)
class ApiKeyHandler(Handler):
    def routes(self) -> Routes:
        return Routes(
            commands={"connect": self.connect, "disconnect": self.disconnect},
            taps={
                DISCONNECT: ConfirmationHandler(
                    self.ctx.confirmations.once(self._disconnect_confirmed)
                )
            },
        )

    async def connect(self, request: Request) -> Message:
        """Whatever was typed is deleted before anything else is done with it, and so is a picture
        or a file that came with it: it may show the key.
        """
        words = request.argument.split()
        is_secret = bool(words) or request.has_media
        deleted = is_secret and await self._delete(request)
        if not request.is_private:
            return group_refused_view(
                deleted=deleted if is_secret else None, link=self.ctx.start_links.private_chat()
            )
        if request.has_media:
            return not_as_text_view(deleted=deleted)
        if not words:
            await self.ctx.conversations.wait(request, _AWAITS_KEY)
            return ask_key_view(account=await self.ctx.accounts.of(request.chat_id))
        if len(words) != _KEY_AND_SECRET or not all(map(_WORD.fullmatch, words)):
            return malformed_key_view(deleted=deleted)
        return await self._connect(request, api_key=words[0], api_secret=words[1], deleted=deleted)

    async def take_step(self, request: Request, text: str) -> Message | None:
        """An answer to a step of /connect; None if none was being waited for."""
        step = await self.ctx.conversations.step(request)
        if step is None or step.kind not in {_AWAITS_KEY, _AWAITS_SECRET}:
            return await self.stray(request, text)
        deleted = await self._delete(request)
        if request.has_media or request.is_secondhand:
            return not_as_text_view(deleted=deleted)
        words = text.split()
        if step.kind == _AWAITS_SECRET and len(words) == 1:
            words.insert(0, step.text)
        if not 1 <= len(words) <= _KEY_AND_SECRET or not all(map(_WORD.fullmatch, words)):
            await self.ctx.conversations.forget(request)
            return malformed_key_view(deleted=deleted)
        if len(words) < _KEY_AND_SECRET:
            await self.ctx.conversations.wait(request, _AWAITS_SECRET, words[0])
            return ask_secret_view(deleted=deleted)
        api_key, api_secret = words
        answer = await self._connect(
            request, api_key=api_key, api_secret=api_secret, deleted=deleted
        )
        # Only now: killed in between, the same message is understood again.
        await self.ctx.conversations.forget(request)
        return answer

    async def stray(self, request: Request, text: str) -> Message | None:
        """What looks like a key where none was asked for goes as well; None if nothing does.

        Behind /connect everything does: in an edit or a forwarded message it is not obeyed.
        """
        is_behind_connect = request.command == "connect" and bool(text or request.has_media)
        if not is_behind_connect and not _LIKE_A_KEY.search(text):
            return None
        return stray_key_view(
            deleted=await self._delete(request),
            may_connect=self.may_set(replace(request, command="connect")),
        )

    async def disconnect(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        if account.sealed_key is None:
            return nothing_to_disconnect_view()
        question_id = await self.ctx.confirmations.ask(
            request, kind=DISCONNECT, payload=account.key_tail or ""
        )
        return ask_disconnect_view(account=account, confirmation_id=question_id)

    async def _disconnect_confirmed(self, question: Confirmation, request: Request) -> Message:
        shared = await self.ctx.sharing.seen_by(request.chat_id)
        change = await self.ctx.accounts.disconnect(
            request.chat_id, user_id=request.user_id, key_tail=question.payload
        )
        if change.before.key_tail is None:
            return nothing_to_disconnect_view()
        if change.after.key_tail is not None:
            return another_key_view(account=change.after)
        for share in shared:
            await self.ctx.command_menu.show_shared(share.chat_id, None)
        return disconnected_view(account=change.after, key_tail=change.before.key_tail)

    async def _delete(self, request: Request) -> bool:
        return await self.ctx.responder.delete(request.chat_id, request.message_id, is_secret=True)

    async def _connect(
        self, request: Request, *, api_key: str, api_secret: str, deleted: bool
    ) -> Message:
        before = await self.ctx.accounts.of(request.chat_id)
        try:
            facts = await self.ctx.accounts.connect(
                request.chat_id, user_id=request.user_id, api_key=api_key, api_secret=api_secret
            )
        except EngineError as e:
            return connect_failed_view(error=e, account=before, deleted=deleted)
        account = await self.ctx.accounts.of(request.chat_id)
        if not account.settings.dry_run:
            await self.ctx.previews.saw(account, facts.holdings)
        outlook = await self.ctx.previews.outlook(account)
        return connected_view(
            account=account,
            facts=facts,
            rules=outlook.rules,
            foreseen=outlook.foreseen,
            deleted=deleted,
            replaced_tail=before.key_tail,
        )
