"""A plan of several trades that a chat decides about, or is told of."""

from dataclasses import dataclass
from decimal import Decimal

from engine.domain.alerts.traits import AlertFacts, AlertKind
from engine.domain.market.pairs import Asset
from engine.domain.portfolio.plan import Leg, PortfolioPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioNoticed(AlertFacts, stored_as="portfolio_noticed", kind=AlertKind.PLAN):
    """Several trades are due, and the chat wants to be told of them and to trade by itself.

    *outside* are of the *assets* that the target has, *legs* the trades that are due, *cost* what
    they cost together, in USDT.
    """

    dry_run: bool
    assets: int
    outside: tuple[Asset, ...]
    legs: tuple[Leg, ...]
    cost: Decimal

    @classmethod
    def of(cls, plan: PortfolioPlan, *, dry_run: bool) -> "PortfolioNoticed":
        return cls(
            dry_run=dry_run,
            assets=len(plan.values),
            outside=tuple(plan.outside),
            legs=plan.legs,
            cost=plan.cost,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioOffered(
    AlertFacts, stored_as="portfolio_offered", kind=AlertKind.PLAN, needed=True
):
    """Several trades are due, and traders of the chat are asked about all of them at once; without
    an answer nothing is traded.
    """

    confirmation_id: str
    notice: PortfolioNoticed
