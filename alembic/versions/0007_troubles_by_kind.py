"""Troubles by kind"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    op.add_column("troubles", sa.Column("kinds", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("troubles", schema=None) as batch_op:
        batch_op.drop_column("kinds")
