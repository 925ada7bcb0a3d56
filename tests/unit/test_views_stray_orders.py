"""An order that is not known here: what is said of it, and after a tap."""

from decimal import Decimal

from bot.interaction.callback_data import Confirm
from bot.views.stray_orders import stray_answer_view, stray_order_view
from engine.domain.alerts.order_alerts import StrayOrderFound
from engine.domain.market.pairs import Side
from engine.domain.orders.order import ClientOrderId, Execution
from engine.exchanges.interface import OrderReport
from engine.execution.stray_orders import StrayEnded, StrayIsOurs, StrayOrder, StrayStands
from tests import builders
from tests.unit.phone import check_message

D = Decimal
NAME = ClientOrderId("bl" + "a2" * 13)
STRAY = StrayOrder(builders.MNTLUSDT, NAME)


def ended(quantity: str, quote: str, *, was_open: bool = True) -> StrayEnded:
    execution = Execution(D(quantity), D(quote))
    return StrayEnded(OrderReport("1", execution, is_final=True, complete=False), was_open)


def said(answer: object) -> str:
    view = stray_answer_view(answer, STRAY, account=builders.account(), again_id="again")  # type: ignore[arg-type]
    return check_message(view)


def test_the_alert_names_the_order_and_has_a_button_for_it():
    alert = StrayOrderFound(
        dry_run=False,
        symbol=builders.MNTLUSDT,
        side=Side.SELL,
        price=D("0.002002"),
        base_quantity=D(8521),
        executed=D(3000),
        client_order_id=NAME,
    )

    view = stray_order_view(alert)

    text = check_message(view)
    assert "sell 8,521 MNTL at 0.002002" in text
    assert "3,000 MNTL of it were traded already" in text
    assert NAME in text
    assert view.keyboard is not None
    assert view.keyboard.inline_keyboard[0][0].callback_data == Confirm(NAME).encode()


def test_only_what_is_proven_is_said_of_a_cancellation():
    assert "The order is cancelled" in said(ended("0", "0"))
    assert "traded 3,000 MNTL for 5.99 USDT" in said(ended("3000", "5.994"))
    assert "It was over already" in said(ended("8521", "17.02", was_open=False))
    assert "may still be filled" in said(StrayStands())
    assert "I follow this order myself" in said(StrayIsOurs())
