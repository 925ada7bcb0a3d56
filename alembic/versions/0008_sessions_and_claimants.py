"""Sessions and claimants"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    op.add_column("processes", sa.Column("session", sa.Text(), nullable=True))
    for table in ("inbox", "outbox"):
        op.add_column(table, sa.Column("claimed_by", sa.Text(), nullable=True))
    op.create_index("ix_orders_account_id_sent_at", "orders", ["account_id", "sent_at"])


def downgrade() -> None:
    op.drop_index("ix_orders_account_id_sent_at", table_name="orders")
    for table in ("outbox", "inbox"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("claimed_by")
    with op.batch_alter_table("processes", schema=None) as batch_op:
        batch_op.drop_column("session")
