"""`/pricealert`: after which moves of a price the chat gets a message."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.interaction.callback_data import RemovePriceAlert
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.parsing.price_alerts import PriceAlertWish, parse_price_alert
from bot.parsing.settings import Topic
from bot.views.price_alerts import (
    ask_move_view,
    no_such_price_view,
    price_alert_removed_view,
    price_alert_set_view,
    price_alerts_view,
    too_many_price_alerts_view,
)
from engine.domain.accounts.account import Account
from engine.domain.market.pairs import USDT, Asset, base_of, symbol_of
from engine.notifications.price_alert_changes import PriceAlertRefusal


@dataclass(frozen=True, eq=False)
class PriceAlertsHandler(Handler):
    def routes(self) -> Routes:
        return Routes(
            commands={"pricealert": self.price_alert}, pages={RemovePriceAlert: self._remove}
        )

    async def price_alert(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        if not request.argument:
            return await self._list(request, account)
        name, _, move = request.argument.partition(" ")
        asset = next((one for one in self._tokens(account) if one == name.upper()), None)
        beginning = f"{Topic.PRICE_ALERT.value} {asset}" if asset else None
        if asset and beginning and not move.strip():
            await self.listen(request, beginning)
            return ask_move_view(asset=asset, is_listening=request.is_private)
        wanted = await self.parse(request, parse_price_alert, beginning=beginning)
        if isinstance(wanted, Message):
            return wanted
        return await self._change(request, account, wanted)

    async def _change(self, request: Request, account: Account, wanted: PriceAlertWish) -> Message:
        asset, alerts = base_of(wanted.symbol), self.ctx.price_alerts
        if wanted.fraction is None:
            was_there = await alerts.remove(account, wanted.symbol, user_id=request.user_id)
            return price_alert_removed_view(account=account, asset=asset, was_there=was_there)
        change = await alerts.set(account, wanted.symbol, wanted.fraction, user_id=request.user_id)
        if change is PriceAlertRefusal.TOO_MANY:
            return too_many_price_alerts_view(account=account)
        if change is PriceAlertRefusal.NO_PRICE:
            return no_such_price_view(account=account, asset=asset)
        return price_alert_set_view(
            account=account,
            alert=change.alert,
            changed=change.is_new,
            now=self.ctx.clock.now(),
        )

    async def _list(self, request: Request, account: Account) -> Message:
        may_set = self.may_set(request)
        if may_set:
            await self.listen(request, Topic.PRICE_ALERT.value)
        return price_alerts_view(
            account=account,
            alerts=await self.ctx.price_alerts.of(account),
            now=self.ctx.clock.now(),
            may_set=may_set,
            tokens=self._tokens(account) if may_set else (),
            is_listening=may_set and request.is_private,
        )

    def _tokens(self, account: Account) -> Sequence[Asset]:
        """The pair's first, then what else was held at the last look."""
        known = [base_of(account.settings.symbol), *self.ctx.previews.tokens_of(account)]
        return [asset for asset in dict.fromkeys(known) if asset != USDT]

    async def _remove(self, request: Request, press: RemovePriceAlert) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        asset = Asset(press.asset)
        await self.ctx.price_alerts.remove(account, symbol_of(asset), user_id=request.user_id)
        alerts = await self.ctx.price_alerts.of(account)
        return price_alerts_view(
            account=account, alerts=alerts, now=self.ctx.clock.now(), may_set=True, removed=asset
        )
