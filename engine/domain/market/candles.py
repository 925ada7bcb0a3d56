"""Prices of a pair hour by hour."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from engine.domain.market.decimals import is_positive

HOUR = timedelta(hours=1)
MOST_HOURS = 500
"""What one answer of the exchange holds."""
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class HourlyClose:
    """The price of the last trade of the hour that ended *at*; above zero."""

    at: datetime
    price: Decimal

    def __post_init__(self) -> None:
        if not is_positive(self.price) or whole_hour(self.at) != self.at:
            raise ValueError(f"no hour closed at {self.at} with {self.price}")


def whole_hour(moment: datetime) -> datetime:
    """Returns the end of the last hour that is over."""
    return moment - (moment - _EPOCH) % HOUR
