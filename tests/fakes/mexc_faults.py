"""What can go wrong between the fake MEXC and whoever asks it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from tests.fakes.http import Reply, Request

DROPPED = Reply(drop=True)
TRUNCATED = Reply(body=b'{"symbol":"MNTLUSDT","orderId":"C02__1"}', cut_at=30)
BAD_GATEWAY = Reply(status=502, body=b"<html>502 Bad Gateway</html>", content_type="text/html")


def refusal(
    code: int, message: str = "no", *, status: int = 400, headers: Mapping[str, str] | None = None
) -> Reply:
    return json_reply({"code": code, "msg": message}, status=status, headers=headers)


@dataclass(slots=True, eq=False)
class Fault:
    """What goes wrong with the next *times* requests (None: until removed).

    *delay* passes before the request takes effect, *answer_delay* after. *reply* is sent instead
    of the true answer; the request then takes effect only if it *executes*. *hang*: no answer.
    """

    method: str
    path: str
    reply: Reply | None = None
    executes: bool = False
    hang: bool = False
    delay: timedelta = timedelta()
    answer_delay: timedelta = timedelta()
    times: int | None = 1


def next_fault(faults: list[Fault], request: Request) -> Fault | None:
    """The fault that befalls *request*, used up by one."""
    for fault in faults:
        if (fault.method, fault.path) == (request.method, request.path):
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    faults.remove(fault)
            return fault
    return None


def json_reply(
    contents: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Reply:
    body = json.dumps(contents, ensure_ascii=False).encode()
    return Reply(status=status, body=body, headers=headers or {})
