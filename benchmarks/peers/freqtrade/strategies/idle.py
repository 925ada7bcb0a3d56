"""A strategy that never trades: freqtrade at rest."""

from freqtrade.strategy import IStrategy
from pandas import DataFrame


class Idle(IStrategy):  # type: ignore[misc]
    timeframe = "5m"
    stoploss = -0.99
    minimal_roi = {"0": 10}  # noqa: RUF012 - the shape freqtrade wants

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, str]) -> DataFrame:  # noqa: ARG002
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, str]) -> DataFrame:  # noqa: ARG002
        dataframe["enter_long"] = 0
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, str]) -> DataFrame:  # noqa: ARG002
        dataframe["exit_long"] = 0
        return dataframe
