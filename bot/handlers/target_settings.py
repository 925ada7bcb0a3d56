"""What is set around a target: where trades lead, and what is protected."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.handlers.context import Handler, Routes
from bot.handlers.setting_change import SettingChangeFlow, change_to_confirm, needs_a_yes
from bot.interaction.confirmations import BIG_CHANGE, payload_of
from bot.interaction.message import Message
from bot.interaction.request import ConfirmationHandler, Request
from bot.parsing.settings import Topic
from bot.parsing.target_settings import parse_destination, parse_protect
from bot.views.setting_change import ask_change_view, overtaken_view
from bot.views.target_settings import (
    MOST_PROTECTED,
    destination_changed_view,
    destination_view,
    protect_changed_view,
    protect_view,
    too_many_protected_view,
)
from engine.accounts.account_service import Change
from engine.accounts.pending_changes import StaleChange
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import Confirmation, Refusal
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.market.pairs import Asset
from engine.domain.rebalancing.pending_change import PendingChange


@dataclass(frozen=True, eq=False)
class TargetSettingsHandler(Handler):
    setting_change: SettingChangeFlow

    def routes(self) -> Routes:
        return Routes(
            commands={"destination": self.destination, "protect": self.protect},
            taps={BIG_CHANGE: ConfirmationHandler(self._confirmed)},
        )

    async def destination(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        if not request.argument:
            rules = await self.ctx.previews.known_rules(account)
            return destination_view(account=account, rules=rules)
        chosen = await self.parse(request, parse_destination)
        if isinstance(chosen, Message):
            return chosen
        change = await self.ctx.accounts.change(
            account, user_id=request.user_id, destination=chosen
        )
        echo = destination_changed_view(
            **await self.forecast(change.after), changed=change.before != change.after
        )
        return await self._with_undo(request, change, echo)

    async def protect(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        if not request.argument:
            may_set = self.may_set(request)
            if may_set:
                await self.listen(request, Topic.PROTECT.value)
            return protect_view(
                account=account,
                holdings=await self.ctx.previews.holdings(account),
                is_listening=may_set and request.is_private,
            )
        wish = await self.parse(request, parse_protect)
        if isinstance(wish, Message):
            return wish
        protected: dict[Asset, Decimal] = {}
        if wish is not None:
            protected = {**account.settings.protected}
            protected.pop(wish.asset, None)
            if wish.units is not None:
                protected[wish.asset] = wish.units
        if len(protected) > MOST_PROTECTED:
            return too_many_protected_view(account=account)
        return await self._protect(request, account, protected)

    async def _protect(
        self,
        request: Request,
        account: Account,
        protected: Mapping[Asset, Decimal],
    ) -> Message:
        """Set it, or ask first where that would trade much."""
        patch = SettingsPatch(protected=protected)
        question = await self._question(request, account, patch)
        if question is not None:
            return question
        change = await self.ctx.accounts.change(
            account, user_id=request.user_id, protected=protected
        )
        return await self._protected(request, change)

    async def _protected(self, request: Request, change: Change) -> Message:
        echo = protect_changed_view(
            **await self.forecast(change.after),
            before=change.before.settings.protected,
            holdings=await self.ctx.previews.holdings(change.after),
        )
        return await self._with_undo(request, change, echo)

    async def _question(
        self,
        request: Request,
        account: Account,
        patch: SettingsPatch,
        *,
        agreed: PendingChange | None = None,
    ) -> Message | None:
        """The question whether *patch* should be set; None where it moves little, nothing real, or
        no more than was *agreed*.
        """
        settings = replace(account.settings, **patch.for_settings())
        if settings == account.settings or settings.dry_run or not account.can_trade:
            return None
        if settings.fixed is None:
            return None
        foreseen = await self.ctx.previews.foresee(replace(account, settings=settings))
        if not needs_a_yes(foreseen, target=settings.fixed.target, agreed=agreed):
            return None
        proposal = change_to_confirm(account, patch, foreseen, in_panel=False)
        question_id = await self.ctx.confirmations.ask(request, kind=BIG_CHANGE, payload=proposal)
        return ask_change_view(
            account=account, wanted=patch, foreseen=foreseen, confirmation_id=question_id
        )

    async def _confirmed(self, question: Confirmation, request: Request) -> Message | Refusal:
        """The prices are read again: where more than was shown would be traded, it is asked again."""
        proposal = payload_of(question, PendingChange)
        account = await self.ctx.accounts.of(request.chat_id)
        if proposal.holds(account):
            again = await self._question(request, account, proposal.wanted, agreed=proposal)
            if again is not None:
                taken = await self.ctx.confirmations.take(question.id, request)
                return taken if isinstance(taken, Refusal) else again
        done = await self.ctx.pending_changes.carry_out(
            question.id,
            chat_id=request.chat_id,
            user_id=request.user_id,
            action="confirm change",
        )
        if isinstance(done, Refusal):
            return done
        if isinstance(done, StaleChange):
            return overtaken_view(account=done.account, proposal=proposal)
        return await self._protected(request, done)

    async def _with_undo(self, request: Request, change: Change, echo: Message) -> Message:
        return await self.setting_change.with_undo(
            request, before=change.before, after=change.after, echo=echo
        )
