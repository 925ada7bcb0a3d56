"""Queues with ranks"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    for table in ("inbox", "outbox"):
        for name, default in (("rank", "10"), ("deaths", "0")):
            op.add_column(
                table,
                sa.Column(
                    name,
                    sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                    server_default=sa.text(default),
                    nullable=False,
                ),
            )
        op.drop_index(f"ix_{table}_waiting", table_name=table)
        _index(table, "waiting", ["chat_id", "rank", "id"], "done_at IS NULL")
        _index(table, "claimed", ["chat_id"], "claimed_until IS NOT NULL")


def downgrade() -> None:
    for table in ("inbox", "outbox"):
        op.drop_index(f"ix_{table}_claimed", table_name=table)
        op.drop_index(f"ix_{table}_waiting", table_name=table)
        _index(table, "waiting", ["chat_id", "id"], "done_at IS NULL")
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("deaths")
            batch_op.drop_column("rank")


def _index(table: str, name: str, columns: list[str], where: str) -> None:
    op.create_index(
        f"ix_{table}_{name}",
        table,
        columns,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
