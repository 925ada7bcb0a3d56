"""A Bot API that answers quickly: `python -m benchmarks.telegram [--enforce]`.

With --enforce it takes 30 messages in any second and one a second and chat, and answers 429 to
more, as Telegram does. The long poll is answered when its time is over.

    /_/polls   how many polls came, and when the first did
    /_/sent    when each message was taken: [seconds, chat]
    /_/limits  how many were refused, and the most that were in flight at once
"""

import argparse
import json
import time
from collections import defaultdict, deque

from benchmarks.serving import Answer, Request, serve_forever

TOKEN = "1234567890:AAFakeTokenOfTheBenchmarks00000000000"  # noqa: S105 - nobody's
# A phone's way to Telegram and back takes about as long.
ROUND_TRIP_S = 0.05
_PER_SECOND, _PER_CHAT = 30, 1
_ME = {"id": 1234567890, "is_bot": True, "first_name": "Ballast", "username": "ballast_bot"}


class Telegram:
    def __init__(self, *, enforce: bool) -> None:
        self._enforce = enforce
        self._polls: list[float] = []
        self._sent: list[tuple[float, int]] = []
        self._latest: deque[float] = deque()
        self._of_chat: defaultdict[int, float] = defaultdict(float)
        self._refused = 0
        self._in_flight: deque[float] = deque()
        self._most_in_flight = 0

    def answer(self, request: Request) -> Answer:
        if request.path.startswith("/_/"):
            return Answer(json.dumps(self._confide(request)).encode())
        match request.path.rpartition("/")[2]:
            case "getUpdates":
                self._polls.append(time.monotonic())
                return _ok([], delay=float(request.form.get("timeout", "0")))
            case "getMe":
                return _ok(_ME)
            case "getWebhookInfo":
                return _ok({"url": "", "has_custom_certificate": False, "pending_update_count": 0})
            case "sendMessage":
                return self._send(request)
            case _:
                return _ok(result=True)

    def _send(self, request: Request) -> Answer:
        now = time.monotonic()
        form = request.form if b"=" in request.body else json.loads(request.body)
        chat_id = int(form["chat_id"])
        while self._in_flight and self._in_flight[0] <= now:
            self._in_flight.popleft()
        self._in_flight.append(now + ROUND_TRIP_S)
        self._most_in_flight = max(self._most_in_flight, len(self._in_flight))
        while self._latest and self._latest[0] <= now - 1:
            self._latest.popleft()
        too_many = len(self._latest) >= _PER_SECOND or now - self._of_chat[chat_id] < 1 / _PER_CHAT
        if self._enforce and too_many:
            self._refused += 1
            facts = {"ok": False, "error_code": 429, "description": "Too Many Requests"}
            body = json.dumps(facts | {"parameters": {"retry_after": 1}}).encode()
            return Answer(body, status=429, delay=ROUND_TRIP_S)
        self._latest.append(now)
        self._of_chat[chat_id] = now
        self._sent.append((now, chat_id))
        chat = {"id": chat_id, "type": "private"}
        message = {"message_id": len(self._sent), "date": int(now), "chat": chat, "text": "-"}
        return _ok(message, delay=ROUND_TRIP_S)

    def _confide(self, request: Request) -> object:
        match request.path.removeprefix("/_/"):
            case "polls":
                return self._polls
            case "sent":
                return self._sent
            case "limits":
                return {"refused": self._refused, "in_flight": self._most_in_flight}
            case _:
                return {}


def _ok(result: object, *, delay: float = 0.0) -> Answer:
    return Answer(json.dumps({"ok": True, "result": result}).encode(), delay=delay)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--enforce", action="store_true")
    serve_forever(Telegram(enforce=parser.parse_args().enforce).answer)
