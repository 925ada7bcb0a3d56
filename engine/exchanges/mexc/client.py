"""MEXC's HTTP client: signs, paces and sends; returns a value or raises an engine error."""

import asyncio
import logging
import re
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from engine.clock import Clock, to_millis
from engine.domain.orders.order import RECV_WINDOW, ClientOrderId
from engine.errors import (
    BadCredentials,
    BadData,
    ClockRefused,
    ClockUnsure,
    HostRefused,
    OrderNotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
)
from engine.exchanges.mexc import parsing
from engine.exchanges.mexc.answer_origin import complaint_of, contents_of, is_refusal, refuses_host
from engine.exchanges.mexc.endpoints import CANCEL_ORDER, NEW_ORDER, TIME, Endpoint
from engine.exchanges.mexc.error_codes import DEFINITE, NOT_FOUND, error_for
from engine.exchanges.mexc.server_clock import MexcClock, jumped
from engine.exchanges.mexc.signing import (
    PUBLIC_HEADERS,
    Params,
    encoded,
    headers_for,
    signed_query,
)
from engine.exchanges.mexc.transport import Answer, NeverLeft, NoAnswer, Transport
from engine.exchanges.rate_limiter import RateLimiter
from engine.exchanges.request_stats import RequestStats
from engine.security.credentials import Credentials

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnswerReader:
    """An answer, and when its request left (after waiting for its turn)."""

    contents: object
    asked_at: datetime


# Reads may arrive late without harm.
_READ_WINDOW = timedelta(seconds=30)
# The error of a time measurement is at most half of its round trip.
_SLOWEST_ROUND_TRIP = timedelta(seconds=2)

_SILENCE = {429: 60, 418: 120, 403: 300, 451: 300}
_LONGEST_SILENCE = 3 * 24 * 3600
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


class MexcClient:
    """Shared by all accounts: one transport, one budget, one measured clock. No retries."""

    def __init__(
        self,
        transport: Transport,
        *,
        base_url: str,
        clock: Clock,
        budget: RateLimiter,
    ) -> None:
        self._transport = transport
        self._base_url = base_url.rstrip("/")
        self._budget = budget
        self._measuring = asyncio.Lock()
        self.clock = clock
        self.time = MexcClock(clock)
        self.traffic = RequestStats()

    async def read(
        self,
        endpoint: Endpoint,
        params: Params = (),
        *,
        credentials: Credentials | None = None,
    ) -> AnswerReader:
        """Read JSON, signed where there are *credentials*. Moves no money.

        Raises Unavailable or Rejected. After a refused time stamp the clock is measured and the
        request retried once.
        """
        if credentials is None:
            return await self._read(endpoint, params, credentials=None)
        if not self.time.trusted:
            await self.resync()
        seen = self.time.samples
        try:
            return await self._read(endpoint, params, credentials=credentials)
        except ClockRefused:
            await self._measure_unless_done(since=seen)
            return await self._read(endpoint, params, credentials=credentials)

    async def place_order(
        self,
        params: Params,
        *,
        client_order_id: ClientOrderId,
        credentials: Credentials,
        sent_at: datetime,
    ) -> str:
        """Send exactly one POST, or none at all; returns the exchange's id of the order.

        Raises Unavailable only if nothing left, Rejected for a definite refusal, and
        OutcomeUnknown in every other case.
        """
        if not self.time.trusted:
            raise ClockUnsure("the exchange's time is not known for sure")
        async with self._acquire(NEW_ORDER, credentials):
            if self.time.now() > sent_at + RECV_WINDOW:
                raise Unavailable("the order's time stamp expired before it could leave")
            answer = await self._send_once(
                NEW_ORDER,
                params,
                client_order_id=client_order_id,
                credentials=credentials,
                stamp=sent_at,
            )
        return self._placed(answer, client_order_id=client_order_id, credentials=credentials)

    async def cancel_order(
        self, params: Params, *, client_order_id: ClientOrderId, credentials: Credentials
    ) -> None:
        """Send exactly one DELETE, or none at all. What it is answered says nothing of the order.

        Raises as `place_order`, and OrderNotFound where no such order rests.
        """
        if not self.time.trusted:
            raise ClockUnsure("the exchange's time is not known for sure")
        async with self._acquire(CANCEL_ORDER, credentials):
            answer = await self._send_once(
                CANCEL_ORDER,
                params,
                client_order_id=client_order_id,
                credentials=credentials,
                stamp=self.time.now(),
            )
        complaint = complaint_of(contents_of(answer), credentials=credentials)
        is_gone = complaint is not None and complaint.code in NOT_FOUND
        if complaint and is_gone and is_refusal(answer.status) and answer.status not in _SILENCE:
            raise OrderNotFound(f"{complaint.code}: {complaint.message}")
        self._accepted(answer, client_order_id=client_order_id, credentials=credentials)

    async def _send_once(
        self,
        endpoint: Endpoint,
        params: Params,
        *,
        client_order_id: ClientOrderId,
        credentials: Credentials,
        stamp: datetime,
    ) -> Answer:
        query = signed_query(
            params,
            credentials=credentials,
            timestamp_ms=to_millis(stamp),
            recv_window_ms=RECV_WINDOW // timedelta(milliseconds=1),
        )
        try:
            return await self._send(endpoint, query, credentials=credentials)
        except NeverLeft as e:
            raise Unavailable(f"cannot connect ({e})") from e
        except (NoAnswer, BadData) as e:
            raise _unknown(client_order_id, str(e)) from e

    async def resync(self) -> None:
        """Measure the exchange's clock. Raises Unavailable, also where it jumps about."""
        await self._measure_unless_done(since=self.time.samples)

    async def _measure_unless_done(self, *, since: int) -> None:
        async with self._measuring:
            if self.time.samples == since:
                await self._measure()

    async def _measure(self) -> None:
        offset = await self._sample()
        if not self.time.continues_at(offset):
            confirmation = await self._sample()
            if jumped(offset, confirmation):
                self.time.distrust()
                raise ClockUnsure("the exchange's clock jumps about")
            offset = confirmation
        self.time.accept(offset)

    async def _sample(self) -> timedelta:
        async with self._acquire(TIME, None):
            asked_at = self.clock.steady()
            server_time = parsing.server_time(await self._answered(TIME, "", credentials=None))
            round_trip = self.clock.steady() - asked_at
        if round_trip > _SLOWEST_ROUND_TRIP:
            raise Unavailable("the exchange is too slow to tell the time")
        return server_time - (asked_at + round_trip / 2)

    async def _read(
        self, endpoint: Endpoint, params: Params, *, credentials: Credentials | None
    ) -> AnswerReader:
        async with self._acquire(endpoint, credentials):
            asked_at = self.clock.now()
            if credentials is None:
                query = encoded(params)
            else:
                query = signed_query(
                    params,
                    credentials=credentials,
                    timestamp_ms=to_millis(self.time.now()),
                    recv_window_ms=_READ_WINDOW // timedelta(milliseconds=1),
                )
            contents = await self._answered(endpoint, query, credentials=credentials)
        return AnswerReader(contents, asked_at)

    def _acquire(
        self, endpoint: Endpoint, credentials: Credentials | None
    ) -> AbstractAsyncContextManager[None]:
        key = "" if credentials is None else credentials.api_key
        return self._budget.acquire(
            endpoint.weight, endpoint.priority, kind=endpoint.kind, key=key
        )

    async def _answered(
        self, endpoint: Endpoint, query: str, *, credentials: Credentials | None
    ) -> object:
        try:
            answer = await self._send(endpoint, query, credentials=credentials)
        except (NeverLeft, NoAnswer) as e:
            raise Unavailable(f"no answer from {endpoint.path} ({e})") from e
        return self._json_of(answer, credentials=credentials)

    async def _send(
        self, endpoint: Endpoint, query: str, *, credentials: Credentials | None
    ) -> Answer:
        url = f"{self._base_url}{endpoint.path}"
        began, outcome = self.clock.steady(), "no_answer"
        try:
            answer = await self._transport.send(
                endpoint.method,
                f"{url}?{query}" if query else url,
                headers=PUBLIC_HEADERS if credentials is None else headers_for(credentials),
            )
            outcome = str(answer.status)
        except NeverLeft:
            outcome = "never_left"
            raise
        finally:
            took = self.clock.steady() - began
            self.traffic.note(endpoint.method, endpoint.path, outcome=outcome, took=took)
            about = {"method": endpoint.method, "path": endpoint.path, "outcome": outcome}
            logger.debug("request finished", extra=about)
        return answer

    def _json_of(self, answer: Answer, *, credentials: Credentials | None) -> object:
        contents = contents_of(answer)
        complaint = complaint_of(contents, credentials=credentials)
        silence = self._silence(answer, complaint)
        if refuses_host(answer, complaint):
            raise HostRefused(f"HTTP {answer.status}")
        if silence is not None:
            raise RateLimited(f"HTTP {answer.status}", retry_after=silence)
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unavailable(f"HTTP {answer.status}")
        if complaint is not None:
            raise error_for(complaint.code, complaint.message)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise BadCredentials(code=answer.status, message="No authority")
        if answer.status == HTTPStatus.NOT_FOUND:
            raise Rejected(code=answer.status, message="Not found")
        if not answer.ok:
            raise BadData(f"HTTP {answer.status} without a reason")
        if isinstance(contents, BadData):
            raise contents
        return contents

    def _placed(
        self, answer: Answer, *, client_order_id: ClientOrderId, credentials: Credentials
    ) -> str:
        contents = self._accepted(answer, client_order_id=client_order_id, credentials=credentials)
        try:
            return parsing.placed_order_id(contents)
        except BadData as e:
            raise _unknown(client_order_id, str(e)) from e

    def _accepted(
        self, answer: Answer, *, client_order_id: ClientOrderId, credentials: Credentials
    ) -> object:
        """Returns what an order's request was answered if that is no error."""
        contents = contents_of(answer)
        complaint = complaint_of(contents, credentials=credentials)
        if self._silence(answer, complaint) is not None:
            # Documented as not executed; trusted only after a look-up.
            raise _unknown(client_order_id, f"HTTP {answer.status}")
        if complaint is not None:
            if is_refusal(answer.status) and complaint.code in DEFINITE:
                raise error_for(complaint.code, complaint.message)
            raise _unknown(client_order_id, f"HTTP {answer.status}, code {complaint.code}")
        if not answer.ok:
            raise _unknown(client_order_id, f"HTTP {answer.status}")
        if isinstance(contents, BadData):
            raise _unknown(client_order_id, str(contents)) from contents
        return contents

    def _silence(self, answer: Answer, complaint: parsing.Complaint | None) -> int | None:
        """Seconds of silence this answer asks for; they begin now, for every account."""
        if answer.status not in _SILENCE:
            return None
        if answer.status == HTTPStatus.FORBIDDEN and complaint and complaint.code in DEFINITE:
            return None  # about one key, not about our address
        seconds = _SILENCE[answer.status]
        if answer.retry_after is not None and _SECONDS.fullmatch(answer.retry_after):
            seconds = min(max(1, int(answer.retry_after)), _LONGEST_SILENCE)
        refused = f"HTTP {answer.status}" if refuses_host(answer, complaint) else None
        self._budget.block_until(
            self.clock.steady() + timedelta(seconds=seconds), host_refused=refused
        )
        event = "exchange rate limit hit" if refused is None else "host refused"
        logger.warning(event, extra={"status": answer.status, "seconds": seconds})
        return seconds


def _unknown(client_order_id: ClientOrderId, what: str) -> OutcomeUnknown:
    return OutcomeUnknown(f"{client_order_id}: {what}")
