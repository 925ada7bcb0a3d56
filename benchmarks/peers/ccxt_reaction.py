"""The job of a check with ccxt: balances, book, decide, order. `ccxt_reaction.py URL KEY`.

Once with an instance that has just been made, once more with the same one; prints when each began.
"""

import asyncio
import json
import sys
import time

from ccxt_mexc import open_mexc

_TARGET, _SPARE = 40, 17


async def main(url: str, key: str) -> None:
    mexc = open_mexc(url, key=key)
    begun = []
    for _ in range(2):
        begun.append(time.monotonic())
        balance = await mexc.fetch_balance()
        book = await mexc.fetch_order_book("MNTL/USDT", 100)
        spare = max(balance["USDT"]["total"] - _TARGET, _SPARE)
        if book["asks"]:
            await mexc.create_market_buy_order_with_cost("MNTL/USDT", spare)
    await mexc.close()
    print(json.dumps({"begun": begun}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
