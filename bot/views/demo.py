"""The demo's own texts; all others on its screen are the bot's."""

from decimal import Decimal

WELCOME = """\
This is the demo of Ballast: the real bot and engine, in your terminal.
The exchange is simulated and the money is paper. No real money moves.
Nothing leaves this machine. A minute passes in a second.

Type what you would type in Telegram.
Each button has a code, like a1. To tap the button, type its code.
To begin: /start. To leave: /quit"""

TOUR_WELCOME = """\
This is the demo of Ballast. A short tour plays by itself.
The bot and the engine are real, the exchange is simulated.
The money is paper. No real money moves.
Nothing leaves this machine. A minute passes in a second."""

TOUR_END = """\
The tour is over. What you can do next:

  make run    tries the bot in a terminal, with paper money again
  ballast     does the same, where it is installed as a package
  make test   runs the tests

README.md shows the way to a first live trade."""

GOODBYE = "The demo is over."

WAIT_FOR_TRADE = "(The next check sees the drift and trades it. I wait for it.)"
YOUR_MESSAGE_DELETED = "(The bot deleted your message.)"
MESSAGE_DELETED = "(The bot deleted its message.)"
BUTTONS_GONE = "(These buttons are gone.)"
EDITED = "(edited)"


PICTURE = "[picture]"


def file_sent(name: str, size: int) -> str:
    return f"[file] {name}, {size:,} bytes"


def link(label: str, url: str) -> str:
    return f"{label}: {url}"


def typed(text: str) -> str:
    return f"you> {text}"


def moved(usdt: Decimal) -> str:
    """A deposit (above zero) or a withdrawal that happened outside the bot."""
    if usdt > 0:
        return f"(At the exchange {usdt:,.2f} USDT arrived.)"
    return f"(At the exchange {-usdt:,.2f} USDT left.)"


def missing(step: str) -> str:
    return (
        f"The tour stops here.\nWhat {step} leads to did not come in time.\n"
        "Please report this, with the lines above."
    )
