"""`/alerts` and `/warn`: how alerts are delivered, and warnings of a low balance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.handlers.context import Handler, Routes
from bot.interaction.callback_data import RemoveLowBalance, SetAlert
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.parsing.alerts import UnknownZone, parse_alerts, parse_shared_alerts, parse_warn
from bot.parsing.settings import Topic
from bot.views.alert_preferences import (
    TYPED_PARTS,
    alert_choices_view,
    alerts_changed_view,
    alerts_view,
    unknown_zone_view,
)
from bot.views.low_balance import (
    ask_mark_view,
    mark_removed_view,
    mark_set_view,
    marks_view,
    too_many_marks_view,
)
from bot.views.shared_alerts import shared_alerts_view, shared_zone_unknown_view
from engine.domain.accounts.account import Account
from engine.domain.accounts.members import Role
from engine.domain.accounts.shares import Share
from engine.domain.market.pairs import USDT, Asset, base_of


@dataclass(frozen=True, eq=False)
class AlertsHandler(Handler):
    def routes(self) -> Routes:
        return Routes(
            commands={"alerts": self.alerts, "warn": self.warn},
            pages={SetAlert: self._change_in_panel, RemoveLowBalance: self._remove_mark},
        )

    async def alerts(self, request: Request) -> Message:
        if request.is_shared:
            share = await self.ctx.alert_preferences.of_shared(request.chat_id)
            if share is not None:
                return await self._shared(request, share)
        account = await self.ctx.accounts.of(request.chat_id)
        now = self.ctx.clock.now()
        if not request.argument:
            settings = await self.ctx.alert_preferences.settings(account)
            return alerts_view(account=account, settings=settings, now=now)
        try:
            parsed = await self.parse(request, parse_alerts)
        except UnknownZone as e:
            typed = request.argument.partition(" ")[2]
            await self.listen(request, "alerts zone")
            return unknown_zone_view(account=account, typed_text=typed, suggestions=e.suggestions)
        if isinstance(parsed, Message):
            return parsed
        part, wanted = parsed
        change = await self.ctx.alert_preferences.change(account, wanted, user_id=request.user_id)
        return alerts_changed_view(
            account=account, part=part, before=change.before, settings=change.after, now=now
        )

    async def _shared(self, request: Request, share: Share) -> Message:
        """What comes here of another chat's account. In a group, who may trade or sent the link
        chooses.
        """
        now = self.ctx.clock.now()
        is_theirs = request.user_id == share.user_id or request.role.covers(Role.TRADER)
        if not request.argument or not is_theirs:
            return shared_alerts_view(share=share, now=now, is_theirs=is_theirs)
        try:
            wanted = parse_shared_alerts(request.argument)
        except UnknownZone as e:
            return shared_zone_unknown_view(suggestions=e.suggestions)
        if wanted is not None:
            share = (
                await self.ctx.alert_preferences.change_shared(request.chat_id, wanted) or share
            )
        return shared_alerts_view(
            share=share, now=now, is_theirs=True, is_understood=wanted is not None
        )

    async def _change_in_panel(self, request: Request, press: SetAlert) -> Message:
        """A button of the panel: what it would be to type it, or the choices for its part."""
        if press.part in TYPED_PARTS and not press.value:
            await self.listen(request, f"alerts {press.part}")
        if press.value:
            return await self.alerts(replace(request, argument=f"{press.part} {press.value}"))
        account = await self.ctx.accounts.of(request.chat_id)
        return alert_choices_view(
            account=account,
            part=press.part,
            settings=await self.ctx.alert_preferences.settings(account),
            now=self.ctx.clock.now(),
            is_listening=request.is_private,
        )

    async def warn(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        if not request.argument:
            may_set = self.may_set(request)
            if may_set:
                await self.listen(request, Topic.WARN.value)
            return marks_view(
                account=account,
                marks=await self.ctx.alert_preferences.marks(account),
                tokens=self._tokens(account) if may_set else (),
                is_listening=may_set and request.is_private,
            )
        name, _, amount = request.argument.partition(" ")
        asset = next((one for one in self._tokens(account) if one == name.upper()), None)
        beginning = f"{Topic.WARN.value} {asset}" if asset else None
        if asset and beginning and not amount.strip():
            await self.listen(request, beginning)
            return ask_mark_view(asset=asset, is_listening=request.is_private)
        wanted = await self.parse(request, parse_warn, beginning=beginning)
        if isinstance(wanted, Message):
            return wanted
        if wanted.below is None:
            removed = await self.ctx.alert_preferences.remove_mark(
                account, wanted.asset, user_id=request.user_id
            )
            return mark_removed_view(
                account=account, asset=wanted.asset, was_there=removed.before is not None
            )
        return await self._set_mark(request, account, wanted.asset, wanted.below)

    def _tokens(self, account: Account) -> Sequence[Asset]:
        """The pair's first, then what else was held at the last look."""
        pair = (base_of(account.settings.symbol), USDT)
        return list(dict.fromkeys([*pair, *self.ctx.previews.tokens_of(account)]))

    async def _set_mark(
        self, request: Request, account: Account, asset: Asset, below: Decimal
    ) -> Message:
        change = await self.ctx.alert_preferences.set_mark(
            account, asset, below, user_id=request.user_id
        )
        if change.after is None:
            return too_many_marks_view(account=account)
        return mark_set_view(
            account=account,
            mark=change.after,
            changed=change.before != change.after,
            left=await self.ctx.previews.left_of(account, asset),
            rules=await self.ctx.previews.known_rules(account),
        )

    async def _remove_mark(self, request: Request, press: RemoveLowBalance) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        asset = Asset(press.asset)
        await self.ctx.alert_preferences.remove_mark(account, asset, user_id=request.user_id)
        marks = await self.ctx.alert_preferences.marks(account)
        return marks_view(account=account, marks=marks, removed=asset)
