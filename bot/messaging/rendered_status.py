"""A status message as rendered, and what of it is stored with the chat's live one."""

import hashlib
from dataclasses import dataclass, replace

from bot.interaction.message import Message
from engine.domain.market.pairs import Symbol
from engine.domain.rebalancing.check_result import CheckResult, PriceSeen
from engine.storage.chat.status_messages import StatusMessage


@dataclass(frozen=True, slots=True)
class RenderedStatus:
    """A status message as rendered now; *gist* and *words* are hashes of its content.
    *is_checked*: it shows a check of this process.
    """

    message: Message
    gist: str
    words: str
    look: CheckResult | None
    price: PriceSeen | None
    for_viewer: bool
    is_checked: bool


def showing(card: StatusMessage, drawn: RenderedStatus) -> StatusMessage:
    """*card* as it is stored once it shows *drawn*."""
    return replace(
        card,
        gist=drawn.gist,
        words=drawn.words,
        look=drawn.look,
        price=drawn.price.price if drawn.price else None,
        price_at=drawn.price.at if drawn.price else None,
        for_viewer=drawn.for_viewer,
    )


def price_on(card: StatusMessage | None, symbol: Symbol) -> PriceSeen | None:
    """The price that the card shows, if it is of the pair."""
    if card is None or card.price is None or card.price_at is None or card.look is None:
        return None
    is_same = card.look.seen is not None and card.look.seen.symbol == symbol
    return PriceSeen(card.price, card.price_at) if is_same else None


def hash_of(message: Message) -> str:
    """A hash of the text and its buttons."""
    keyboard = message.keyboard.to_json() if message.keyboard else ""
    return hashlib.sha256(f"{message.text}\n{keyboard}".encode()).hexdigest()[:32]
