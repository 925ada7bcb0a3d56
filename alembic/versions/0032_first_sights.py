"""What a check found outside, to be confirmed by the next one"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("sighted", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("accounts") as accounts:
        accounts.drop_column("sighted")
