"""The Bot API itself: what a bot may ask for, and what comes of it."""

import asyncio
import itertools
import json
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, Self

import httpx

from engine.clock import Clock, SystemClock
from tests.fakes.http import NO_CERTIFICATES, Reply, Request, serve
from tests.fakes.tasks import running
from tests.fakes.telegram_faults import Fault, Refused
from tests.fakes.telegram_limits import MOST_CAPTION, check_commands, check_notice
from tests.fakes.telegram_messages import (
    Params,
    SentMessage,
    button_facts,
    read_buttons,
    read_params,
    read_reply,
    read_text,
)

TOKEN = "1234567890:AAFakeTokenThatMustNeverBeLogged00000"
_REPEAT = timedelta(milliseconds=50)  # the real one waits longer each time
_DEFAULT_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")


@dataclass(slots=True)
class Webhook:
    """Where updates are brought; without an address they wait to be polled."""

    url: str = ""
    secret: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    at: datetime
    method: str
    params: Params


class BotApiServer:
    """The server's state and methods; `FakeTelegram` adds the people."""

    def __init__(self, *, token: str = TOKEN, port: int = 0, clock: Clock | None = None) -> None:
        self.token = token
        self.bot_id = int(token.partition(":")[0])
        self.url = ""
        self.calls: list[Call] = []
        self.delivered: list[tuple[dict[str, Any], int]] = []  # by webhook, and how it was taken
        self.deleted: set[tuple[int, int]] = set()
        self.answers: dict[str, Params] = {}
        self.names: dict[int, str] = {}  # what people call themselves, where it matters
        self.menus: dict[str, list[dict[str, str]]] = {}
        self.allowed_updates: tuple[str, ...] = _DEFAULT_UPDATES
        self._clock = clock or SystemClock()
        self._port = port
        self._exit = AsyncExitStack()
        self._closing = False
        self._changed = asyncio.Event()
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._chats: dict[int, dict[str, Any]] = {}
        self._blocked: set[int] = set()
        self._muted: dict[int, Refused] = {}
        self.refuses: Callable[[str], Refused | None] = lambda _: None  # by a message's text
        self._moved: dict[int, int] = {}
        self._sent: dict[tuple[int, int], SentMessage] = {}
        self._said: dict[tuple[int, int], dict[str, Any]] = {}
        self._queries: set[str] = set()
        self._updates: list[dict[str, Any]] = []
        self._update_ids = itertools.count(1001)
        self._message_ids = itertools.count(1)
        self._poll = 0
        self.webhook = Webhook()
        self._methods: Mapping[str, Callable[[Params], Any]] = {
            "answerCallbackQuery": self._answer_query,
            "deleteMessage": self._delete,
            "deleteMyCommands": self._delete_commands,
            "deleteWebhook": self._delete_webhook,
            "editMessageMedia": self._edit_media,
            "editMessageReplyMarkup": self._edit_buttons,
            "editMessageText": self._edit_text,
            "getMe": lambda _: self._me(),
            "getWebhookInfo": self._webhook_info,
            "pinChatMessage": self._pin,
            "sendChatAction": lambda params: bool(self._chat(params)),
            "sendDocument": self._send,
            "sendMessage": self._send,
            "sendPhoto": self._send,
            "setMyCommands": self._set_commands,
            "setMyDescription": lambda _: True,
            "setMyShortDescription": lambda _: True,
            "setWebhook": self._set_webhook,
            "unpinChatMessage": self._unpin,
        }

    async def __aenter__(self) -> Self:
        self.url = await self._exit.enter_async_context(serve(self._answer, port=self._port))
        await self._exit.enter_async_context(running(self._deliver()))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        self._announce()
        await self._exit.aclose()

    def fail(self, method: str, fault: Fault, *, times: int = 1) -> None:
        """The next calls of *method* meet *fault*, after those already waiting for them."""
        self._faults[method].extend([fault] * times)

    async def wait_until(
        self,
        predicate: Callable[[], bool],
        *,
        timeout: float = 5,  # noqa: ASYNC109 - a test's patience
    ) -> None:
        """Until something the bot did makes *predicate* true. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while not predicate():
                await self._changed.wait()

    async def _answer(self, request: Request) -> Reply:
        token, _, method = request.path.removeprefix("/bot").partition("/")
        if token != self.token:
            return Refused(401, "Unauthorized").reply()
        params = read_params(request)
        self.calls.append(Call(self._clock.steady(), method, params))
        fault = self._faults[method].popleft() if self._faults[method] else None
        if fault is not None and not fault.took_effect:
            self._announce()
            return fault.reply or await self._hang()
        try:
            result = await self._obey(method, params)
        except Refused as e:
            return e.reply()
        finally:
            self._announce()
        if fault is not None and fault.reply is not None:
            return fault.reply
        date = format_datetime(self._clock.steady(), usegmt=True)
        body = json.dumps({"ok": True, "result": result}).encode()
        return Reply(body=body, headers={"date": date})

    async def _obey(self, method: str, params: Params) -> Any:
        if method == "getUpdates":
            return await self._get_updates(params)
        if method not in self._methods:
            raise Refused(404, "Not Found")
        return self._methods[method](params)

    async def _get_updates(self, params: Params) -> list[dict[str, Any]]:
        if self.webhook.url:
            raise Refused(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        self._poll += 1
        mine = self._poll
        self._announce()
        if "allowed_updates" in params:
            self.allowed_updates = tuple(json.loads(params["allowed_updates"]))
        # Asking with an offset confirms all updates before it: they are forgotten.
        offset = int(params.get("offset", 0))
        self._updates = [u for u in self._updates if not _is_before(u, offset)]
        with suppress(TimeoutError):
            await self.wait_until(
                lambda: bool(self._updates) or self._closing or mine != self._poll,
                timeout=float(params.get("timeout", 0)),
            )
        if mine != self._poll:
            raise Refused(
                409,
                "Conflict: terminated by other getUpdates request; "
                "make sure that only one bot instance is running",
            )
        return self._updates[: int(params.get("limit", 100))]

    def _send(self, params: Params) -> dict[str, Any]:
        document, photo = params.get("document"), params.get("photo")
        if document is None and photo is None:
            text, markup = read_text(params)
        else:
            text, markup = read_text(params, key="caption", limit=MOST_CAPTION)
        chat_id = self._chat(params)
        if (refusal := self.refuses(text)) is not None:
            raise refusal
        message = SentMessage(
            chat_id=chat_id,
            message_id=next(self._message_ids),
            text=text,
            html=markup,
            buttons=read_buttons(params),
            silent=str(params.get("disable_notification")).lower() == "true",
            document=document,
            photo=None if photo is None else _image(photo),
            reply_to=self._replied_to(chat_id, params),
            topic_id=int(params["message_thread_id"]) if "message_thread_id" in params else None,
        )
        self._sent[chat_id, message.message_id] = message
        return self._facts(message)

    def _replied_to(self, chat_id: int, params: Params) -> int | None:
        message_id, may_be_missing = read_reply(params)
        key = (chat_id, message_id or 0)
        if message_id is None or (
            (key in self._sent or key in self._said) and key not in self.deleted
        ):
            return message_id
        if not may_be_missing:
            raise Refused(400, "Bad Request: message to be replied not found")
        return None

    def _edit_text(self, params: Params) -> dict[str, Any]:
        if self._shown(params, "edit").photo is not None:
            raise Refused(400, "Bad Request: there is no text in the message to edit")
        return self._edit_message(params, *read_text(params))

    def _edit_media(self, params: Params) -> dict[str, Any]:
        media = json.loads(params["media"])
        message = self._shown(params, "edit")  # a text may become a photo, too
        photo = _image(params[media["media"].removeprefix("attach://")])
        text, markup = read_text({**params, **media}, key="caption", limit=MOST_CAPTION)
        message.photo, seen = photo, message.photo
        if photo != seen and (text, read_buttons(params)) == (message.text, message.buttons):
            return self._facts(message)
        return self._edit_message(params, text, markup)

    def _edit_buttons(self, params: Params) -> dict[str, Any]:
        message = self._shown(params, "edit")
        return self._edit_message(params, message.text, message.html)

    def _pin(self, params: Params) -> bool:
        self._shown(params, "pin").pinned = True
        return True

    def _unpin(self, params: Params) -> bool:
        self._shown(params, "unpin").pinned = False
        return True

    def _set_commands(self, params: Params) -> bool:
        commands = json.loads(params["commands"])
        check_commands(commands)
        self.menus[_scope(params)] = commands
        return True

    def _delete_commands(self, params: Params) -> bool:
        self.menus.pop(_scope(params), None)
        return True

    @property
    def commands(self) -> list[dict[str, str]]:
        """The menu of a private chat."""
        return self.menus.get("all_private_chats", self.menus.get("default", []))

    def _set_webhook(self, params: Params) -> bool:
        if "allowed_updates" in params:
            self.allowed_updates = tuple(json.loads(params["allowed_updates"]))
        self.webhook = Webhook(str(params["url"]), str(params.get("secret_token", "")))
        self._poll += 1  # a poll under way is ended
        return True

    def _delete_webhook(self, params: Params) -> bool:
        if str(params.get("drop_pending_updates")).lower() == "true":
            self._updates.clear()
        self.webhook = Webhook()
        return True

    def _webhook_info(self, _: Params) -> dict[str, Any]:
        info: dict[str, Any] = {
            "url": self.webhook.url,
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates),
        }
        if self.webhook.error:
            info |= {"last_error_date": self._date(), "last_error_message": self.webhook.error}
        return info

    async def _deliver(self) -> None:
        """Bring the oldest update of each chat, again and again until it is taken."""
        async with httpx.AsyncClient(verify=NO_CERTIFICATES) as http:
            while True:
                changed = self._changed
                fronts: dict[int, dict[str, Any]] = {}
                for update in self._updates if self.webhook.url else ():
                    fronts.setdefault(_chat_id(update), update)
                async with asyncio.TaskGroup() as tasks:
                    for update in fronts.values():
                        tasks.create_task(self._bring(http, update))
                if self._updates and self.webhook.url:
                    await SystemClock().sleep(_REPEAT)
                else:
                    await changed.wait()

    async def _bring(self, http: httpx.AsyncClient, update: dict[str, Any]) -> None:
        webhook = self.webhook
        secret = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret}
        try:
            response = await http.post(webhook.url, json=update, headers=secret)
        except httpx.HTTPError as e:
            webhook.error = type(e).__name__
            return
        self.delivered.append((update, response.status_code))
        if response.is_success and update in self._updates:
            self._updates.remove(update)
        if not response.is_success:
            webhook.error = f"Wrong response from the webhook: {response.status_code}"
        self._announce()

    def _edit_message(self, params: Params, text: str, markup: str | None) -> dict[str, Any]:
        message, buttons = self._shown(params, "edit"), read_buttons(params)
        if (text, buttons) == (message.text, message.buttons):
            raise Refused(
                400,
                "Bad Request: message is not modified: specified new message content and reply "
                "markup are exactly the same as a current content and reply markup of the message",
            )
        if text != message.text:
            message.edits.append(message.text)
        message.text, message.html, message.buttons = text, markup, buttons
        return self._facts(message)

    def _delete(self, params: Params) -> bool:
        key = self._chat(params), int(params["message_id"])
        if key in self.deleted or not (key in self._sent or key in self._said):
            raise Refused(400, "Bad Request: message to delete not found")
        if key in self._said and key[0] < 0:
            raise Refused(400, "Bad Request: message can't be deleted")
        if key in self._sent:
            self._sent[key].deleted = True
        self.deleted.add(key)
        return True

    def _answer_query(self, params: Params) -> bool:
        query_id = str(params["callback_query_id"])
        if query_id not in self._queries:
            raise Refused(
                400,
                "Bad Request: query is too old and response timeout expired or query ID is invalid",
            )
        check_notice(str(params.get("text", "")))
        self._queries.discard(query_id)
        self.answers[query_id] = params
        return True

    def _chat(self, params: Params) -> int:
        """The chat of a call, if the bot may write there."""
        wanted = str(params.get("chat_id", ""))
        chat_id = int(wanted) if wanted.lstrip("-").isdigit() else 0
        if chat_id in self._moved:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refused(400, words, migrate_to_chat_id=self._moved[chat_id])
        if chat_id not in self._chats:
            raise Refused(400, "Bad Request: chat not found")
        if chat_id in self._blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if chat_id in self._muted:
            raise self._muted[chat_id]
        return chat_id

    def _shown(self, params: Params, verb: str) -> SentMessage:
        message = self._sent.get((self._chat(params), int(params["message_id"])))
        if message is None or message.deleted:
            raise Refused(400, f"Bad Request: message to {verb} not found")
        return message

    def _facts(self, message: SentMessage) -> dict[str, Any]:
        is_text = message.document is None and message.photo is None
        facts: dict[str, Any] = {
            "message_id": message.message_id,
            "date": self._date(),
            "chat": self._chats[message.chat_id],
            "from": self._me(),
            ("text" if is_text else "caption"): message.text,
        }
        if message.topic_id is not None:
            facts |= {"message_thread_id": message.topic_id, "is_topic_message": True}
        if message.buttons:
            facts["reply_markup"] = button_facts(message.buttons)
        if message.document is not None:
            name = message.document.name
            facts["document"] = {"file_id": "f", "file_unique_id": "u", "file_name": name}
        if message.photo is not None:
            size = {"width": 1280, "height": 1195}
            facts["photo"] = [{"file_id": "f", "file_unique_id": "u", **size}]
        return facts

    def _me(self) -> dict[str, Any]:
        name = {"first_name": "Ballast", "username": "ballast_bot"}
        return {"id": self.bot_id, "is_bot": True, **name}

    def _date(self) -> int:
        return int(self._clock.steady().timestamp())

    async def _hang(self) -> Reply:
        while not self._closing:
            await self._changed.wait()
        return Reply(drop=True)

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _image(photo: Any) -> bytes:
    """What Telegram takes for one."""
    content = bytes(photo.content)
    if not content.startswith(b"\x89PNG"):
        raise Refused(400, "Bad Request: IMAGE_PROCESS_FAILED")
    return content


def _chat_id(update: Any) -> int:
    """Whose queue it waits in."""
    content = next((v for v in update.values() if isinstance(v, dict)), {})
    chat = content.get("chat") or content.get("message", {}).get("chat") or {}
    return int(chat.get("id", 0))


def _scope(params: Params) -> str:
    """Whose menu it is: `default`, `all_group_chats`, `chat_member:-5005:1002`."""
    scope = json.loads(params.get("scope") or '{"type": "default"}')
    return ":".join(str(scope[key]) for key in ("type", "chat_id", "user_id") if key in scope)


def _is_before(update: Any, offset: int) -> bool:
    update_id = update.get("update_id") if isinstance(update, dict) else None
    return isinstance(update_id, int) and update_id < offset
