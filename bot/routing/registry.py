"""Maps commands, confirmations and pages to their handlers."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from bot.access.permissions import SHARED_QUESTIONS, may_tap_with_anothers, needed_for
from bot.handlers.alerts import AlertsHandler
from bot.handlers.api_key import ApiKeyHandler
from bot.handlers.audit import AuditHandler
from bot.handlers.balance import BalanceHandler
from bot.handlers.basket_builder import BasketBuilder
from bot.handlers.chart import ChartHandler
from bot.handlers.context import ASKED, Handler, HandlerContext
from bot.handlers.deposits import DepositsHandler
from bot.handlers.doctor import DoctorHandler
from bot.handlers.execution import ExecutionHandler
from bot.handlers.export import ExportHandler
from bot.handlers.flows import FlowsHandler
from bot.handlers.general import GeneralHandler
from bot.handlers.halt import HaltHandler
from bot.handlers.history import HistoryHandler
from bot.handlers.limits import LimitsHandler
from bot.handlers.manual_trade import ManualTradeHandler
from bot.handlers.members import MembersHandler
from bot.handlers.pacing import PacingHandler
from bot.handlers.price_alerts import PriceAlertsHandler
from bot.handlers.profit import ProfitHandler
from bot.handlers.resume import ResumeHandler
from bot.handlers.setting_change import SettingChangeFlow
from bot.handlers.settings import SettingsHandler
from bot.handlers.settings_panel import SettingsPanelHandler
from bot.handlers.share import ShareHandler
from bot.handlers.shared_groups import SharedGroupsHandler
from bot.handlers.slices import SlicesHandler
from bot.handlers.status import StatusHandler
from bot.handlers.target import TargetHandler
from bot.handlers.target_change import TargetChangeFlow
from bot.handlers.target_settings import TargetSettingsHandler
from bot.handlers.trading import TradingHandler
from bot.handlers.trading_mode import TradingModeHandler
from bot.handlers.unresolved_order import UnresolvedOrderHandler
from bot.handlers.why import WhyHandler
from bot.interaction.callback_data import Choose, Confirm
from bot.interaction.confirmations import CHOICE, payload_of
from bot.interaction.message import Message
from bot.interaction.request import Command, ConfirmationHandler, PageHandler, Request, Response
from bot.parsing.plain_words import is_plain_resume, plain_value
from bot.views.access import not_allowed_view
from bot.views.components.keyboards import with_buttons
from bot.views.components.listening import ask_plain_value_view
from bot.views.errors import error_view
from bot.views.general import unknown_command_view
from engine.domain.accounts.confirmation import Confirmation, Refusal, RefusalReason
from engine.errors import EngineError
from engine.storage.accounts import acting

logger = logging.getLogger(__name__)


class HandlerRegistry:
    def __init__(self, ctx: HandlerContext) -> None:
        setting_change = SettingChangeFlow(ctx)
        settings = SettingsHandler(ctx, setting_change)
        limits = LimitsHandler(ctx, setting_change)
        execution = ExecutionHandler(ctx, setting_change)
        target_change = TargetChangeFlow(ctx, setting_change)
        basket_builder = BasketBuilder(ctx, target_change)
        general = GeneralHandler(ctx)
        self.welcome = general.welcome
        self._api_key = ApiKeyHandler(ctx)
        self._panel = SettingsPanelHandler(ctx, setting_change, settings, limits, execution)
        self._resume = ResumeHandler(ctx)
        unresolved_order = UnresolvedOrderHandler(ctx)
        share = ShareHandler(ctx)
        flows = FlowsHandler(ctx)
        slices = SlicesHandler(ctx)
        self.reported = unresolved_order.reported
        self._confirmations = ctx.confirmations
        self._conversations = ctx.conversations
        handlers: Sequence[Handler] = (
            StatusHandler(ctx),
            general,
            self._api_key,
            unresolved_order,
            AlertsHandler(ctx),
            PriceAlertsHandler(ctx),
            limits,
            HaltHandler(ctx),
            setting_change,
            settings,
            self._panel,
            BalanceHandler(ctx),
            WhyHandler(ctx),
            HistoryHandler(ctx),
            ProfitHandler(ctx, flows),
            flows,
            DoctorHandler(ctx),
            ChartHandler(ctx),
            ExportHandler(ctx),
            TradingModeHandler(ctx, setting_change),
            DepositsHandler(ctx, setting_change),
            TargetSettingsHandler(ctx, setting_change),
            execution,
            target_change,
            basket_builder,
            TargetHandler(ctx, target_change, basket_builder),
            PacingHandler(ctx, setting_change),
            TradingHandler(ctx),
            self._resume,
            slices,
            ManualTradeHandler(ctx, slices),
            share,
            MembersHandler(ctx, share),
            SharedGroupsHandler(ctx),
            AuditHandler(ctx),
        )
        reading = ConfirmationHandler(
            ctx.confirmations.once(self._reading_chosen), choices=lambda q: len(_options(q)) - 1
        )
        self._taps: dict[str, ConfirmationHandler] = {CHOICE: reading}
        self._commands: dict[str, Command] = {}
        self._pages: dict[type, PageHandler] = {}
        for handler in handlers:
            routes = handler.routes()
            self._commands |= routes.commands
            self._taps |= routes.taps
            self._pages |= routes.pages

    async def do(self, request: Request) -> Response:
        """Run a command, if the author may send it."""
        return _fitting(await self._do(request), request)

    async def _do(self, request: Request) -> Response:
        command = self._commands.get(request.command)
        if command is None:
            return await self.stray(request) or unknown_command_view(
                name=request.command, argument=request.argument
            )
        needed = needed_for(request.command, request.argument, is_shared=request.is_shared)
        if not request.role.covers(needed):
            return await self.stray(request) or not_allowed_view(
                role=request.role, needed=needed, is_shared=request.is_shared
            )
        try:
            return await command(request)
        except EngineError as e:
            logger.info("command failed", extra={"command": request.command, "error": str(e)})
            return error_view(e, is_shared=request.is_shared)

    async def page(self, request: Request, press: object) -> Response:
        """What a button of a list or a panel shows in place of its message."""
        return _fitting(await self._pages[type(press)](request, press), request)

    async def continue_conversation(self, request: Request, text: str) -> Response | None:
        """An answer to a step of a dialog; None where none was waited for, or this is none."""
        step = await self._conversations.step(request)
        is_asked = step is not None and step.kind == ASKED
        if step is not None and not (is_asked or self._panel.is_awaited(step)):
            return await self._api_key.take_step(request, text)
        # A key that was meant for another question is deleted all the same.
        stray = await self._api_key.stray(request, text)
        if stray is not None or request.is_secondhand or not text:
            return stray
        if step is None or (is_asked and is_plain_resume(text)):
            return await self._unasked(request, text)
        if is_asked:
            return await self._answer(request, step.text, text)
        return await self._panel.take_value(request, step, text)

    async def _answer(self, request: Request, beginning: str, text: str) -> Response:
        """Run the command that *text* completes. If it asks for more, the next text answers that."""
        await self._conversations.forget(request)
        command, _, part = beginning.partition(" ")
        return await self.do(replace(request, command=command, argument=f"{part} {text}".strip()))

    async def _unasked(self, request: Request, text: str) -> Message | None:
        """Ask before a plain word or value is acted on that answers no question: it may move money."""
        if not request.is_private:
            return None
        if is_plain_resume(text):
            await self._conversations.forget(request)
            return await self._resume.plain_word(request)
        meant = plain_value(text)
        if meant is None:
            return None
        question_id = await self._confirmations.ask(
            request, kind=CHOICE, payload=[meant.topic.value, *meant.options]
        )
        return ask_plain_value_view(meant=meant, typed_text=text, confirmation_id=question_id)

    async def is_in_conversation(self, request: Request) -> bool:
        """True if this user was asked to type something here."""
        return await self._conversations.step(request) is not None

    async def stray(self, request: Request) -> Message | None:
        """The answer to an API key in the wrong place; None if nothing looks like one."""
        return await self._api_key.stray(request, request.argument)

    async def cancel_question(self, request: Request) -> None:
        """Await no value any more: another button was tapped."""
        await self._conversations.cancel(request, ASKED)

    async def end_conversation(self, request: Request) -> None:
        """End the conversation: a command came instead of the awaited text."""
        await self._conversations.forget(request)

    async def question(self, press: Confirm | Choose, request: Request) -> Confirmation | Refusal:
        """The question that this tap answers, or why it does not count; nothing is used up."""
        question = await self._confirmations.find(press.id, request)
        if isinstance(question, Refusal):
            return question
        is_refused = request.is_shared and question.kind not in SHARED_QUESTIONS
        if self._offers(question, press) and not is_refused:
            return question
        return Refusal(RefusalReason.UNKNOWN)

    async def answered(self, question: Confirmation, request: Request) -> Response | Refusal:
        """Do what the tapped button says."""
        answer = await self._taps[question.kind].act(question, request)
        return answer if isinstance(answer, Refusal) else _fitting(answer, request)

    def late(self, question: Confirmation) -> Message | None:
        """The answer to an expired tap, where the confirmation has a view of its own for it."""
        on_tap = self._taps.get(question.kind)
        return on_tap.late(question) if on_tap is not None and on_tap.late is not None else None

    def _offers(self, question: Confirmation, press: Confirm | Choose) -> bool:
        """Whether the question has such a button."""
        on_tap = self._taps.get(question.kind)
        if on_tap is None:
            return False
        if on_tap.choices is None:
            return isinstance(press, Confirm)
        return isinstance(press, Choose) and press.index < on_tap.choices(question)

    async def _reading_chosen(self, question: Confirmation, request: Request) -> Response:
        """A reading of an ambiguous value is as if that had been typed."""
        command, *options = _options(question)
        argument = options[request.option]
        return await self.do(replace(request, command=command, argument=argument))


def _fitting(answer: Response, request: Request) -> Response:
    """The answer without buttons that may not be tapped with another chat's account. A group's are
    for all its members.
    """
    share = acting.present_share()
    if share is None or not isinstance(answer, Message):
        return answer
    role = request.role if request.is_private else share.role
    return with_buttons(answer, lambda press: may_tap_with_anothers(press, role))


def _options(question: Confirmation) -> list[str]:
    return payload_of(question, list[str])
