"""The answer to a stop of slices names an order that left before it."""

from types import SimpleNamespace
from typing import Any

from bot.handlers.slices import SlicesHandler
from engine.domain.market.pairs import Side
from tests.builders import account, intent


async def test_the_answer_to_a_stop_names_a_slice_that_leaves_just_before_it():
    left: list[Any] = []

    async def stop(_: Any, *, user_id: int) -> bool:
        left.append(intent(side=Side.SELL))  # let out while the stop waited for the account
        return True

    async def of(_: Any) -> Any:
        return SimpleNamespace(unresolved=left[0] if left else None)

    ctx: Any = SimpleNamespace(slices=SimpleNamespace(stop=stop), overviews=SimpleNamespace(of=of))
    request: Any = SimpleNamespace(user_id=7)

    answer = await SlicesHandler(ctx).stop(request, account(), side=Side.SELL)

    assert "may still be filled" in answer.text
