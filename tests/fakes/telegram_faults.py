"""Answers of the Bot API server that are not what the bot hoped for."""

import json
from dataclasses import dataclass

from tests.fakes.http import Reply


class Refused(Exception):
    """An answer that is not ok, with what Telegram puts into `parameters`."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters

    def reply(self) -> Reply:
        answer = {"ok": False, "error_code": self.status, "description": self.description}
        if self.parameters:
            answer["parameters"] = self.parameters
        return Reply(status=self.status, body=json.dumps(answer).encode())


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens instead of an answer. *took_effect*: the call was obeyed all the same."""

    reply: Reply | None = None
    took_effect: bool = False


def too_many_requests(retry_after: int) -> Fault:
    words = f"Too Many Requests: retry after {retry_after}"
    return Fault(Refused(429, words, retry_after=retry_after).reply())


def server_error(status: int = 502) -> Fault:
    """From the proxy in front of Telegram, so without JSON."""
    page = f"<html><body><h1>{status}</h1></body></html>".encode()
    return Fault(Reply(status=status, body=page, content_type="text/html"))


def refused(status: int, description: str) -> Fault:
    return Fault(Refused(status, description).reply())


def migrated(new_chat_id: int) -> Fault:
    words = "Bad Request: group chat was upgraded to a supergroup chat"
    return Fault(Refused(400, words, migrate_to_chat_id=new_chat_id).reply())


FORBIDDEN = refused(403, "Forbidden: bot was blocked by the user")
CONFLICT = refused(409, "Conflict: terminated by other getUpdates request")
HANG = Fault()
DROPPED = Fault(Reply(drop=True))
LOST_ANSWER = Fault(Reply(drop=True), took_effect=True)
# Lets one call through before the faults behind it.
NONE = Fault(took_effect=True)
