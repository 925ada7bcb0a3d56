"""`/settings`: the panel, its pages, and the values that are typed for it."""

from dataclasses import dataclass, replace

from bot.handlers.context import Handler, Routes
from bot.handlers.execution import PARSERS as EXECUTION
from bot.handlers.execution import ExecutionHandler
from bot.handlers.limits import LimitsHandler
from bot.handlers.setting_change import SettingChangeFlow
from bot.handlers.settings import SettingsHandler
from bot.interaction.callback_data import EnterValue, Open, PanelPage, SetPreset
from bot.interaction.conversations import ConversationStep
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.parsing.settings import NotUnderstood, Topic
from bot.parsing.target_settings import SETTING_PARSERS
from bot.views.errors import error_view
from bot.views.settings_panel import enter_view, failed_view, still_waiting_view
from engine.errors import EngineError

_VALUE = "value:"


@dataclass(frozen=True, eq=False)
class SettingsPanelHandler(Handler):
    setting_change: SettingChangeFlow
    settings_handler: SettingsHandler
    limits_handler: LimitsHandler
    execution_handler: ExecutionHandler

    def routes(self) -> Routes:
        return Routes(
            commands={"settings": self.settings},
            pages={Open: self._open, SetPreset: self._set_preset, EnterValue: self._enter},
        )

    async def settings(self, request: Request) -> Message:
        return await self._page(request, PanelPage.HOME)

    def is_awaited(self, step: ConversationStep | None) -> bool:
        """Whether it is a value of the panel's that is waited for."""
        return step is not None and step.kind.startswith(_VALUE)

    async def take_value(self, request: Request, step: ConversationStep, text: str) -> Message:
        """The value that was waited for, as if it had been typed behind its command."""
        page = PanelPage(step.kind.removeprefix(_VALUE))
        try:
            {**SETTING_PARSERS, **EXECUTION}[Topic(page.value)](text)
        except NotUnderstood as e:
            return still_waiting_view(page=page, typed_text=text, rule=e.rule)
        answer = await self._set(page, replace(request, argument=text), in_panel=False)
        await self.ctx.responder.edit(
            request.place,
            int(step.text),
            await self._page(request, page),
            key=f"panel:{request.chat_id}:{request.message_id}",
        )
        # Only now: killed in between, it is understood again.
        await self.ctx.conversations.forget(request)
        return answer

    async def _open(self, request: Request, press: Open) -> Message:
        """Also what "Cancel" does: nothing is waited for any more."""
        if self.is_awaited(await self.ctx.conversations.step(request)):
            await self.ctx.conversations.forget(request)
        return await self._page(request, press.page)

    async def _set_preset(self, request: Request, press: SetPreset) -> Message:
        value = press.value
        if press.page is PanelPage.LIMITS:
            value = f"order {value}"
        try:
            return await self._set(press.page, replace(request, argument=value), in_panel=True)
        except EngineError as e:
            return failed_view(error_view(e, is_shared=request.is_shared), page=press.page)

    async def _enter(self, request: Request, press: EnterValue) -> Message:
        await self.ctx.conversations.wait(
            request, f"{_VALUE}{press.page.value}", f"{request.message_id}"
        )
        account = await self.ctx.accounts.of(request.chat_id)
        return enter_view(page=press.page, account=account, is_private=request.is_private)

    async def _set(self, page: PanelPage, request: Request, *, in_panel: bool) -> Message:
        request = replace(request, command=page.value)
        if page is PanelPage.LIMITS:
            return await self.limits_handler.set_limits(request, in_panel=in_panel)
        if Topic(page.value) in EXECUTION:
            return await self.execution_handler.set(request, in_panel=in_panel)
        return await self.settings_handler.set(request, Topic(page.value), in_panel=in_panel)

    async def _page(self, request: Request, page: PanelPage) -> Message:
        return await self.setting_change.page(page, await self.ctx.accounts.of(request.chat_id))
