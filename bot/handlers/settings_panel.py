"""`/settings`: the panel, its pages, and the values that are typed for it."""

from collections.abc import Mapping
from dataclasses import replace

from bot.handlers.limits import LimitsHandler
from bot.handlers.setting_change import SettingChangeFlow
from bot.handlers.settings import SettingsHandler
from bot.interaction.callback_data import EnterValue, Open, PanelPage, SetPreset
from bot.interaction.conversations import Conversations, ConversationStep
from bot.interaction.message import Message
from bot.interaction.request import Command, ConfirmationHandler, PageHandler, Request
from bot.messaging.responder import Responder
from bot.parsing.settings import PARSERS, NotUnderstood, Topic
from bot.views.errors import error_view
from bot.views.settings import not_understood_view
from bot.views.settings_panel import enter_view, failed_view, still_waiting_view
from engine.accounts.account_service import AccountService
from engine.errors import EngineError

_VALUE = "value:"


class SettingsPanelHandler:
    def __init__(
        self,
        *,
        accounts: AccountService,
        changing: SettingChangeFlow,
        settings: SettingsHandler,
        guards: LimitsHandler,
        dialogs: Conversations,
        replies: Responder,
    ) -> None:
        self._accounts = accounts
        self._changing = changing
        self._settings = settings
        self._guards = guards
        self._dialogs = dialogs
        self._replies = replies

    @property
    def commands(self) -> Mapping[str, Command]:
        return {"settings": self.settings}

    @property
    def taps(self) -> Mapping[str, ConfirmationHandler]:
        return {}

    @property
    def pages(self) -> Mapping[type, PageHandler]:
        return {Open: self._open, SetPreset: self._put, EnterValue: self._enter}

    async def settings(self, ask: Request) -> Message:
        return await self._page(ask, PanelPage.HOME)

    def waits(self, step: ConversationStep | None) -> bool:
        """Whether it is a value of the panel's that is waited for."""
        return step is not None and step.kind.startswith(_VALUE)

    async def said(self, ask: Request, step: ConversationStep, text: str) -> Message:
        """The value that was waited for, as if it had been typed behind its command."""
        page = PanelPage(step.kind.removeprefix(_VALUE))
        try:
            PARSERS[Topic(page.value)](text)
        except NotUnderstood as e:
            refused = not_understood_view(topic=e.topic, typed_text=text)
            return still_waiting_view(refused, page=page)
        answer = await self._set(page, replace(ask, argument=text), in_panel=False)
        await self._replies.edit(
            ask.place,
            int(step.text),
            await self._page(ask, page),
            key=f"panel:{ask.chat_id}:{ask.message_id}",
        )
        await self._dialogs.forget(ask)  # only now: killed in between, it is understood again
        return answer

    async def _open(self, ask: Request, press: Open) -> Message:
        """Also what "Cancel" does: nothing is waited for any more."""
        if self.waits(await self._dialogs.step(ask)):
            await self._dialogs.forget(ask)
        return await self._page(ask, press.page)

    async def _put(self, ask: Request, press: SetPreset) -> Message:
        value = press.value
        if press.page is PanelPage.LIMITS:
            value = f"order {value}"
        try:
            return await self._set(press.page, replace(ask, argument=value), in_panel=True)
        except EngineError as e:
            return failed_view(error_view(e), page=press.page)

    async def _enter(self, ask: Request, press: EnterValue) -> Message:
        await self._dialogs.wait(ask, f"{_VALUE}{press.page.value}", f"{ask.message_id}")
        account = await self._accounts.of(ask.chat_id)
        return enter_view(page=press.page, account=account, is_private=ask.is_private)

    async def _set(self, page: PanelPage, ask: Request, *, in_panel: bool) -> Message:
        ask = replace(ask, command=page.value)
        if page is PanelPage.LIMITS:
            return await self._guards.set_limits(ask, in_panel=in_panel)
        return await self._settings.set(ask, Topic(page.value), in_panel=in_panel)

    async def _page(self, ask: Request, page: PanelPage) -> Message:
        return await self._changing.page(page, await self._accounts.of(ask.chat_id))
