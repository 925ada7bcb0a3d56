"""What each class of alerts says of itself: its stored name, its kind, and whether it may be off."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import ClassVar


class AlertKind(Enum):
    TRADE = "trade"
    ERROR = "error"
    RECOVERY = "recovery"
    KEY = "key"
    PLAN = "plan"
    DIGEST = "digest"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class AlertTraits:
    """What matters of an alert for how loud it may be. A *needed* one is never left out: a user
    has to act, trading stopped, or a user waits for it. *worth* is of a trade, in USDT.
    """

    kind: AlertKind
    needed: bool = False
    worth: Decimal | None = None


class AlertFacts:
    """Base of every alert. *stored_as* is what the database calls the class: rows outlive versions,
    so a name, once used, keeps its meaning.
    """

    __slots__ = ()
    stored_as: ClassVar[str]
    class_traits: ClassVar[AlertTraits]

    def __init_subclass__(
        cls, *, stored_as: str = "", kind: AlertKind | None = None, needed: bool = False
    ) -> None:
        super().__init_subclass__()
        # A dataclass with slots is created twice, the second time with the attributes of the first.
        if kind is not None:
            cls.stored_as, cls.class_traits = stored_as, AlertTraits(kind, needed)

    @property
    def traits(self) -> AlertTraits:
        return self.class_traits
