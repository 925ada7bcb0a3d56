"""A basket while it is put together, token by token; USDT has the rest, so that it is always whole."""

from dataclasses import dataclass, replace
from typing import Self

from engine.domain.market.pairs import USDT, Asset
from engine.domain.targets.target import MOST_TOKENS, Basket

WHOLE = 100
STEP = 5


@dataclass(frozen=True, slots=True)
class Draft:
    """Whole *percents* of the account for each token, in the order in which they were added."""

    percents: tuple[tuple[Asset, int], ...] = ()

    def __post_init__(self) -> None:
        names = [asset for asset, _ in self.percents]
        if USDT in names or len(set(names)) < len(names) or len(names) > MOST_TOKENS:
            raise ValueError(f"a draft names each token once, and {MOST_TOKENS} at most")
        if any(percent < 0 for _, percent in self.percents) or self.rest < 0:
            raise ValueError(f"percentages come to {WHOLE} at most: {self.percents}")

    @classmethod
    def of(cls, basket: Basket) -> Self:
        """Returns *basket* in whole percents; what rounding leaves over is USDT."""
        return cls(
            tuple(
                (asset, count * WHOLE // basket.total)
                for asset, count in basket.parts
                if asset != USDT
            )
        )

    @property
    def rest(self) -> int:
        """The percentage of USDT."""
        return WHOLE - sum(percent for _, percent in self.percents)

    @property
    def basket(self) -> Basket | None:
        """What can be set; None while no token has a part."""
        held = [(asset, percent) for asset, percent in self.percents if percent]
        return Basket.of([*held, (USDT, self.rest)]) if held else None

    def plus(self, asset: Asset, step: int = STEP) -> Self:
        """Gives *asset* up to *step* more, as far as USDT has it; adds it where it is new."""
        now = dict(self.percents).get(asset, 0)
        return self._with(asset, now + min(step, self.rest))

    def minus(self, asset: Asset, step: int = STEP) -> Self:
        return self._with(asset, max(0, dict(self.percents).get(asset, 0) - step))

    def without(self, asset: Asset) -> Self:
        left = tuple((name, percent) for name, percent in self.percents if name != asset)
        return replace(self, percents=left)

    def evenly(self) -> Self:
        """Gives all tokens the same part of what they have together."""
        if not self.percents:
            return self
        each = (WHOLE - self.rest) // len(self.percents)
        return replace(self, percents=tuple((asset, each) for asset, _ in self.percents))

    def _with(self, asset: Asset, percent: int) -> Self:
        return replace(self, percents=tuple({**dict(self.percents), asset: percent}.items()))
