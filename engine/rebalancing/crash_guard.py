"""Watches what an account manages, and stops its buys or its trading when that falls too far."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from engine.domain.accounts.account import Account
from engine.domain.accounts.audit import BY_ITSELF
from engine.domain.accounts.guard_state import GuardState
from engine.domain.accounts.timed_pause import TimedPause
from engine.domain.alerts.pace_alerts import GuardActed, GuardLifted
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import USDT, Asset, Side
from engine.domain.rebalancing.balance_confirmation import SECOND_SIGHT
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.planner import Plan
from engine.domain.targets.crash_guard import (
    CrashGuard,
    GuardAction,
    GuardStep,
    ManagedValue,
    fall_within_a_day,
    guard_step,
)
from engine.domain.targets.pacing import BuyingStopped
from engine.errors import EngineError
from engine.exchanges.interface import Market
from engine.notifications.publish import publish
from engine.storage.accounts import accounts, audit, timed_pauses
from engine.storage.service import Service
from engine.storage.trading import balance_changes, check_results

_ACT = GuardStep.ACT


class CrashGuards(Service):
    async def observe(self, duty: CheckInput, holdings: Holdings, market: Market) -> bool:
        """Note what is managed now. True if the guard acted or was lifted: the account changed.
        Without a price of every token nothing is known, and nothing is done.
        """
        account, guard = duty.account, duty.account.settings.pacing.crash_guard
        if guard is None or duty.request is not None or duty.sliced is not None:
            return False
        state = (account.guard or GuardState()).on(_basis(account))
        value = await self._value(account, holdings, market, state)
        if value is not None and (state.rises_to(value) or _step(guard, state, value) is _ACT):
            # One odd price is no evidence, neither of a fall nor of a height to fall from.
            await self.clock.sleep(SECOND_SIGHT)
            again = await self._value(account, holdings, market, state)
            value = None if again is None else state.nearer(value, again)
        if value is None:
            return False
        values, step = state.seen(value), _step(guard, state, value)
        if step in {GuardStep.ACT, GuardStep.LIFT}:
            counted = [v for v in values if state.lifted_at is None or v.at >= state.lifted_at]
            fall = fall_within_a_day(counted, now=value.at)
            await self._change(account, guard, state.kept(values), step, fall=fall)
            return True
        if state.is_worth_storing(value):
            async with self.database.writing() as session:
                await check_results.note_guard(session, account, state.kept(values))
        return False

    async def _value(
        self, account: Account, holdings: Holdings, market: Market, state: GuardState
    ) -> ManagedValue | None:
        """Returns what is managed at the prices of this moment; None without one of them."""
        prices = await _prices(account, market)
        if prices is None:
            return None
        held = {asset: holdings.of(asset).total for asset in prices}
        whole, flow = _managed(account, held, prices), ZERO
        if state.values:
            async with self.database.reading() as session:
                moved = await balance_changes.sums_since(
                    session, account, since=state.values[-1].at
                )
            before = {asset: units - moved.get(asset, ZERO) for asset, units in held.items()}
            flow = whole - _managed(account, before, prices)
        return ManagedValue(self.clock.now(), whole - flow, flow)

    async def _change(
        self,
        account: Account,
        guard: CrashGuard,
        state: GuardState,
        step: GuardStep,
        *,
        fall: Decimal,
    ) -> None:
        """Store and tell it, unless the account was changed meanwhile: the next check looks again."""
        now, is_pause = self.clock.now(), guard.action is GuardAction.PAUSE
        acts = step is GuardStep.ACT and not is_pause
        # A pause is all that it does: what is after that counts anew.
        state = replace(state, acted_at=now if acts else None, lifted_at=None if acts else now)
        async with self.database.writing() as session:
            current = await accounts.locked(session, account.id)
            if current.version != account.version:
                return
            after = await accounts.set_guard(session, current, state)
            alert: GuardActed | GuardLifted
            if step is GuardStep.ACT:
                if is_pause:
                    after = await accounts.change(session, after, paused=True)
                    await audit.add_changes(session, current, after, at=now, user_id=BY_ITSELF)
                    if guard.lifts_after is not None:
                        ends_at = now + guard.lifts_after
                        pause = TimedPause(
                            user_id=BY_ITSELF,
                            version=after.version,
                            ends_at=ends_at,
                            due_at=ends_at,
                        )
                        await timed_pauses.put(session, account.id, pause)
                alert = GuardActed(
                    dry_run=account.settings.dry_run,
                    paused=is_pause,
                    fall=fall,
                    allowed=guard.fall,
                    lifts_at=None if guard.lifts_after is None else now + guard.lifts_after,
                )
            else:
                alert = GuardLifted(dry_run=account.settings.dry_run, fall=fall)
            key = f"guard:{account.id}:{now.isoformat()}"
            await publish(session, account.chat_id, alert, key=key, now=now)


def guarded(plan: Plan, duty: CheckInput) -> Plan:
    """Returns *plan*, or why it buys nothing by itself now."""
    stopped = buying_stopped(duty)
    if stopped is None or plan.order is None or plan.order.side is not Side.BUY:
        return plan
    return Plan(held=plan.held, reason=stopped)


def buying_stopped(duty: CheckInput) -> BuyingStopped | None:
    """None for what a user asked for."""
    since = duty.account.buying_stopped_at
    if since is None or duty.request is not None or duty.due is not None:
        return None
    return BuyingStopped(since)


def closed_to(account: Account) -> Sequence[tuple[Asset, Side]]:
    """Returns the sides on which no check of the account may trade now."""
    if account.buying_stopped_at is None:
        return ()
    return [(asset, Side.BUY) for asset in account.settings.targeting.tokens]


def _step(guard: CrashGuard, state: GuardState, value: ManagedValue) -> GuardStep:
    acted_at, lifted_at = state.acted_at, state.lifted_at
    values, now = state.seen(value), value.at
    return guard_step(guard, values, acted_at=acted_at, lifted_at=lifted_at, now=now)


async def _prices(account: Account, market: Market) -> dict[Asset, Decimal] | None:
    tokens = account.settings.targeting.tokens
    try:
        quotes = (await market.quotes(tokens)).by_asset
    except EngineError:
        return None
    if not all(asset in quotes for asset in tokens):
        return None
    return {asset: quotes[asset].mid for asset in tokens} | {USDT: ONE}


def _managed(
    account: Account, held: Mapping[Asset, Decimal], prices: Mapping[Asset, Decimal]
) -> Decimal:
    """Returns what *held* is worth without what is protected. What orders lock counts, whatever the
    target counts: it has not lost its worth.
    """
    protected = account.settings.protected
    return sum(
        (
            price * max(held[asset] - protected.get(asset, ZERO), ZERO)
            for asset, price in prices.items()
        ),
        ZERO,
    )


def _basis(account: Account) -> str:
    settings = account.settings
    protected = sorted((asset, str(units)) for asset, units in settings.protected.items())
    return f"{account.funds} {settings.assets} {protected} {settings.counting.value}"
