"""MEXC's push messages, written by Google's protobuf: not by the mirror of our own reader."""

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

_STRING = descriptor_pb2.FieldDescriptorProto.TYPE_STRING
_KINDS = {
    "": _STRING,
    "i": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
    "l": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "b": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
}
# Fields from number 1 on: "name" is a string, "name:i" an int32, ":l" an int64, ":b" a truth value,
# ":Message" one of these, ":Message*" many, and "?" says that a default is on the wire too.
_BODIES = {
    "Level": "price quantity",
    "Account": "vcoinName coinId balanceAmount balanceAmountChange frozenAmount frozenAmountChange type time:l",
    "Orders": "id clientId price quantity amount avgPrice orderType:i tradeType:i isMaker:b "
    "remainAmount remainQuantity lastDealQuantity? cumulativeQuantity cumulativeAmount status:i "
    "createTime:l market? triggerType:i? triggerPrice? state:i? ocoId? routeFactor? symbolId? "
    "marketId? marketCurrencyId? currencyId?",
    "Deals": "price quantity amount tradeType:i isMaker:b isSelfTrade:b tradeId clientOrderId "
    "orderId feeAmount feeCurrency time:l",
    "BookTicker": "bidPrice bidQuantity askPrice askQuantity version lastOrderCreateTime:l",
    "MiniTicker": "symbol price rate zonedRate high low volume quantity lastCloseRate "
    "lastCloseZonedRate lastCloseHigh lastCloseLow",
    "Deal": "price quantity tradeType:i time:l tradeId",
    "AggreDeals": "deals:Deal* eventType",
}
_ONE_OF = {
    304: ("privateOrders", "Orders"),
    306: ("privateDeals", "Deals"),
    307: ("privateAccount", "Account"),
    309: ("publicMiniTicker", "MiniTicker"),
    314: ("publicAggreDeals", "AggreDeals"),
    315: ("publicAggreBookTicker", "BookTicker"),
}


def pushed(
    channel: str,
    body: str,
    fields: Mapping[str, Any],
    *,
    symbol: str | None = None,
    made_ms: int | None = None,
    sent_ms: int | None = None,
) -> bytes:
    """Returns the frame of one push; *body* is a name of the wrapper's choice."""
    frame = Wrapper(channel=channel)
    for name, value in (("symbol", symbol), ("createTime", made_ms), ("sendTime", sent_ms)):
        if value is not None:
            setattr(frame, name, value)
    inner = getattr(frame, body)
    inner.SetInParent()
    for name, value in fields.items():
        setattr(inner, name, value)
    data: bytes = frame.SerializeToString()
    return data


def read_by_google(data: bytes) -> Any:
    """Raises DecodeError."""
    frame = Wrapper()
    frame.ParseFromString(data)
    return frame


def _field(
    message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str, *, shown: bool
) -> descriptor_pb2.FieldDescriptorProto:
    field = message.field.add(name=name, number=number)
    field.label = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
    if kind in _KINDS:
        field.type = _KINDS[kind]
    else:
        field.type = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = f".push.{kind.removesuffix('*')}"
        if kind.endswith("*"):
            field.label = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
    if shown:
        field.proto3_optional = True
        field.oneof_index = len(message.oneof_decl)
        message.oneof_decl.add(name=f"_{name}")
    return field


def _wrapper() -> type[Message]:
    file = descriptor_pb2.FileDescriptorProto(name="push.proto", package="push", syntax="proto3")
    for name, spec in _BODIES.items():
        message = file.message_type.add(name=name)
        for number, part in enumerate(spec.split(), start=1):
            field, _, kind = part.removesuffix("?").partition(":")
            _field(message, field, number, kind, shown=part.endswith("?"))
    wrapper = file.message_type.add(name="Wrapper")
    wrapper.oneof_decl.add(name="body")
    for number, (name, kind) in _ONE_OF.items():
        _field(wrapper, name, number, kind, shown=False).oneof_index = 0
    _field(wrapper, "channel", 1, "", shown=False)
    for number, name, kind in (
        (3, "symbol", ""),
        (4, "symbolId", ""),
        (5, "createTime", "l"),
        (6, "sendTime", "l"),
    ):
        _field(wrapper, name, number, kind, shown=True)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("push.Wrapper"))


Wrapper: Any = _wrapper()
