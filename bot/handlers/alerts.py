"""`/alerts` and `/warn`: how the chat wants to be told, and what it wants to be warned of."""

from collections.abc import Mapping
from dataclasses import replace

from bot.handlers.settings import CHOICE
from bot.interaction.callback_data import RemoveLowBalance, SetAlert
from bot.interaction.confirmations import Confirmations
from bot.interaction.message import Message
from bot.interaction.request import Command, ConfirmationHandler, PageHandler, Request
from bot.parsing.alerts import LowWish, UnknownZone, parse_alerts, parse_warn
from bot.parsing.settings import Ambiguous, NotUnderstood
from bot.views.alert_preferences import (
    alert_choices_view,
    alerts_changed_view,
    alerts_view,
    unknown_zone_view,
)
from bot.views.low_balance import mark_removed_view, mark_set_view, marks_view, too_many_marks_view
from bot.views.settings import not_understood_view, question_view
from engine.accounts.account_service import AccountService
from engine.accounts.alert_preferences import AlertPreferenceService
from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.market.pairs import Asset
from engine.rebalancing.preview import Previews
from engine.storage.serialization import to_json


class AlertsHandler:
    def __init__(
        self,
        *,
        accounts: AccountService,
        alerting: AlertPreferenceService,
        previews: Previews,
        questions: Confirmations,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._alerting = alerting
        self._previews = previews
        self._questions = questions
        self._clock = clock

    @property
    def commands(self) -> Mapping[str, Command]:
        return {"alerts": self.alerts, "warn": self.warn}

    @property
    def taps(self) -> Mapping[str, ConfirmationHandler]:
        return {}

    @property
    def pages(self) -> Mapping[type, PageHandler]:
        return {SetAlert: self._tuned, RemoveLowBalance: self._unwarned}

    async def alerts(self, ask: Request) -> Message:
        account = await self._accounts.of(ask.chat_id)
        now = self._clock.now()
        if not ask.argument:
            settings = await self._alerting.settings(account)
            return alerts_view(account=account, settings=settings, now=now)
        try:
            parsed = parse_alerts(ask.argument)
        except NotUnderstood as e:
            return not_understood_view(topic=e.topic, typed_text=ask.argument)
        except UnknownZone as e:
            typed = ask.argument.partition(" ")[2]
            return unknown_zone_view(account=account, typed_text=typed, suggestions=e.suggestions)
        if isinstance(parsed, Ambiguous):
            return await self._asked_back(ask, parsed)
        part, wish = parsed
        change = await self._alerting.change(account, wish, user_id=ask.user_id)
        return alerts_changed_view(
            account=account, part=part, before=change.before, settings=change.after, now=now
        )

    async def _tuned(self, ask: Request, press: SetAlert) -> Message:
        """A button of the panel: what it would be to type it, or the choices for its part."""
        if press.value:
            return await self.alerts(replace(ask, argument=f"{press.part} {press.value}"))
        account = await self._accounts.of(ask.chat_id)
        return alert_choices_view(
            account=account,
            part=press.part,
            settings=await self._alerting.settings(account),
            now=self._clock.now(),
        )

    async def warn(self, ask: Request) -> Message:
        account = await self._accounts.of(ask.chat_id)
        if not ask.argument:
            return marks_view(account=account, marks=await self._alerting.marks(account))
        try:
            wish = parse_warn(ask.argument)
        except NotUnderstood as e:
            return not_understood_view(topic=e.topic, typed_text=ask.argument)
        if isinstance(wish, Ambiguous):
            return await self._asked_back(ask, wish)
        if wish.below is None:
            removed = await self._alerting.remove_mark(account, wish.asset, user_id=ask.user_id)
            return mark_removed_view(
                account=account, asset=wish.asset, was_there=removed.before is not None
            )
        return await self._set_mark(ask, account, wish)

    async def _set_mark(self, ask: Request, account: Account, wish: LowWish) -> Message:
        if wish.below is None:
            raise ValueError("there is no mark to set")
        change = await self._alerting.set_mark(
            account, wish.asset, wish.below, user_id=ask.user_id
        )
        if change.after is None:
            return too_many_marks_view(account=account)
        return mark_set_view(
            account=account,
            mark=change.after,
            changed=change.before != change.after,
            left=await self._previews.left_of(account, wish.asset),
            rules=await self._previews.known_rules(account),
        )

    async def _unwarned(self, ask: Request, press: RemoveLowBalance) -> Message:
        account = await self._accounts.of(ask.chat_id)
        asset = Asset(press.asset)
        await self._alerting.remove_mark(account, asset, user_id=ask.user_id)
        marks = await self._alerting.marks(account)
        return marks_view(account=account, marks=marks, removed=asset)

    async def _asked_back(self, ask: Request, ambiguous: Ambiguous) -> Message:
        options = to_json([ambiguous.topic.value, *ambiguous.options])
        question_id = await self._questions.ask(ask, kind=CHOICE, payload=options)
        return question_view(
            ambiguous=ambiguous, typed_text=ask.argument, confirmation_id=question_id
        )
