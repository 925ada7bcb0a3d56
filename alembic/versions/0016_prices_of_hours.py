"""The price of a pair each hour, and of the token when money came or went"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    op.create_table(
        "candles",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("close", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "at", name=op.f("pk_candles")),
    )
    op.create_table(
        "candle_ranges",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", name=op.f("pk_candle_ranges")),
    )
    with op.batch_alter_table("movements") as movements:
        movements.add_column(sa.Column("price", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("movements") as movements:
        movements.drop_column("price")
    op.drop_table("candle_ranges")
    op.drop_table("candles")
