"""Links that send `/start CODE` with one tap, and how the future owner gets the pairing code."""

import logging
from collections.abc import Callable
from contextlib import suppress
from io import StringIO
from typing import TextIO

logger = logging.getLogger(__name__)


class StartLinks:
    """*username* returns the bot's own; it raises RuntimeError before Telegram has sent it.
    *terminal* shows a QR code if it is interactive.
    """

    def __init__(self, username: Callable[[], str], *, terminal: TextIO | None = None) -> None:
        self._username = username
        self._terminal = terminal

    def of(self, code: str) -> str | None:
        """Return the link that opens a private chat with the bot and sends the code there."""
        return self._link(f"?start={code}")

    def of_group(self, code: str) -> str | None:
        """Return the link that lets a user choose a group, adds the bot, and sends the code there."""
        return self._link(f"?startgroup={code}")

    def private_chat(self) -> str | None:
        """Return the link that opens a private chat with the bot."""
        return self._link()

    def _link(self, query: str = "") -> str | None:
        try:
            return f"https://t.me/{self._username()}{query}"
        except RuntimeError:
            return None

    def announce(self, code: str) -> None:
        """Log a pairing code and its link, and draw the link for a phone's camera."""
        # Warnings: the owner has to act on them, so they must be logged at any LOG_LEVEL.
        logger.warning("no owner yet; send this to the bot to become it: /start %s", code)
        if (link := self.of(code)) is None:
            return
        logger.warning("no owner yet; or open this link: %s", link)
        # A terminal may be gone, or have other characters: the link was logged.
        with suppress(OSError, ValueError):
            if self._terminal is not None and self._terminal.isatty():
                self._terminal.write(drawn(link))
                self._terminal.flush()


def drawn(link: str) -> str:
    """Return the link as a QR code of half blocks, light on a dark terminal."""
    import segno  # noqa: PLC0415 - needed once in the life of a bot

    picture = StringIO()
    segno.make_qr(link, error="l").terminal(picture, border=2, compact=True)
    return picture.getvalue()
