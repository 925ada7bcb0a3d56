"""Accounts at the exchange"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    op.create_table(
        "exchange_accounts",
        sa.Column("key_print", sa.Text(), nullable=False),
        sa.Column("account_print", sa.Text(), nullable=False),
        sa.Column("connected_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_print", name=op.f("pk_exchange_accounts")),
    )
    op.create_index(
        op.f("ix_exchange_accounts_account_print"), "exchange_accounts", ["account_print"]
    )


def downgrade() -> None:
    op.drop_table("exchange_accounts")
