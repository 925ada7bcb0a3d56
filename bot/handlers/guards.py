"""`/limits` and `/halt`: what holds back the bot whatever it plans."""

from collections.abc import Mapping

from bot.access import Access
from bot.asks import Ask, Command, OnTap, Page
from bot.handlers.settings import CHOICE
from bot.inputs import Ambiguous, NotUnderstood, Topic, parse_limits
from bot.messages import Message
from bot.questions import Questions
from bot.views.halt import halt_usage_view, halted_view, lifted_view, not_the_owner_view
from bot.views.limits import limits_changed_view, limits_view
from bot.views.settings import not_understood_view, question_view
from engine.accounts import Accounts
from engine.clock import Clock
from engine.halts import Halts
from engine.limits import AccountLimits
from engine.preview import Previews
from engine.situation import Situations
from engine.storage.codec import to_json


class Guards:
    def __init__(
        self,
        *,
        accounts: Accounts,
        limits: AccountLimits,
        halts: Halts,
        access: Access,
        previews: Previews,
        situations: Situations,
        questions: Questions,
        clock: Clock,
    ) -> None:
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
    def taps(self) -> Mapping[str, OnTap]:
        return {}

    @property
    def pages(self) -> Mapping[type, Page]:
        return {}

    async def limits(self, ask: Ask) -> Message:
        account = await self._accounts.of(ask.chat_id)
        if not ask.argument:
            recent = await self._limits.recent(account)
            rules = await self._previews.known_rules(account)
            return limits_view(account=account, recent=recent, rules=rules)
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
        known = await self._situations.look(change.after)
        return limits_changed_view(
            account=change.after,
            changed=change.before != change.after,
            recent=change.recent,
            now=self._clock.now(),
            look=await self._previews.fresh_look(change.after, known),
            rules=await self._previews.known_rules(change.after),
        )

    async def halt(self, ask: Ask) -> Message:
        """At once and without a question: a halt that was not meant is lifted with one tap."""
        if not await self._access.is_owner(user_id=ask.user_id):
            return not_the_owner_view(account=await self._accounts.of(ask.chat_id))
        match ask.argument.lower():
            case "":
                done = await self._halts.halt(chat_id=ask.chat_id, user_id=ask.user_id)
                return halted_view(
                    halt=done.halt,
                    already=not done.changed,
                    now=self._clock.now(),
                    under_way=done.under_way,
                )
            case "off":
                lifted = await self._halts.lift(chat_id=ask.chat_id, user_id=ask.user_id)
                account = await self._accounts.of(ask.chat_id)
                return lifted_view(account=account, was_halted=lifted)
            case _:
                return halt_usage_view()
