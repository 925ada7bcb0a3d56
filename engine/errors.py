"""Exceptions of the engine, named after what the caller does next.

    EngineError
    ├── Unavailable            nothing happened; try later
    │   ├── RateLimited        ... and not before `retry_after` (429, 418, MEXC's own 403)
    │   ├── HostRefused        something in front of the exchange refuses this server
    │   ├── BadData            an answer came, but it cannot be trusted
    │   ├── ClockUnsure        the exchange's clock is not known well enough to sign anything
    │   ├── NotConnected       a stream's handshake failed
    │   └── OrderNotFound      the exchange does not know the order (yet)
    ├── Rejected               the exchange refused; a repeated request would be refused too
    │   ├── BadCredentials     the key is wrong, deleted or expired
    │   ├── AddressRefused     the key is bound to other addresses
    │   ├── MissingPermission  the key lacks a permission
    │   ├── TooPowerful        the key could move money out: it is not stored
    │   ├── AccountRestricted  the exchange restricts the user's account
    │   ├── PairUnavailable    the pair is unknown, hidden, or closed to this key
    │   ├── InsufficientBalance
    │   ├── BelowMinimum
    │   ├── NoCounterpart      the book's other side is empty
    │   ├── PriceOutOfRange    the order's price is further from the market than is allowed
    │   └── ClockRefused       our time stamp was outside the window: the order was refused
    ├── OutcomeUnknown         the order may or may not exist: ask, never repeat
    ├── NotGranted             a user's request that cannot be granted now; nothing was changed
    │   ├── NoKey              there is neither a key nor a dry run
    │   ├── PaperOnly          there is no real exchange here
    │   ├── KeyElsewhere       another chat has connected the same key
    │   │   └── AccountElsewhere   another key of the same account at the exchange
    │   ├── AccountShared      the chat sees another one's account in place of its own
    │   └── OrderUnresolved    an order is not resolved yet and needs things as they are
    │       └── OrderRests     it waits at the exchange
    ├── LeaseLost              another process owns the account now
    └── DecryptionFailed             a stored secret does not belong here or cannot be decrypted

Exceptions hold facts; the words are in `bot/views`.
"""


class EngineError(Exception):
    """Root of everything the engine raises on purpose."""


class Unavailable(EngineError):
    """Nothing happened; the same call may succeed later."""


class RateLimited(Unavailable):
    """The exchange's rate limit is hit: send nothing for *retry_after* seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class HostRefused(Unavailable):
    """A server in front of the exchange refuses this host, by its country or its address.

    The message names the HTTP status. Neither the key nor the pace of requests is the reason.
    """


class BadData(Unavailable):
    """An answer arrived but is malformed, missing a field or not finite: as good as no answer."""


class ClockUnsure(Unavailable):
    """The exchange's clock jumps about: what is signed now may be refused, or taken too late."""


class NotConnected(Unavailable):
    """A stream's handshake failed; *status* is the HTTP status, where there was an answer."""

    def __init__(self, why: str, status: int | None = None) -> None:
        super().__init__(why)
        self.status = status


class OrderNotFound(Unavailable):
    """The exchange does not know this order. Just after a POST this proves nothing."""


class Rejected(EngineError):
    """A definite no, with the exchange's own *code* and *message* (already free of secrets)."""

    def __init__(self, *, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class BadCredentials(Rejected): ...


class AddressRefused(Rejected): ...


class MissingPermission(Rejected): ...


class TooPowerful(Rejected): ...


class AccountRestricted(Rejected): ...


class PairUnavailable(Rejected): ...


class InsufficientBalance(Rejected): ...


class BelowMinimum(Rejected): ...


class NoCounterpart(Rejected): ...


class PriceOutOfRange(Rejected): ...


class ClockRefused(Rejected): ...


class OutcomeUnknown(EngineError):
    """A POST may have arrived. Only a look-up by client order id may decide."""


class NotGranted(EngineError):
    """A wish was understood and not granted; nothing was changed."""


class NoKey(NotGranted): ...


class PaperOnly(NotGranted): ...


class KeyElsewhere(NotGranted): ...


class AccountElsewhere(KeyElsewhere): ...


class AccountShared(NotGranted): ...


class OrderUnresolved(NotGranted): ...


class OrderRests(OrderUnresolved): ...


class LeaseLost(EngineError):
    """Another process owns the account now; whatever was planned here must not leave."""


class DecryptionFailed(EngineError):
    """A stored secret is bound to something else, or none of our keys opens it."""


def innermost(error: Exception) -> Exception:
    """Returns the first error inside nested exception groups."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
