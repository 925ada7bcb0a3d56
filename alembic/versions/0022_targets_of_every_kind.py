"""Targets of every kind, with what is set around them"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("targeting", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("accounts") as accounts:
        accounts.drop_column("targeting")
