"""What an order cost: the book it was decided on, its fills and its end"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None
oldest_code = "0003"

_COLUMNS = {
    "execution_mode": sa.String(length=24),
    "bid": sa.Text(),
    "ask": sa.Text(),
    "book_at": sa.BigInteger(),
    "depth": sa.Text(),
    "guard": sa.Text(),
    "expected_cost_bp": sa.Text(),
    "acknowledged_at": sa.BigInteger(),
    "end_reason": sa.String(length=24),
    "final_mid": sa.Text(),
    "fills": sa.Text(),
    "fee_price": sa.Text(),
}


def upgrade() -> None:
    # One by one: a batch would copy SQLite's table of orders.
    for name, kind in _COLUMNS.items():
        op.add_column("orders", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("orders") as orders:
        for name in reversed(_COLUMNS):
            orders.drop_column(name)
