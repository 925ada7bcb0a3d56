"""Links that send `/start CODE` with one tap, and the pairing code in the log."""

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)


class StartLinks:
    """*username* returns the bot's own; it raises RuntimeError until Telegram has told it."""

    def __init__(self, username: Callable[[], str]) -> None:
        self._username = username

    def of(self, code: str) -> str | None:
        """Return the link that opens a private chat with the bot and sends the code there."""
        try:
            return f"https://t.me/{self._username()}?start={code}"
        except RuntimeError:
            return None

    def announce(self, code: str) -> None:
        """Log a pairing code and its link."""
        # Warnings: the owner has to act on them, so they must be logged at any LOG_LEVEL.
        logger.warning("no owner yet; send this to the bot to become it: /start %s", code)
        if (link := self.of(code)) is not None:
            logger.warning("no owner yet; or open this link: %s", link)
