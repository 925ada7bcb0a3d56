"""The result of a check, when the next one is due, and what is stored of one that failed."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.check_result import CheckFailed, CheckResult
from engine.errors import EngineError, Rejected
from engine.notifications import incidents
from engine.storage.service import Service
from engine.storage.trading import check_results
from engine.storage.trading import run_requests as stored_requests

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checked:
    """Result of a check. *again_in* overrides the interval. *backs_off*: that is a wait after
    something failed, which no event shortens. *by*: the next check is not later, however long the
    account may be left alone.
    """

    look: CheckResult
    again_in: timedelta | None = None
    backs_off: bool = False
    by: timedelta | None = None


class CheckFailures(Service):
    async def record(self, duty: CheckInput, error: EngineError) -> CheckFailed:
        """Record the incident, and drop the user's tap, which the check was for."""
        kind = incidents.kind_of_question(error)
        detail = error.message if isinstance(error, Rejected) else str(error)
        logger.warning(
            "check failed",
            extra={"account": duty.account.id, "kind": kind.value, "detail": detail},
        )
        async with self.database.writing() as session:
            if duty.slot is not None and duty.account.settings.fixed is not None:
                # Nothing was traded for it; of several tokens some may have been.
                await check_results.note_slot(session, duty.account, duty.account.slot_at)
            if duty.request is not None:
                await stored_requests.drop(
                    session, duty.account.id, confirmation_id=duty.request.confirmation_id
                )
            await incidents.record(
                session,
                duty.account,
                kind=kind,
                detail=detail,
                now=self.clock.now(),
                asked=duty.request is not None,
            )
        return CheckFailed(kind, detail)
