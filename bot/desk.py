"""Every command's name beside the one who answers it, and what the buttons of questions do."""

from collections.abc import Mapping
from dataclasses import replace

from bot.asks import Answer, Ask, Command
from bot.callbacks import Choose, Confirm, HistoryPage, Report
from bot.handlers.about import About
from bot.handlers.guards import Guards
from bot.handlers.keys import DISCONNECT, Keys
from bot.handlers.looking import Looking
from bot.handlers.settings import CHOICE, SettingsOf
from bot.handlers.trading import REBALANCE, Trading
from bot.handlers.unclear import SET_ASIDE, Told, Unclear
from bot.messages import Message
from bot.questions import Questions
from engine.storage.codec import from_json
from engine.storage.confirmations import Confirmation, Refusal, Why


class Desk:
    def __init__(
        self,
        *,
        about: About,
        guards: Guards,
        keys: Keys,
        looking: Looking,
        settings: SettingsOf,
        trading: Trading,
        unclear: Unclear,
        questions: Questions,
    ) -> None:
        self._keys = keys
        self._looking = looking
        self._trading = trading
        self._unclear = unclear
        self._questions = questions
        self.commands: Mapping[str, Command] = {
            "start": about.start,
            "help": about.help,
            "connect": keys.connect,
            "disconnect": keys.disconnect,
            "status": looking.status,
            "settarget": settings.set_target,
            "setthreshold": settings.set_threshold,
            "setinterval": settings.set_interval,
            "count": settings.set_counting,
            "setpair": settings.set_pair,
            "pause": trading.pause,
            "resume": trading.resume,
            "rebalance": trading.rebalance,
            "limits": guards.limits,
            "halt": guards.halt,
            "why": looking.why,
            "history": looking.history,
            "balance": looking.balance,
            "dryrun": settings.set_dry_run,
            "export": looking.export,
            "logs": about.logs,
            "version": about.version,
        }

    async def history_page(self, ask: Ask, page: HistoryPage) -> Answer:
        return await self._looking.history_page(ask, page)

    async def reported(self, ask: Ask, report: Report) -> Told:
        """What a person says of an order that is unclear."""
        return await self._unclear.reported(ask, report)

    async def said(self, ask: Ask, text: str) -> Answer | None:
        """An answer to a step of a dialog; None where none was waited for."""
        return await self._keys.said(ask, text)

    async def stray(self, ask: Ask) -> Message | None:
        """What to say if a key came where none belongs; None if nothing looks like one."""
        return await self._keys.stray(ask, ask.argument)

    async def turned_away(self, ask: Ask) -> None:
        """A command came in the middle of a dialog: the dialog is over."""
        await self._keys.forget(ask)

    async def question(self, press: Confirm | Choose, ask: Ask) -> Confirmation | Refusal:
        """The question that this tap answers, or why it does not count; nothing is used up."""
        question = await self._questions.find(press.id, ask)
        if isinstance(question, Refusal) or _offers(question, press):
            return question
        return Refusal(Why.UNKNOWN)

    async def answered(
        self, question: Confirmation, press: Confirm | Choose, ask: Ask
    ) -> Answer | Refusal:
        """Do what the tap says. A reading of an ambiguous value is as if that had been typed."""
        if question.kind == REBALANCE:
            return await self._trading.confirmed(question.id, ask)
        taken = await self._questions.take(question.id, ask)
        if isinstance(taken, Refusal):
            return taken
        if question.kind == SET_ASIDE:
            return await self._unclear.set_aside(ask, taken.payload)
        if question.kind == DISCONNECT:
            return await self._keys.disconnect_confirmed(ask)
        command, *options = from_json(taken.payload, list[str])
        argument = options[press.index if isinstance(press, Choose) else 0]
        return await self.commands[command](replace(ask, command=command, argument=argument))


def _offers(question: Confirmation, press: Confirm | Choose) -> bool:
    """Whether the question has such a button."""
    if isinstance(press, Confirm):
        return question.kind in {REBALANCE, DISCONNECT, SET_ASIDE}
    return (
        question.kind == CHOICE and press.index < len(from_json(question.payload, list[str])) - 1
    )
