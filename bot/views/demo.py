"""The demo's own texts; all others on its screen are the bot's."""

from decimal import Decimal

WELCOME = """\
This is Ballast in its demo: the real bot and engine, in your terminal.
The exchange is simulated and the money is paper: no real money moves,
and nothing leaves this machine. A minute passes in a second.

Type what you would type in Telegram. Each button has a code, like a1:
type it to tap the button. Start with /start. To leave: /quit"""

TOUR_WELCOME = """\
This is Ballast in its demo, playing a short tour by itself: the real bot
and engine against a simulated exchange. The money is paper: no real money
moves, and nothing leaves this machine. A minute passes in a second."""

TOUR_END = """\
That was the tour. What to do next:

  make run    in a terminal, to try it yourself (again: only paper money)
  ballast     the same, where it is installed as a package
  make test   to run all tests

README.md leads from here to a first live trade."""

GOODBYE = "The demo is over."

WAIT_FOR_TRADE = "(waiting for the next check to see the drift and trade it)"
YOUR_MESSAGE_DELETED = "(the bot deleted your message from the chat)"
MESSAGE_DELETED = "(the bot deleted a message)"
BUTTONS_GONE = "(those buttons are gone)"
EDITED = "(edited)"


def file_sent(name: str, size: int) -> str:
    return f"[file] {name}, {size:,} bytes"


def link(label: str, url: str) -> str:
    return f"{label}: {url}"


def typed(text: str) -> str:
    return f"you> {text}"


def moved(usdt: Decimal) -> str:
    """A deposit (above zero) or a withdrawal that happened outside the bot."""
    if usdt > 0:
        return f"(at the exchange: a deposit of {usdt:,.2f} USDT came in)"
    return f"(at the exchange: a withdrawal of {-usdt:,.2f} USDT went out)"


def missing(step: str) -> str:
    return (
        f"The tour stops here: the answer to {step} did not come in time.\n"
        "Please report this, with the lines above."
    )
