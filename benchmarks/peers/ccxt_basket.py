"""A basket's full rebalance with ccxt, as one would write it: before each order the balances and
tickers are read, after it the order. `ccxt_basket.py URL KEY AGAIN`.

Once with an instance that has just been made, once more with the same one after `/_/AGAIN`; prints
from when to when each took. A share is traded to its centre by a MARKET order, sells first.
"""

import asyncio
import json
import sys
import time
from typing import Any
from urllib.request import urlopen

from ccxt_mexc import open_mexc

_PARTS = {"T0": 16, "T1": 16, "T2": 16, "T3": 16, "T4": 16, "USDT": 20}
_TOKENS = [asset for asset in _PARTS if asset != "USDT"]
_SYMBOLS = [f"{token}/USDT" for token in _TOKENS]


async def main(url: str, key: str, again: str) -> None:
    mexc = open_mexc(url, key=key)
    took = []
    for number in range(2):
        if number:
            urlopen(f"{url}/_/{again}").read()  # noqa: S310, ASYNC210 - our own fake, unmeasured
        begun = time.monotonic()
        await rebalance(mexc)
        took.append([begun, time.monotonic()])
    await mexc.close()
    print(json.dumps(took))


async def rebalance(mexc: Any) -> None:
    missing = await missing_worths(mexc)
    for token in sorted(_TOKENS, key=lambda token: missing[token][0]):
        worth, price = (await missing_worths(mexc))[token]
        symbol = f"{token}/USDT"
        if worth < 0:
            order = await mexc.create_order(symbol, "market", "sell", int(-worth / price))
        else:
            order = await mexc.create_market_buy_order_with_cost(symbol, round(worth, 2))
        while (await mexc.fetch_order(order["id"], symbol))["status"] != "closed":
            pass


async def missing_worths(mexc: Any) -> dict[str, tuple[float, float]]:
    """What each token is worth too little, and its price."""
    balance = await mexc.fetch_balance()
    tickers = await mexc.fetch_tickers(_SYMBOLS)
    prices = {t: (tickers[f"{t}/USDT"]["bid"] + tickers[f"{t}/USDT"]["ask"]) / 2 for t in _TOKENS}
    worths = {token: balance[token]["total"] * prices[token] for token in _TOKENS}
    whole = sum(worths.values()) + balance["USDT"]["total"]
    total = sum(_PARTS.values())
    return {t: (whole * _PARTS[t] / total - worths[t], prices[t]) for t in _TOKENS}


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
