"""Who answers what: every handler, and what it works with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.access.authorization import Access
from bot.access.command_menu import CommandMenu
from bot.access.invitation_codes import InvitationCodes
from bot.handlers.alerts import AlertsHandler
from bot.handlers.api_key import ApiKeyHandler
from bot.handlers.audit import AuditHandler
from bot.handlers.balance import BalanceHandler
from bot.handlers.deposits import DepositsHandler
from bot.handlers.doctor import DoctorHandler
from bot.handlers.export import ExportHandler
from bot.handlers.general import GeneralHandler
from bot.handlers.history import HistoryHandler
from bot.handlers.limits import LimitsHandler
from bot.handlers.members import MembersHandler
from bot.handlers.setting_change import SettingChangeFlow
from bot.handlers.settings import SettingsHandler
from bot.handlers.settings_panel import SettingsPanelHandler
from bot.handlers.status import StatusHandler
from bot.handlers.trading import TradingHandler
from bot.handlers.trading_mode import TradingModeHandler
from bot.handlers.unresolved_order import UnresolvedOrderHandler
from bot.handlers.update_cancellation import UpdateCancellation
from bot.handlers.why import WhyHandler
from bot.interaction.confirmations import Confirmations
from bot.interaction.conversations import Conversations
from bot.messaging.responder import Responder
from bot.messaging.status_message import StatusMessages
from bot.observability.telegram_activity import TelegramActivity
from bot.routing.access_filter import AccessFilter
from bot.routing.registry import Handler, HandlerRegistry
from engine.accounts.account_service import AccountService
from engine.accounts.alert_preferences import AlertPreferenceService
from engine.accounts.chat_migration import ChatMigration
from engine.accounts.deliverability import Deliverability
from engine.accounts.halt import Halts
from engine.accounts.invitations import Invitations
from engine.accounts.key_expiry import KeyExpiryMonitor
from engine.accounts.members import MemberService
from engine.accounts.overview import AccountOverviews
from engine.accounts.pending_changes import PendingChanges
from engine.accounts.risk_limits import AccountLimits
from engine.accounts.trading_mode import TradingModes
from engine.accounts.workload import Workload
from engine.clock import Clock
from engine.exchanges.interface import ExchangeFor
from engine.execution.manual_resolution import ManualResolution
from engine.rebalancing.preview import Previews
from engine.security.vault import Vault
from engine.storage.database import Database
from engine.timeouts import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerContext:
    """What the handlers share."""

    accounts: AccountService
    access: Access
    cards: StatusMessages
    clock: Clock
    database: Database
    deliverability: Deliverability
    exchange_for: ExchangeFor
    key_life: KeyExpiryMonitor
    menus: CommandMenu
    polls: TelegramActivity
    previews: Previews
    replies: Responder
    situations: AccountOverviews
    supergroups: ChatMigration
    timing: Timing
    vault: Vault
    workload: Callable[[], Workload]


def build_handlers(means: HandlerContext) -> tuple[AccessFilter, HandlerRegistry]:
    """The door, and the desk behind it."""
    questions = Confirmations(
        database=means.database, clock=means.clock, lifetime=means.timing.question
    )
    people = MemberService(database=means.database, clock=means.clock)
    invitations = Invitations(
        database=means.database, clock=means.clock, standing=means.access.standing
    )
    door = InvitationCodes(invitations=invitations, accounts=means.accounts, menus=means.menus)
    about = GeneralHandler(
        accounts=means.accounts,
        access=means.access,
        door=door,
        people=people,
        clock=means.clock,
    )
    unclear = UnresolvedOrderHandler(
        clarifier=ManualResolution(
            database=means.database, clock=means.clock, exchange_for=means.exchange_for
        ),
        questions=questions,
    )
    dialogs = Conversations(
        database=means.database,
        sealer=means.vault,
        clock=means.clock,
        patience=means.timing.dialog,
    )
    changing = SettingChangeFlow(
        accounts=means.accounts,
        changes=PendingChanges(database=means.database, clock=means.clock),
        previews=means.previews,
        situations=means.situations,
        questions=questions,
        clock=means.clock,
        undo_for=means.timing.undo,
    )
    settings = SettingsHandler(
        accounts=means.accounts, previews=means.previews, questions=questions, changing=changing
    )
    overtaking = UpdateCancellation(sealer=means.vault, clock=means.clock)
    guards = LimitsHandler(
        accounts=means.accounts,
        limits=AccountLimits(database=means.database, clock=means.clock),
        halts=Halts(database=means.database, clock=means.clock),
        access=means.access,
        previews=means.previews,
        situations=means.situations,
        questions=questions,
        changing=changing,
        overtaking=overtaking,
        clock=means.clock,
    )
    panel = SettingsPanelHandler(
        accounts=means.accounts,
        changing=changing,
        settings=settings,
        guards=guards,
        dialogs=dialogs,
        replies=means.replies,
    )
    keys = ApiKeyHandler(
        accounts=means.accounts,
        previews=means.previews,
        questions=questions,
        replies=means.replies,
        dialogs=dialogs,
    )
    handlers: Sequence[Handler] = (
        StatusHandler(accounts=means.accounts, previews=means.previews, cards=means.cards),
        about,
        keys,
        unclear,
        AlertsHandler(
            accounts=means.accounts,
            alerting=AlertPreferenceService(database=means.database, clock=means.clock),
            previews=means.previews,
            questions=questions,
            clock=means.clock,
        ),
        guards,
        settings,
        panel,
        BalanceHandler(accounts=means.accounts, previews=means.previews, clock=means.clock),
        WhyHandler(
            accounts=means.accounts,
            previews=means.previews,
            situations=means.situations,
            database=means.database,
            clock=means.clock,
        ),
        HistoryHandler(accounts=means.accounts, database=means.database),
        DoctorHandler(
            accounts=means.accounts,
            previews=means.previews,
            situations=means.situations,
            key_life=means.key_life,
            polls=means.polls,
            workload=means.workload,
            deliverability=means.deliverability,
            database=means.database,
            clock=means.clock,
        ),
        ExportHandler(accounts=means.accounts, database=means.database),
        TradingModeHandler(
            accounts=means.accounts,
            modes=TradingModes(database=means.database, clock=means.clock),
            changing=changing,
            previews=means.previews,
            situations=means.situations,
            clock=means.clock,
        ),
        DepositsHandler(accounts=means.accounts, changing=changing, questions=questions),
        TradingHandler(
            accounts=means.accounts,
            previews=means.previews,
            situations=means.situations,
            questions=questions,
            overtaking=overtaking,
            clock=means.clock,
        ),
        MembersHandler(
            people=people,
            invitations=invitations,
            accounts=means.accounts,
            access=means.access,
            menus=means.menus,
            questions=questions,
            replies=means.replies,
            clock=means.clock,
        ),
        AuditHandler(people=people, access=means.access),
    )
    desk = HandlerRegistry(
        handlers=handlers,
        keys=keys,
        panel=panel,
        unclear=unclear,
        questions=questions,
        dialogs=dialogs,
    )
    gate = AccessFilter(
        access=means.access,
        door=door,
        replies=means.replies,
        welcome=about.welcome,
        on_migrated=means.supergroups.migrate,
        clock=means.clock,
        database=means.database,
        deliverability=means.deliverability,
    )
    return gate, desk
