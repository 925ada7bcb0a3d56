"""`/limits` and `/halt`: what holds back the bot whatever it plans."""

from collections.abc import Mapping

from bot.access.authorization import Access
from bot.handlers.setting_change import SettingChangeFlow
from bot.handlers.settings import CHOICE
from bot.handlers.update_cancellation import UpdateCancellation
from bot.interaction.callback_data import Choose, Confirm
from bot.interaction.confirmations import LIFT, Confirmations
from bot.interaction.message import Message
from bot.interaction.request import Command, ConfirmationHandler, PageHandler, Request
from bot.parsing.settings import Ambiguous, NotUnderstood, Topic, parse_limits
from bot.views.halt import (
    ask_lift_view,
    halt_usage_view,
    halted_view,
    lifted_view,
    not_the_owner_view,
    other_halt_view,
)
from bot.views.limits import limits_changed_view, limits_view
from bot.views.settings import not_understood_view, question_view
from engine.accounts.account_service import AccountService, Change
from engine.accounts.halt import Halts
from engine.accounts.overview import AccountOverviews
from engine.accounts.risk_limits import AccountLimits
from engine.clock import Clock
from engine.rebalancing.preview import Previews
from engine.storage.chat.confirmations import Confirmation, Refusal
from engine.storage.serialization import to_json


class LimitsHandler:
    def __init__(
        self,
        *,
        accounts: AccountService,
        limits: AccountLimits,
        halts: Halts,
        access: Access,
        previews: Previews,
        situations: AccountOverviews,
        questions: Confirmations,
        changing: SettingChangeFlow,
        overtaking: UpdateCancellation,
        clock: Clock,
    ) -> None:
        self._overtaking = overtaking
        self._changing = changing
        self._accounts = accounts
        self._limits = limits
        self._halts = halts
        self._access = access
        self._previews = previews
        self._situations = situations
        self._questions = questions
        self._clock = clock

    @property
    def commands(self) -> Mapping[str, Command]:
        return {"limits": self.limits, "halt": self.halt}

    @property
    def taps(self) -> Mapping[str, ConfirmationHandler]:
        return {LIFT: ConfirmationHandler(self._lift_confirmed)}

    @property
    def pages(self) -> Mapping[type, PageHandler]:
        return {}

    async def limits(self, ask: Request) -> Message:
        account = await self._accounts.of(ask.chat_id)
        if not ask.argument:
            recent = await self._limits.recent(account)
            rules = await self._previews.known_rules(account)
            return limits_view(account=account, recent=recent, rules=rules)
        return await self.set_limits(ask, in_panel=False)

    async def set_limits(self, ask: Request, *, in_panel: bool) -> Message:
        account = await self._accounts.of(ask.chat_id)
        try:
            wishes = parse_limits(ask.argument)
        except NotUnderstood:
            return not_understood_view(topic=Topic.LIMITS, typed_text=ask.argument)
        if isinstance(wishes, Ambiguous):
            options = to_json([Topic.LIMITS.value, *wishes.options])
            question_id = await self._questions.ask(ask, kind=CHOICE, payload=options)
            return question_view(
                ambiguous=wishes, typed_text=ask.argument, confirmation_id=question_id
            )
        change = await self._limits.change(account, user_id=ask.user_id, **wishes)
        if in_panel:
            made = Change(change.before, change.after)
            return await self._changing.told(ask, Topic.LIMITS, made, in_panel=True)
        outlook = await self._previews.outlook(change.after, self._situations.look)
        echo = limits_changed_view(
            account=change.after,
            changed=change.before != change.after,
            recent=change.recent,
            now=self._clock.now(),
            look=outlook.look,
            rules=outlook.rules,
            foreseen=outlook.foreseen,
        )
        return await self._changing.with_undo(
            ask, before=change.before, after=change.after, echo=echo
        )

    async def halt(self, ask: Request) -> Message:
        """At once and without a question; lifting one shows what starts again, and asks."""
        if not await self._access.is_owner(user_id=ask.user_id):
            return not_the_owner_view(account=await self._accounts.of(ask.chat_id))
        match ask.argument.lower():
            case "":
                cancelling = self._overtaking.begin(ask.chat_id, everywhere=True)
                done = await self._halts.halt(
                    chat_id=ask.chat_id, user_id=ask.user_id, first=cancelling
                )
                return halted_view(
                    halt=done.halt,
                    already=not done.changed,
                    now=self._clock.now(),
                    under_way=done.under_way,
                    cancelled=cancelling.names,
                )
            case "off":
                account = await self._accounts.of(ask.chat_id)
                if (waiting := await self._halts.waiting()) is None:
                    return lifted_view(account=account, was_halted=False)
                question_id = await self._questions.ask(
                    ask, kind=LIFT, payload=to_json(waiting.halt)
                )
                return ask_lift_view(account=account, waiting=waiting, confirmation_id=question_id)
            case _:
                return halt_usage_view()

    async def _lift_confirmed(
        self, question: Confirmation, _: Confirm | Choose, ask: Request
    ) -> Message | Refusal:
        if not await self._access.is_owner(user_id=ask.user_id):
            return not_the_owner_view(account=await self._accounts.of(ask.chat_id))
        lifted = await self._halts.lift(question.id, chat_id=ask.chat_id, user_id=ask.user_id)
        if isinstance(lifted, Refusal):
            return lifted
        account = await self._accounts.of(ask.chat_id)
        if not lifted and account.halted:
            return other_halt_view(account=account)
        return lifted_view(account=account, was_halted=lifted)
