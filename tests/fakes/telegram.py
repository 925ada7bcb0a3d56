"""Telegram with its people: they write, tap, block and read what the bot sends them."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.telegram_faults import Refused
from tests.fakes.telegram_messages import Params, SentMessage
from tests.fakes.telegram_server import BotApiServer

_WITH_CAPTION = frozenset({"photo", "video", "document", "audio", "animation", "voice"})


class FakeTelegram(BotApiServer):
    """`async with FakeTelegram() as api:`; a bot with the token `TOKEN` finds it at `api.url`.

    A chat exists once somebody has said something in it, or after `open_chat`.
    """

    def open_chat(self, chat_id: int, *, chat_type: str = "private") -> None:
        names = {"first_name": f"User {chat_id}"} if chat_id > 0 else {"title": "Group"}
        self._chats.setdefault(chat_id, {"id": chat_id, "type": chat_type, **names})

    def say(
        self,
        chat_id: int,
        text: str,
        *,
        user_id: int | None = None,
        chat_type: str = "private",
        reply_to: SentMessage | None = None,
        topic_id: int | None = None,
        name: str | None = None,
        also: Mapping[str, Any] | None = None,
    ) -> int:
        """Somebody writes *text*, as a reply to a message of the bot's or not, in a forum in a
        topic; returns the update's id. *also* are other fields; beside a photo or a file the text
        is its caption.
        """
        self.open_chat(chat_id, chat_type=chat_type)
        if name is not None:
            self.names[user_id or abs(chat_id)] = name
        message = {
            "message_id": next(self._message_ids),
            "date": self._date(),
            "chat": self._chats[chat_id],
            "from": self._user(user_id or abs(chat_id)),
            **_written(text),
        }
        if reply_to is not None:
            message["reply_to_message"] = self._facts(reply_to)
        if topic_id is not None:
            message |= {"message_thread_id": topic_id, "is_topic_message": True}
        message |= also or {}
        message = {name: value for name, value in message.items() if value is not None}
        if not _WITH_CAPTION.isdisjoint(message):
            words = {"text": "caption", "entities": "caption_entities"}
            message = {words.get(k, k): v for k, v in message.items() if v != ""}
        self._said[chat_id, message["message_id"]] = message
        return self.push("message", message)

    def edit(self, chat_id: int, text: str, *, message_id: int | None = None) -> int:
        """Somebody changes what they wrote, by default the last message of the chat."""
        if message_id is None:
            message_id = self.last_said(chat_id)
        before = {k: v for k, v in self._said[chat_id, message_id].items() if k != "entities"}
        message = {**before, "edit_date": self._date(), **_written(text)}
        self._said[chat_id, message_id] = message
        return self.push("edited_message", message)

    def tap(
        self,
        chat_id: int,
        label_or_data: str,
        *,
        user_id: int | None = None,
        message: SentMessage | None = None,
        forged: bool = False,
    ) -> int:
        """Somebody taps a button, by default the newest with that label or data.

        *forged* sends the data though no button has it. Raises LookupError if there is no button.
        """
        shown = [m for m in self.sent(chat_id) if not m.deleted] if message is None else [message]
        found = [(m, b) for m in reversed(shown) if (b := m.button(label_or_data))]
        if not found and not (forged and shown):
            raise LookupError(f"no button {label_or_data!r}: {[m.labels for m in shown]}")
        tapped, data = (found[0][0], found[0][1].data) if found else (shown[-1], label_or_data)
        update_id = next(self._update_ids)
        query = {
            "id": f"{update_id}",
            "from": self._user(user_id or abs(chat_id)),
            "message": self._facts(tapped),
            "chat_instance": str(chat_id),
            "data": data,
        }
        self._queries.add(str(update_id))
        return self.push("callback_query", query, update_id=update_id)

    def block(self, chat_id: int) -> None:
        """The person blocks the bot: nothing can be sent any more, and the bot is told."""
        self._blocked.add(chat_id)
        self._member_changed(chat_id, "member", "kicked")

    def unblock(self, chat_id: int) -> None:
        self._blocked.discard(chat_id)
        self._member_changed(chat_id, "kicked", "member")

    def mute(
        self,
        chat_id: int,
        words: str = "Bad Request: not enough rights to send text messages to the chat",
        *,
        status: int = 400,
    ) -> None:
        """The bot may not write in the chat; it is not told."""
        self._muted[chat_id] = Refused(status, words)

    def unmute(self, chat_id: int) -> None:
        """It may again; it is not told."""
        self._muted.pop(chat_id, None)

    def let_write(self, chat_id: int) -> int:
        """An administrator lets the bot write, and the bot is told; the update's id."""
        self.unmute(chat_id)
        return self._member_changed(chat_id, "restricted", "member")

    def migrate(self, old: int, new: int) -> None:
        """The group becomes a supergroup: from now on the old id only names the new one."""
        self.open_chat(new, chat_type="supergroup")
        self._moved[old] = new

    def announce_migration(self, old: int, new: int) -> tuple[int, int]:
        """As `migrate`; and both chats say so, as Telegram's do. The ids of the two updates."""
        self.migrate(old, new)
        bot = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
        return (
            self.push("message", self._service(old, bot, migrate_to_chat_id=new)),
            self.push("message", self._service(new, bot, migrate_from_chat_id=old)),
        )

    def _service(self, chat_id: int, sender: dict[str, Any], **facts: int) -> dict[str, Any]:
        return {
            "message_id": next(self._message_ids),
            "date": self._date(),
            "chat": self._chats[chat_id],
            "from": sender,
            **facts,
        }

    def push(self, kind: str, content: Any, *, update_id: int | None = None) -> int:
        """Queue any update, also one that Telegram would never send."""
        update_id = next(self._update_ids) if update_id is None else update_id
        if kind in self.allowed_updates:
            self._updates.append({"update_id": update_id, kind: content})
        self._announce()
        return update_id

    def push_raw(self, update: Any) -> None:
        self._updates.append(update)
        self._announce()

    def sent(self, chat_id: int) -> list[SentMessage]:
        """Everything the bot ever sent to the chat, oldest first, as it is now."""
        return [m for (chat, _), m in self._sent.items() if chat == chat_id]

    def texts(self, chat_id: int) -> list[str]:
        return [message.text for message in self.sent(chat_id)]

    def last_said(self, chat_id: int) -> int:
        """The id of the newest message that a person wrote in the chat."""
        return max(message_id for chat, message_id in self._said if chat == chat_id)

    def called(self, method: str) -> list[Params]:
        return [call.params for call in self.calls if call.method == method]

    @property
    def unconfirmed(self) -> list[int]:
        """The ids of the updates Telegram would send again."""
        return [update["update_id"] for update in self._updates]

    async def wait_for(
        self,
        chat_id: int,
        wanted: str | Callable[[SentMessage], bool],
        *,
        after: int = 0,
        timeout: float = 5,  # noqa: ASYNC109 - a test's patience, with what was seen in the error
    ) -> SentMessage:
        """The oldest message with that text (or for which *wanted* is true) newer than *after*.

        Raises TimeoutError with what the chat did receive.
        """

        def fits(message: SentMessage) -> bool:
            return wanted in message.text if isinstance(wanted, str) else wanted(message)

        def found() -> list[SentMessage]:
            return [m for m in self.sent(chat_id) if m.message_id > after and fits(m)]

        try:
            await self.wait_until(lambda: bool(found()), timeout=timeout)
        except TimeoutError:
            raise TimeoutError(f"no {wanted!r} in {self.texts(chat_id)}") from None
        return found()[0]

    def _user(self, user_id: int) -> dict[str, Any]:
        name = self.names.get(user_id, f"User {user_id}")
        return {"id": user_id, "is_bot": False, "first_name": name}

    def _member_changed(self, chat_id: int, old: str, new: str) -> int:
        member = {"user": self._me(), "until_date": 0}
        change = {
            "chat": self._chats[chat_id],
            "from": self._user(abs(chat_id)),
            "date": self._date(),
            "old_chat_member": {**member, "status": old},
            "new_chat_member": {**member, "status": new},
        }
        return self.push("my_chat_member", change)


def _written(text: str) -> dict[str, Any]:
    """A text as Telegram passes it on: commands are marked, which is how bots find them."""
    if not text.startswith("/"):
        return {"text": text}
    length = len(text.split(maxsplit=1)[0].encode("utf-16-le")) // 2
    return {"text": text, "entities": [{"type": "bot_command", "offset": 0, "length": length}]}
