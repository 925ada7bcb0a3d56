"""Reckons the profit of an account from what is stored: the exchange is asked nothing."""

import logging
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.profit.entries import Prices
from engine.domain.profit.report import ProfitReport
from engine.storage.trading import candles, value_events

logger = logging.getLogger(__name__)


async def report(
    session: AsyncSession, account: Account, *, since: datetime, until: datetime
) -> ProfitReport | None:
    """Returns the report by the prices of full hours, as far as they are stored. It begins with the
    first record, if that is later. None where there is no record, or no price; and, logged, where it
    cannot be reckoned: a mistake of ours must cost no card, and no other chat its digest.
    """
    try:
        return await _report(session, account, since=since, until=until)
    except (ValueError, ArithmeticError, LookupError):
        logger.exception("profit not reckoned", extra={"account_id": account.id})
        return None


async def _report(
    session: AsyncSession, account: Account, *, since: datetime, until: datetime
) -> ProfitReport | None:
    known = await value_events.records(session, account)
    if known is None or known.first >= until:
        return None
    begin = max(since, known.first)
    pairs = await value_events.priced(session, account, known.held, since=begin)
    lines = {
        asset: await candles.prices(session, symbol, since=since, until=until)
        for asset, symbol in pairs.items()
    }
    return await value_events.report(
        session, account, known, prices=Prices(lines), since=begin, until=until
    )
