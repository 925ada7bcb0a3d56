"""Prices on cards, and cards of viewers"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    op.add_column("cards", sa.Column("price", sa.Text(), nullable=True))
    op.add_column("cards", sa.Column("price_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "cards", sa.Column("for_viewer", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("cards", "for_viewer")
    op.drop_column("cards", "price_at")
    op.drop_column("cards", "price")
