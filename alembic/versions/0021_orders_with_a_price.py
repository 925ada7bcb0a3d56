"""Orders with a price, how an account sends them, and where the exchange takes them"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
oldest_code = "0003"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ACCOUNTS = ("outside_since", "slippage_strict", "slippage", "execution")
_ORDERS = ("cancelling_since", "widened", "expected_average", "bound_quantity", "bound")


def upgrade() -> None:
    with op.batch_alter_table("accounts") as accounts:
        accounts.add_column(
            sa.Column("execution", sa.String(length=24), server_default="market", nullable=False)
        )
        accounts.add_column(sa.Column("slippage", sa.Text(), nullable=True))
        accounts.add_column(
            sa.Column("slippage_strict", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        accounts.add_column(sa.Column("outside_since", sa.BigInteger(), nullable=True))
    # One by one: a batch would copy SQLite's table of orders.
    op.add_column(
        "orders",
        sa.Column("order_type", sa.String(length=24), server_default="MARKET", nullable=False),
    )
    op.add_column("orders", sa.Column("bound", sa.Text(), nullable=True))
    op.add_column("orders", sa.Column("bound_quantity", sa.Text(), nullable=True))
    op.add_column("orders", sa.Column("expected_average", sa.Text(), nullable=True))
    op.add_column(
        "orders", sa.Column("widened", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("orders", sa.Column("cancelling_since", sa.BigInteger(), nullable=True))
    op.create_table(
        "order_types",
        sa.Column("account_id", _NUMBER, nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("funds", sa.Text(), nullable=False),
        sa.Column("order_type", sa.String(length=24), nullable=False),
        sa.Column("answer", sa.String(length=24), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_order_types_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "symbol", "funds", "order_type", name=op.f("pk_order_types")
        ),
    )


def downgrade() -> None:
    op.drop_table("order_types")
    with op.batch_alter_table("orders") as orders:
        for name in (*_ORDERS, "order_type"):
            orders.drop_column(name)
    with op.batch_alter_table("accounts") as accounts:
        for name in _ACCOUNTS:
            accounts.drop_column(name)
