"""ccxt's MEXC, pointed at our fake, with its own limiter switched off."""

import sys
from typing import Any

import ccxt.async_support as ccxt


def open_mexc(url: str, *, key: str = "mx0bench00000000") -> Any:
    mexc = ccxt.mexc({"apiKey": key, "secret": "0" * 32, "enableRateLimit": False})
    for section in ("spot", "spot2"):
        mexc.urls["api"][section] = {"public": url, "private": url}
    contract = f"{url}/api/v1/contract"
    mexc.urls["api"]["contract"] = {"public": contract, "private": contract}
    return mexc


if __name__ == "__main__":
    print(sys.modules["ccxt"].__version__)
