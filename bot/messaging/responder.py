"""Sends answers at once, in place where possible, or through the outbox if Telegram is away."""

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import aclosing, suppress
from datetime import timedelta

from telegram import Bot, InputFile
from telegram.constants import ChatAction
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from bot.interaction.message import Message, MessagePlace, to_payload
from bot.interaction.request import (
    Document,
    Documents,
    Photo,
    Response,
    Toast,
    TrackedMessage,
)
from bot.messaging.flood_control import FloodControl
from bot.messaging.message_actions import MessageActions
from bot.messaging.refusals import RefusalCause, refusal_cause
from bot.messaging.sender import UPLOADED_WITHIN_S
from bot.views.general import waiting_notice, waiting_view
from engine.clock import Clock
from engine.storage import availability
from engine.storage.database import Database
from engine.storage.models import queues
from engine.storage.models.queues import OutboxRow
from engine.storage.queues import outbox, queue

# The user sees within a second that the bot is working.
_TYPING_AFTER_S, _PATIENCE_S = 0.3, 0.7
_TYPING_S = _PATIENCE_S - _TYPING_AFTER_S
# A process is never presumed dead, nor its claim expired, within this time.
_JUST_NOW = timedelta(seconds=1)
ANSWER = "answer"
_MANY = 5

logger = logging.getLogger(__name__)


class Responder(MessageActions):
    """Ranks answers to commands that stop something before alerts, all others after them.
    Nothing is sent to a chat under flood control.
    """

    def __init__(
        self, *, bot: Bot, database: Database, clock: Clock, flood: FloodControl | None = None
    ) -> None:
        super().__init__(bot=bot, clock=clock, flood=flood or FloodControl(clock))
        self._database = database

    async def answer(
        self,
        place: MessagePlace,
        work: Awaitable[Response],
        *,
        key: str,
        in_place: int | None = None,
        tap: str | None = None,
        aside: bool = False,
        rank: int = queues.LAST,
        cancellable: bool = True,
    ) -> None:
        """Send what *work* returns; if that takes longer, send a notice first and edit it later.
        *key* identifies the request, so that an answer is queued in the outbox once. *in_place* is
        a message of ours that the answer replaces; *tap* is the tap that asked for it: its spinner
        ends with the answer, but within a second. *aside*: if it takes longer, the chat's next
        updates need not wait; only for what changes nothing. *cancellable*: a /pause may have
        cancelled it meanwhile; otherwise only a suspended process can have lost its claim.
        """
        chat_id, waiting = place.chat_id, None
        try:
            async with asyncio.TaskGroup() as tasks:
                working = tasks.create_task(_awaited(work))
                done, _ = await asyncio.wait({working}, timeout=_TYPING_AFTER_S)
                if not done:
                    typing = tasks.create_task(self._typing(place))
                    await self._step_aside(aside)
                    done, _ = await asyncio.wait({working}, timeout=_TYPING_S)
                    typing.cancel()
                if not done and in_place is None:
                    shown = await self._try(place, waiting_view())
                    waiting = shown if isinstance(shown, int) else None
                if not done and tap:
                    await self.toast(tap, waiting_notice(), chat_id=chat_id)
                    tap = None
            answer = working.result()
            await self._verify(cancellable=cancellable)
        except Exception:
            if waiting:
                await self.delete(chat_id, waiting)
            if tap:
                await self.toast(tap, chat_id=chat_id)
            raise
        if tap:
            words = answer.text if isinstance(answer, Toast) else None
            await self.toast(tap, words, chat_id=chat_id)
        if waiting and isinstance(answer, Document | Photo | Toast):
            await self.delete(chat_id, waiting)
            waiting = None
        if isinstance(answer, Documents):
            await self._send_files(place, answer, key=key, progress=waiting)
        else:
            await self._deliver(place, answer, key=key, ours=in_place or waiting, rank=rank)

    async def _verify(self, *, cancellable: bool) -> None:
        """Raises ClaimLost if newer messages may have been answered meanwhile."""
        with suppress(*availability.AWAY):
            just_now = timedelta() if cancellable else _JUST_NOW
            await self._database.verify_claim(unless_within=just_now)

    async def _step_aside(self, aside: bool) -> None:
        if aside:
            with suppress(*availability.AWAY):
                await self._database.step_aside()

    async def _deliver(
        self,
        place: MessagePlace,
        answer: Message | Photo | Document | TrackedMessage | Toast,
        *,
        key: str,
        ours: int | None,
        rank: int,
    ) -> None:
        """*ours* is the message in the answer's place."""
        match answer:
            case Toast():
                pass
            case Document():
                await self._send_file(place, answer, key=key)
            case Photo():
                await self._show(place, answer, key=key, ours=ours, rank=rank)
            case TrackedMessage():
                if stands := await self._say(place, answer.message, key=key, ours=ours, rank=rank):
                    await answer.then(stands)
            case Message():
                await self._say(place, answer, key=key, ours=ours, rank=rank)

    async def _say(
        self, place: MessagePlace, message: Message, *, key: str, ours: int | None, rank: int
    ) -> int:
        if ours and await self.edited(place, ours, message):
            return ours
        return await self.send(place, message, key=key, rank=rank)

    async def _show(
        self, place: MessagePlace, photo: Photo, *, key: str, ours: int | None, rank: int
    ) -> None:
        """In the place of *ours*, if that is a photo; the caption alone where none can be sent."""
        try:
            if ours:
                with suppress(BadRequest):
                    await self._sender.edit_photo(place.chat_id, ours, photo)
                    return
            await self._sender.send_photo(place, photo)
        except TelegramError as e:
            self.slowed(place.chat_id, e)
            logger.warning(
                "photo not sent", extra={"chat_id": place.chat_id, "problem": e.message}
            )
            await self.send(place, photo.message, key=key, rank=rank)

    async def _typing(self, place: MessagePlace) -> None:
        try:
            await self._flood.check(place.chat_id)
            await self._bot.send_chat_action(
                place.chat_id, ChatAction.TYPING, message_thread_id=place.topic_id
            )
        except TelegramError as e:
            logger.info("typing not shown", extra={"problem": e.message})

    async def send(
        self, place: MessagePlace, message: Message, *, key: str, rank: int = queues.LAST
    ) -> int:
        """Send now, or queue in the outbox; return the id, 0 if not yet sent.
        After flood control, queued messages go before answers of a lower *rank*.
        """
        if rank > queues.FIRST and await self._must_queue(place.chat_id):
            outcome: int | timedelta = self._flood.pause(place.chat_id)
        else:
            outcome = await self._try(place, message)
        if isinstance(outcome, timedelta):
            now = self._clock.now()
            async with self._database.writing() as session:
                await outbox.add(
                    session,
                    chat_id=place.chat_id,
                    topic_id=place.topic_id,
                    kind=ANSWER,
                    payload=to_payload(message),
                    dedupe_key=f"{ANSWER}:{key}",
                    now=now,
                    not_before=now + outcome,
                    rank=rank,
                )
            return 0
        return outcome

    async def whisper(self, user_id: int, message: Message) -> bool:
        """Send to the user's private chat; True if it was sent. It is not queued."""
        outcome = await self._try(MessagePlace(user_id), message)
        return isinstance(outcome, int) and outcome > 0

    async def _must_queue(self, chat_id: int) -> bool:
        if not self._flood.is_congested(chat_id):
            return False
        waits = bool(await self._waiting(chat_id))
        if not waits:
            self._flood.relieved(chat_id)
        return waits

    async def is_behind(self, chat_id: int) -> bool:
        """True if so much is queued for the chat that only members who may command it are
        answered.
        A chat that cannot be reached now should not get many old answers later.
        """
        return await self._waiting(chat_id) >= _MANY

    async def _waiting(self, chat_id: int) -> int:
        async with self._database.reading() as session:
            return await queue.waiting(session, OutboxRow, chat_id=chat_id)

    async def edit(
        self, place: MessagePlace, message_id: int, message: Message, *, key: str
    ) -> int:
        """Replace a message of ours, or send a new one if it cannot be edited; return its id."""
        if await self.edited(place, message_id, message):
            return message_id
        return await self.send(place, message, key=key)

    async def _send_files(
        self, place: MessagePlace, files: Documents, *, key: str, progress: int | None
    ) -> None:
        """Send the files; *progress* is a message of ours that shows progress, if there is one."""

        async def show(message: Message) -> None:
            nonlocal progress
            if progress is not None:
                await self.edited(place, progress, message)  # the next one may be sent
            elif isinstance(shown := await self._try(place, message), int):
                progress = shown or None

        try:
            async with aclosing(files.make(show)) as made:
                async for file in made:
                    await self._send_file(place, file, key=key)
        finally:
            if progress is not None:
                await self.delete(place.chat_id, progress)

    async def _send_file(self, place: MessagePlace, file: Document, *, key: str) -> None:
        try:
            await self._flood.check(place.chat_id)
            await self._bot.send_document(
                place.chat_id,
                # Read from disk while it is sent: a large file would be held in memory otherwise.
                InputFile(file.content, filename=file.filename, read_file_handle=False),
                caption=file.caption,
                message_thread_id=place.topic_id,
                reply_markup=file.keyboard,
                read_timeout=UPLOADED_WITHIN_S,
            )
        except TelegramError as e:
            self.slowed(place.chat_id, e)
            logger.warning("file not sent", extra={"chat_id": place.chat_id, "problem": e.message})
            await self.send(place, file.instead, key=key)

    async def _try(self, place: MessagePlace, message: Message) -> int | timedelta:
        """Return the last part's message id, 0 if the chat is unreachable, or the time to wait."""
        *first, last = message.parts()
        try:
            for part in first:
                await self._sender.send(place, part)
            return await self._sender.send(place, last)
        except TelegramError as e:
            extra = {"chat_id": place.chat_id, "problem": e.message}
            if isinstance(e, Forbidden) and refusal_cause(e) is RefusalCause.GONE:
                logger.warning("answer refused", extra=extra)
                return 0
            logger.warning("answer delayed", extra=extra)
            if isinstance(e, RetryAfter):
                return self._flood.slowed(place.chat_id, e)
            return timedelta()


async def _awaited(work: Awaitable[Response]) -> Response:
    return await work
