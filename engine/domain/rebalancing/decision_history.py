"""Selects the check results to keep: those whose decision differs from the one before."""

from datetime import timedelta

from engine.domain.orders.order import Trigger
from engine.domain.rebalancing.check_result import CheckResult, NoTrade, OrderPlaced, PlanChanged
from engine.domain.rebalancing.planner import OverLimit

KEPT = 50
# The same reason after so long is stored again: an untraded drift comes and goes.
_SAME_STORY = timedelta(hours=6)


def is_news(look: CheckResult, *, before: CheckResult | None) -> bool:
    """True if *look* decided something else than *before*, the last one that was kept.

    An order is always news, and so is the answer to a user; amounts that drift are not.
    """
    if before is None or isinstance(look.verdict, OrderPlaced) or look.trigger is Trigger.PERSON:
        return True
    return _gist(look) != _gist(before) or look.at - before.at >= _SAME_STORY


def _gist(look: CheckResult) -> tuple[object, ...]:
    verdict = look.verdict
    symbol = look.seen.symbol if look.seen else None
    about: object = None
    if isinstance(verdict, NoTrade):
        reason = verdict.reason
        about = (type(reason), reason.kind if isinstance(reason, OverLimit) else None)
    elif isinstance(verdict, PlanChanged):
        about = verdict.side
    return (type(verdict), about, symbol, look.target)
