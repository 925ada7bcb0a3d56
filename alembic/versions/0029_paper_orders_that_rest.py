"""What rests at the paper exchange"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    op.add_column("paper_orders", sa.Column("price", sa.Text(), nullable=True))
    op.add_column("paper_orders", sa.Column("base_quantity", sa.Text(), nullable=True))
    op.add_column("paper_orders", sa.Column("seen_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "paper_orders",
        sa.Column("is_open", sa.Boolean(), server_default=sa.false(), nullable=False),
    )


def downgrade() -> None:
    with op.batch_alter_table("paper_orders") as orders:
        for name in ("is_open", "seen_at", "base_quantity", "price"):
            orders.drop_column(name)
