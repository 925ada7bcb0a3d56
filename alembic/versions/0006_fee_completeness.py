"""Whether the fees of an order are all of them"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    op.add_column(
        "orders",
        sa.Column("fees_complete", sa.Boolean(), server_default=sa.true(), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("orders", "fees_complete")
