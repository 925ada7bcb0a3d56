"""What is set around a target: bands, where trades lead, and what is protected."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from bot.handlers.context import Handler, Routes
from bot.handlers.setting_change import SettingChangeFlow, change_to_confirm, needs_a_yes
from bot.handlers.target_card import plan_needs_a_yes, plan_to_confirm
from bot.interaction.confirmations import BIG_CHANGE, payload_of
from bot.interaction.message import Message
from bot.interaction.request import ConfirmationHandler, Request
from bot.parsing.settings import Topic
from bot.parsing.target_settings import (
    parse_band_switch,
    parse_bands,
    parse_destination,
    parse_protect,
)
from bot.views.bands import (
    bands_changed_view,
    bands_view,
    no_basket_view,
    scale_changed_view,
    twice_changed_view,
)
from bot.views.setting_change import ask_change_view, overtaken_view
from bot.views.target import refused_view
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
from engine.domain.portfolio.consequence import refusal
from engine.domain.portfolio.plan import NoPlan
from engine.domain.rebalancing.pending_change import PendingChange
from engine.rebalancing.portfolio_planning import Planned
from engine.rebalancing.preview import Foreseen


@dataclass(frozen=True, eq=False)
class TargetSettingsHandler(Handler):
    setting_change: SettingChangeFlow

    def routes(self) -> Routes:
        return Routes(
            commands={
                "bands": self.bands,
                "destination": self.destination,
                "protect": self.protect,
            },
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
        return await self._set(request, account, SettingsPatch(protected=protected))

    async def bands(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        if not request.argument:
            may_set = self.may_set(request)
            if may_set:
                await self.listen(request, Topic.BANDS.value)
            return bands_view(
                **await self.forecast(account), is_listening=may_set and request.is_private
            )
        if (switched := parse_band_switch(request.argument)) is not None:
            return await self._switch(request, account, switched)
        wish = await self.parse(request, parse_bands)
        if isinstance(wish, Message):
            return wish
        merged = {**account.settings.bands, **wish} if wish else {}
        bands = {asset: band for asset, band in merged.items() if band is not None}
        wanted = replace(account.settings, bands=bands).targeting
        if wanted.basket is None and bands:
            return no_basket_view(account=account)
        if (why := refusal(wanted)) is not None:
            return refused_view(account=account, wanted=wanted, why=why)
        return await self._set(request, account, SettingsPatch(bands=bands))

    async def _switch(
        self, request: Request, account: Account, switched: Mapping[str, Any]
    ) -> Message:
        if account.settings.targeting.basket is None and any(switched.values()):
            return no_basket_view(account=account)
        change = await self.ctx.accounts.change(account, user_id=request.user_id, **switched)
        view = twice_changed_view if "twice" in switched else scale_changed_view
        echo = view(**await self.forecast(change.after), changed=change.before != change.after)
        return await self._with_undo(request, change, echo)

    async def _set(self, request: Request, account: Account, patch: SettingsPatch) -> Message:
        """Set it, or ask first where that would trade much."""
        question = await self._question(request, account, patch)
        if question is not None:
            return question
        values = patch.for_settings()
        change = await self.ctx.accounts.change(account, user_id=request.user_id, **values)
        return await self._changed(request, change, is_bands=patch.bands is not None)

    async def _changed(
        self, request: Request, change: Change, *, is_bands: bool = False
    ) -> Message:
        before, after = change.before.settings, change.after.settings
        forecast = await self.forecast(change.after)
        if is_bands or before.bands != after.bands:
            echo = bands_changed_view(**forecast, before=before.bands)
        else:
            holdings = await self.ctx.previews.holdings(change.after)
            echo = protect_changed_view(**forecast, before=before.protected, holdings=holdings)
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
        after = replace(account, settings=settings)
        foreseen: Foreseen | Planned | NoPlan | None
        if settings.fixed is None:
            foreseen = planned = await self.ctx.target_previews.next(after)
            if not plan_needs_a_yes(planned, agreed=agreed):
                return None
            proposal = plan_to_confirm(account, patch, planned, in_panel=False)
        else:
            foreseen = seen = await self.ctx.previews.foresee(after)
            if not needs_a_yes(seen, target=settings.fixed.target, agreed=agreed):
                return None
            proposal = change_to_confirm(account, patch, seen, in_panel=False)
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
        return await self._changed(request, done)

    async def _with_undo(self, request: Request, change: Change, echo: Message) -> Message:
        return await self.setting_change.with_undo(
            request, before=change.before, after=change.after, echo=echo
        )
