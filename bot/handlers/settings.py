"""The settings of a chat, one command each: read, asked about where unclear, set, echoed."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.asks import Ask, Command, OnTap, Page
from bot.inputs import (
    Ambiguous,
    NotUnderstood,
    Topic,
    parse_counting,
    parse_interval,
    parse_switch,
    parse_symbol,
    parse_target,
    parse_threshold,
)
from bot.messages import Message
from bot.questions import Questions
from bot.views.settings import (
    ask_view,
    changed_view,
    not_checked_view,
    not_understood_view,
    pair_unavailable_view,
    question_view,
)
from engine.accounts import Accounts, Change
from engine.clock import Clock
from engine.domain.accounts import Account
from engine.errors import PairUnavailable, Unavailable
from engine.preview import Previews
from engine.situation import Situations
from engine.storage.codec import to_json

CHOICE = "choice"
Parse = Callable[[str], Any]


class SettingsOf:
    """The chat's own settings, as typed commands."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        previews: Previews,
        situations: Situations,
        questions: Questions,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._previews = previews
        self._situations = situations
        self._questions = questions
        self._clock = clock

    @property
    def commands(self) -> Mapping[str, Command]:
        return {
            "settarget": self.set_target,
            "setthreshold": self.set_threshold,
            "setinterval": self.set_interval,
            "count": self.set_counting,
            "setpair": self.set_pair,
            "dryrun": self.set_dry_run,
        }

    @property
    def taps(self) -> Mapping[str, OnTap]:
        return {}

    @property
    def pages(self) -> Mapping[type, Page]:
        return {}

    async def set_target(self, ask: Ask) -> Message:
        return await self._set(ask, Topic.TARGET, parse_target, field="target")

    async def set_threshold(self, ask: Ask) -> Message:
        return await self._set(ask, Topic.THRESHOLD, parse_threshold, field="threshold")

    async def set_interval(self, ask: Ask) -> Message:
        return await self._set(ask, Topic.INTERVAL, parse_interval, field="interval")

    async def set_counting(self, ask: Ask) -> Message:
        return await self._set(ask, Topic.COUNTING, parse_counting, field="counting")

    async def set_pair(self, ask: Ask) -> Message:
        """A pair is set only if the exchange shows it to this chat's key."""
        account = await self._accounts.of(ask.chat_id)
        try:
            symbol = parse_symbol(ask.argument)
        except NotUnderstood:
            return _misunderstood(ask, Topic.PAIR, account)
        try:
            if symbol != account.settings.symbol:
                await self._previews.rules(account, symbol)
        except PairUnavailable:
            return pair_unavailable_view(account=account, wanted=symbol)
        except Unavailable:
            return not_checked_view(settings=account.settings, wanted=symbol)
        return await self._changed(
            Topic.PAIR,
            await self._accounts.change(ask.chat_id, user_id=ask.user_id, symbol=symbol),
        )

    async def set_dry_run(self, ask: Ask) -> Message:
        account = await self._accounts.of(ask.chat_id)
        try:
            on = parse_switch(ask.argument)
        except NotUnderstood:
            return _misunderstood(ask, Topic.DRY_RUN, account)
        change = await self._accounts.dry_run(ask.chat_id, user_id=ask.user_id, on=on)
        return await self._changed(Topic.DRY_RUN, change)

    async def _set(self, ask: Ask, topic: Topic, parse: Parse, *, field: str) -> Message:
        account = await self._accounts.of(ask.chat_id)
        try:
            value = parse(ask.argument)
        except NotUnderstood:
            return _misunderstood(ask, topic, account)
        if isinstance(value, Ambiguous):
            options = to_json([topic.value, *value.options])
            question_id = await self._questions.ask(ask, kind=CHOICE, payload=options)
            return question_view(
                ambiguous=value, typed_text=ask.argument, confirmation_id=question_id
            )
        return await self._changed(
            topic,
            await self._accounts.change(ask.chat_id, user_id=ask.user_id, **{field: value}),
        )

    async def _changed(self, topic: Topic, change: Change) -> Message:
        known = await self._situations.look(change.after)
        return changed_view(
            topic=topic,
            account=change.after,
            before=change.before.settings,
            now=self._clock.now(),
            look=await self._previews.fresh_look(change.after, known),
            rules=await self._previews.known_rules(change.after),
        )


def _misunderstood(ask: Ask, topic: Topic, account: Account) -> Message:
    if not ask.argument.strip():
        return ask_view(topic=topic, settings=account.settings)
    return not_understood_view(topic=topic, typed_text=ask.argument)
