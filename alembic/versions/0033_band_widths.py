"""How wide the bands of an account are that follow volatility"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("widths", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("accounts") as accounts:
        accounts.drop_column("widths")
