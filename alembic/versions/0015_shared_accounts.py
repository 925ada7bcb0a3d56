"""Shared accounts"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
oldest_code = "0003"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "shares",
        sa.Column("chat_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("account_id", _NUMBER, nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("user_id", _NUMBER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("alerts", sa.String(length=24), server_default="all", nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("shared_by", _NUMBER, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_shares_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("chat_id", name=op.f("pk_shares")),
    )
    op.create_index(op.f("ix_shares_account_id"), "shares", ["account_id"])
    op.create_table(
        "share_links",
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("account_id", _NUMBER, nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("made_by", _NUMBER, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_by", _NUMBER, nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("requested_chat", _NUMBER, nullable=True),
        sa.Column("requested_by", _NUMBER, nullable=True),
        sa.Column("requested_at", sa.BigInteger(), nullable=True),
        sa.Column("requested_name", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_share_links_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_share_links")),
    )
    op.create_index(op.f("ix_share_links_account_id"), "share_links", ["account_id"])


def downgrade() -> None:
    op.drop_table("share_links")
    op.drop_table("shares")
