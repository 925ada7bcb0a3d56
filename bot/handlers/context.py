"""What every handler works with, and what it is: commands, taps and pages on one subject."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypedDict, TypeVar

from bot.access.authorization import Access
from bot.access.command_menu import CommandMenu
from bot.access.invitation_codes import InvitationCodes
from bot.access.permissions import needed_for
from bot.access.start_links import StartLinks
from bot.access.update_cancellation import UpdateCancellation
from bot.interaction.confirmations import CHOICE, Confirmations
from bot.interaction.conversations import Conversations
from bot.interaction.message import Message
from bot.interaction.request import Command, ConfirmationHandler, PageHandler, Request
from bot.messaging.responder import Responder
from bot.messaging.status_message import StatusMessages
from bot.observability.telegram_activity import TelegramActivity
from bot.parsing.settings import Ambiguous, NotUnderstood, beginning_of
from bot.rendering.image_process import ImageProcess
from bot.views.settings import not_understood_view, question_view
from engine.accounts.account_service import AccountService
from engine.accounts.alert_preferences import AlertPreferenceService
from engine.accounts.deposits import DepositService
from engine.accounts.flow_corrections import FlowCorrections
from engine.accounts.halt import Halts
from engine.accounts.key_expiry import KeyExpiryMonitor
from engine.accounts.overview import AccountOverviews
from engine.accounts.pending_changes import PendingChanges
from engine.accounts.profit import ProfitReports
from engine.accounts.records import AccountRecords
from engine.accounts.risk_limits import AccountLimits
from engine.accounts.slices import SliceService
from engine.accounts.trading_mode import TradingModes
from engine.clock import Clock
from engine.diagnosis.database_probe import DatabaseProbe
from engine.diagnosis.stream_health import StreamProbe
from engine.diagnosis.workload import Workload
from engine.domain.accounts.account import Account
from engine.execution.manual_resolution import ManualResolution
from engine.execution.stray_orders import StrayOrders
from engine.membership.group_requests import GroupRequests
from engine.membership.invitations import Invitations
from engine.membership.members import MemberService
from engine.membership.sharing import Sharing
from engine.notifications.pause_answers import PauseAnswers
from engine.notifications.price_alert_changes import PriceAlertService
from engine.rebalancing.preview import Outlook, Previews
from engine.rebalancing.target_preview import TargetPreviews

Value = TypeVar("Value")

ASKED = "asked"
"""The kind of a conversation in which the value of a command is awaited."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HandlerContext:
    """What the handlers share. *started_at* is the process's, on the steady clock; *undo_for* is
    how long a change can be taken back with one tap.
    """

    access: Access
    accounts: AccountService
    alert_preferences: AlertPreferenceService
    cancellation: UpdateCancellation
    clock: Clock
    command_menu: CommandMenu
    confirmations: Confirmations
    conversations: Conversations
    database_probe: DatabaseProbe
    deposits: DepositService
    flow_corrections: FlowCorrections
    group_requests: GroupRequests
    halts: Halts
    images: ImageProcess
    invitation_codes: InvitationCodes
    invitations: Invitations
    key_expiry: KeyExpiryMonitor
    limits: AccountLimits
    members: MemberService
    modes: TradingModes
    overviews: AccountOverviews
    pause_answers: PauseAnswers
    pending_changes: PendingChanges
    previews: Previews
    price_alerts: PriceAlertService
    profits: ProfitReports
    records: AccountRecords
    resolution: ManualResolution
    responder: Responder
    sharing: Sharing
    slices: SliceService
    start_links: StartLinks
    started_at: datetime
    status_messages: StatusMessages
    stray_orders: StrayOrders
    stream_probe: StreamProbe
    target_previews: TargetPreviews
    telegram_activity: TelegramActivity
    undo_for: timedelta
    workload: Callable[[], Workload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """Commands by their name, what a tap on a question does by the question's kind, and pages,
    which are shown in the place of the message that was tapped, by their button.
    """

    commands: Mapping[str, Command] = field(default_factory=dict)
    taps: Mapping[str, ConfirmationHandler] = field(default_factory=dict)
    pages: Mapping[type, PageHandler] = field(default_factory=dict)


class AccountForecast(TypedDict):
    """What a view needs to show an account and what its next check would do."""

    account: Account
    now: datetime
    outlook: Outlook


@dataclass(frozen=True, eq=False)
class Handler(ABC):
    """One subject."""

    ctx: HandlerContext

    @abstractmethod
    def routes(self) -> Routes: ...

    async def forecast(self, account: Account, outlook: Outlook | None = None) -> AccountForecast:
        """*outlook* is read from the exchange where it is not given."""
        if outlook is None:
            outlook = await self.ctx.previews.outlook(account)
        return AccountForecast(account=account, now=self.ctx.clock.now(), outlook=outlook)

    async def listen(self, request: Request, beginning: str) -> None:
        """Take the user's next text as the rest of the command that *beginning*, without its slash,
        begins. In a group people talk to each other, and nothing is awaited.
        """
        if request.is_private:
            await self.ctx.conversations.wait(request, ASKED, beginning)

    def may_set(self, request: Request) -> bool:
        """True if the author may send the command with a value, too."""
        needed = needed_for(request.command, "value", is_shared=request.is_shared)
        return request.role.covers(needed)

    async def parse(
        self,
        request: Request,
        parser: Callable[[str], Value | Ambiguous],
        *,
        beginning: str | None = None,
    ) -> Value | Message:
        """The argument's value, or the message why it is not understood, or which of its readings
        is meant: a tap on one is as if that had been typed. What is typed next is another try,
        as the rest of *beginning* where that is given.
        """
        try:
            ambiguous = parser(request.argument)
        except NotUnderstood as e:
            await self.listen(request, beginning or beginning_of(e.topic, request.argument))
            return not_understood_view(topic=e.topic, typed_text=request.argument, rule=e.rule)
        if not isinstance(ambiguous, Ambiguous):
            return ambiguous
        options = [ambiguous.topic.value, *ambiguous.options]
        question_id = await self.ctx.confirmations.ask(request, kind=CHOICE, payload=options)
        return question_view(
            ambiguous=ambiguous, typed_text=request.argument, confirmation_id=question_id
        )
