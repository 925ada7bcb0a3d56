"""What happens to deposits, and the one that waits"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    with op.batch_alter_table("accounts") as accounts:
        accounts.add_column(
            sa.Column("deposits", sa.String(length=24), server_default="now", nullable=False)
        )
        accounts.add_column(
            sa.Column("deposit_wait_s", sa.BigInteger(), server_default="900", nullable=False)
        )
        accounts.add_column(sa.Column("waiting_amount", sa.Text(), nullable=True))
        accounts.add_column(sa.Column("waiting_until", sa.BigInteger(), nullable=True))
        accounts.add_column(sa.Column("waiting_question", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("accounts") as accounts:
        for name in ("waiting_question", "waiting_until", "waiting_amount"):
            accounts.drop_column(name)
        accounts.drop_column("deposit_wait_s")
        accounts.drop_column("deposits")
