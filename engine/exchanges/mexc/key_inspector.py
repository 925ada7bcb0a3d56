"""Inspects an API key: whether it works, may trade, may do too much, and when it expires."""

import asyncio
import logging
import re
from http import HTTPStatus

from engine.domain.market.balances import Holdings
from engine.domain.market.pairs import USDT, Side, Symbol, base_of
from engine.domain.rebalancing.balance_confirmation import SECOND_SIGHT, lacks_an_asset, most_of
from engine.errors import (
    BadCredentials,
    BadData,
    BelowMinimum,
    EngineError,
    InsufficientBalance,
    MissingPermission,
    NoCounterpart,
    Rejected,
    TooPowerful,
)
from engine.exchanges.interface import KeyInspection, KeyPermissions
from engine.exchanges.mexc import balances, parsing
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.endpoints import ACCOUNT, API_KEY_INFO, TEST_ORDER, UID
from engine.security.credentials import Credentials

# Looking an order up needs SPOT_DEAL_READ: without it an unclear order could never be cleared.
_NEEDED = frozenset({"SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE"})
# Extra read permissions are harmless. All others are not: futures trading, and undocumented names,
# as those of the withdraw permissions are.
_HARMLESS = _NEEDED | {
    *("SPOT_ACCOUNT_WRITE", "SPOT_TRANSFER_READ"),
    *("CONTRACT_ACCOUNT_READ", "CONTRACT_DEAL_READ"),
}
_NO_PERMISSION = 700007
_BAD_KEY_FORMAT = 700001
_INVALID_KEY = 10072
# What a header and a signature can carry.
_KEY = re.compile(r"[!-~]{1,256}", re.ASCII)
# Enough for every pair's minimum; nothing is bought with it.
_TEST_QUOTE = "5"
_TEST_ID = "bl-key-check"
# A user is waiting, and the answer is optional.
_PATIENCE_S = 3

logger = logging.getLogger(__name__)


class MexcKeyInspector:
    """Satisfies `KeyInspector`."""

    def __init__(self, client: MexcClient) -> None:
        self._client = client

    async def inspect(self, *, api_key: str, api_secret: str, symbol: Symbol) -> KeyInspection:
        if not _KEY.fullmatch(api_key) or not _KEY.fullmatch(api_secret):
            raise BadCredentials(code=_BAD_KEY_FORMAT, message="API-key format invalid")
        credentials = Credentials(api_key, api_secret)
        holdings, assets = await self._holdings(credentials), (USDT, base_of(symbol))
        short = lacks_an_asset(holdings, assets)
        report = await self._report(credentials)
        if report is not None:
            _refuse_unfit(report)
        await self._test_order(credentials, symbol)
        if short:
            await self._client.clock.sleep(SECOND_SIGHT)
            holdings = most_of(holdings, await self._holdings(credentials), assets)
        return KeyInspection(
            permissions=report.permissions if report else None,
            days_left=report.days_left if report else None,
            addresses=report.addresses if report else (),
            holdings=holdings,
        )

    async def powers(self, *, api_key: str, api_secret: str) -> KeyPermissions | None:
        report = await self._report(Credentials(api_key, api_secret))
        if report is not None:
            _refuse_unfit(report)
        return report

    async def account_number(self, *, api_key: str, api_secret: str) -> str | None:
        credentials = Credentials(api_key, api_secret)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                answer = await self._client.read(UID, credentials=credentials)
            return parsing.account_number(answer.contents)
        except (EngineError, TimeoutError) as e:
            logger.info("account number not read", extra={"problem": type(e).__name__})
            return None

    async def _holdings(self, credentials: Credentials) -> Holdings:
        try:
            account = await self._client.read(ACCOUNT, credentials=credentials)
        except Rejected as e:
            if e.code == HTTPStatus.NOT_FOUND:  # by a server that did not check the key
                raise BadData(f"HTTP {e.code} without a reason") from e
            raise
        return balances.holdings(account.contents, read_at=account.asked_at)

    async def _report(self, credentials: Credentials) -> parsing.KeyReport | None:
        """None where the exchange does not offer this; it came in 2026 and may go again."""
        try:
            answer = await self._client.read(
                API_KEY_INFO, [("accessKey", credentials.api_key)], credentials=credentials
            )
        except MissingPermission:
            return None  # of this question alone: the account could be read
        except Rejected as e:
            if type(e) is Rejected:
                return None
            raise
        return parsing.key_report(answer.contents)

    async def _test_order(self, credentials: Credentials, symbol: Symbol) -> None:
        order = [
            ("symbol", symbol),
            ("side", Side.BUY.value),
            ("type", "MARKET"),
            ("quoteOrderQty", _TEST_QUOTE),
            ("newClientOrderId", _TEST_ID),
        ]
        try:
            await self._client.read(TEST_ORDER, order, credentials=credentials)
        except (InsufficientBalance, BelowMinimum, NoCounterpart):
            return  # the key was allowed to try, which is all we ask


def _refuse_unfit(report: parsing.KeyReport) -> None:
    if report.status != "VALID":
        raise BadCredentials(code=_INVALID_KEY, message=f"the key is {report.status}")
    if excess := report.permissions - _HARMLESS:
        raise TooPowerful(code=0, message=", ".join(sorted(excess)))
    if lacking := _NEEDED - report.permissions:
        raise MissingPermission(code=_NO_PERMISSION, message=", ".join(sorted(lacking)))
