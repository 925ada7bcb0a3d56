"""What happens to an order that may rest, and what is done about it: see `resting.py`."""

from dataclasses import dataclass
from datetime import datetime

from engine.domain.orders.ledger import EndReason
from engine.domain.orders.order import Execution


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The exchange has taken the order."""


@dataclass(frozen=True, slots=True)
class PostUnclear:
    """The order may have arrived or not."""


@dataclass(frozen=True, slots=True)
class PostRefused:
    """The order never left, or was refused."""


@dataclass(frozen=True, slots=True)
class NeverArrived:
    """The look-ups of an order of unknown outcome have shown that it can no longer arrive."""


@dataclass(frozen=True, slots=True)
class Unwanted:
    """The order shall go: a pause, a halt, another plan, the end of the process."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class CancellingStored:
    """The state before the first DELETE is stored."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class DeleteAnswered:
    """A DELETE was answered in any way, or not at all."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A look-up found the order. *complete*: all of it is executed."""

    execution: Execution
    is_final: bool
    complete: bool


@dataclass(frozen=True, slots=True)
class NotSeen:
    """A look-up failed, or did not find the order: no information."""


@dataclass(frozen=True, slots=True)
class FillsRead:
    """The fills of the ended order were read, as far as they are shown."""


@dataclass(frozen=True, slots=True)
class BalancesRead:
    """*settled*: they show the order's end, and nothing of it is locked any more."""

    settled: bool


Event = (
    Acknowledged
    | PostUnclear
    | PostRefused
    | NeverArrived
    | Unwanted
    | CancellingStored
    | DeleteAnswered
    | Seen
    | NotSeen
    | FillsRead
    | BalancesRead
)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is due before *until* (None: before the POST is answered)."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask for the order by its id: `Seen` or `NotSeen`."""


@dataclass(frozen=True, slots=True)
class StoreCancelling:
    """Store the state CANCELLING: `CancellingStored`. Nothing is sent yet."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class SendDelete:
    """Send one DELETE: `DeleteAnswered`, whatever comes of it."""


@dataclass(frozen=True, slots=True)
class ReadFills:
    """Read the fills and fees: `FillsRead`."""


@dataclass(frozen=True, slots=True)
class ReadBalances:
    """Read the balances: `BalancesRead`."""


@dataclass(frozen=True, slots=True)
class PlanAfresh:
    """The order is settled: the next plan may be made, from balances."""


Action = Wait | LookUp | StoreCancelling | SendDelete | ReadFills | ReadBalances | PlanAfresh
