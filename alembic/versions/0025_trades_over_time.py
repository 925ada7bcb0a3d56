"""Trades over time, and which slice of one an order is"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
oldest_code = "0003"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # One by one: a batch would copy SQLite's tables.
    op.add_column("accounts", sa.Column("slicing_until", sa.BigInteger(), nullable=True))
    op.add_column("orders", sa.Column("slice_number", _NUMBER, nullable=True))
    op.add_column("orders", sa.Column("slices", _NUMBER, nullable=True))
    op.create_table(
        "sliced_trades",
        sa.Column("account_id", _NUMBER, nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("user_id", _NUMBER, nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("side", sa.String(length=24), nullable=False),
        sa.Column("total", sa.Text(), nullable=False),
        sa.Column("each", sa.Text(), nullable=False),
        sa.Column("slices", _NUMBER, nullable=False),
        sa.Column("in_base", sa.Boolean(), nullable=False),
        sa.Column("least", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("span", sa.BigInteger(), nullable=False),
        sa.Column("pauses", sa.Boolean(), nullable=False),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("last", _NUMBER, nullable=False),
        sa.Column("ended", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_sliced_trades_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_sliced_trades")),
    )


def downgrade() -> None:
    op.drop_table("sliced_trades")
    with op.batch_alter_table("orders") as orders:
        orders.drop_column("slices")
        orders.drop_column("slice_number")
    with op.batch_alter_table("accounts") as accounts:
        accounts.drop_column("slicing_until")
