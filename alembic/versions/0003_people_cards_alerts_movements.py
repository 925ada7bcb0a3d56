"""People, cards, alerts, movements"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    op.create_table(
        "cards",
        sa.Column(
            "chat_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("next_edit_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chat_id", name=op.f("pk_cards")),
    )
    with op.batch_alter_table("cards", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cards_next_edit_at"), ["next_edit_at"], unique=False)

    op.create_table(
        "invitations",
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("chat_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column(
            "invited_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_invitations")),
    )
    op.create_table(
        "alert_settings",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("levels", sa.Text(), nullable=False),
        sa.Column("smallest", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column(
            "quiet_from", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "quiet_until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("errors_break_through", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("ask_deposits", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column(
            "digest_minute", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("digest_due", sa.BigInteger(), nullable=True),
        sa.Column("digest_at", sa.BigInteger(), nullable=True),
        sa.Column("digest_quote", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_alert_settings_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_alert_settings")),
    )
    with op.batch_alter_table("alert_settings", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_alert_settings_digest_due"), ["digest_due"], unique=False
        )

    op.create_table(
        "balances",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("amount", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_balances_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "dry_run", "asset", name=op.f("pk_balances")),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_decisions_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.create_index("ix_decisions_account_id_id", ["account_id", "id"], unique=False)

    op.create_table(
        "low_marks",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("below", sa.Text(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_low_marks_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "asset", name=op.f("pk_low_marks")),
    )
    op.create_table(
        "movements",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_movements_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_movements")),
    )
    with op.batch_alter_table("movements", schema=None) as batch_op:
        batch_op.create_index("ix_movements_account_id_at", ["account_id", "at"], unique=False)

    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("autonomy", sa.String(length=24), server_default="auto", nullable=False)
        )
        batch_op.add_column(sa.Column("not_before", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("key_expires_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("key_checked_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "key_told_days",
                sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                nullable=True,
            )
        )
        batch_op.add_column(
            sa.Column(
                "topic_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
            )
        )
        batch_op.add_column(
            sa.Column("all_may_look", sa.Boolean(), server_default=sa.false(), nullable=False)
        )

    with op.batch_alter_table("confirmations", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
            )
        )

    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "topic_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
            )
        )

    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("role", sa.String(length=24), server_default="trader", nullable=False)
        )
        batch_op.add_column(sa.Column("name", sa.Text(), server_default="", nullable=False))
    op.execute("UPDATE members SET role = 'owner' WHERE is_owner")


def downgrade() -> None:
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_column("topic_id")

    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.drop_column("name")
        batch_op.drop_column("role")

    with op.batch_alter_table("confirmations", schema=None) as batch_op:
        batch_op.drop_column("message_id")

    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.drop_column("all_may_look")
        batch_op.drop_column("topic_id")
        batch_op.drop_column("key_told_days")
        batch_op.drop_column("key_checked_at")
        batch_op.drop_column("key_expires_at")
        batch_op.drop_column("not_before")
        batch_op.drop_column("autonomy")

    with op.batch_alter_table("movements", schema=None) as batch_op:
        batch_op.drop_index("ix_movements_account_id_at")

    op.drop_table("movements")
    op.drop_table("low_marks")
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.drop_index("ix_decisions_account_id_id")

    op.drop_table("decisions")
    op.drop_table("balances")
    with op.batch_alter_table("alert_settings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alert_settings_digest_due"))

    op.drop_table("alert_settings")
    op.drop_table("invitations")
    with op.batch_alter_table("cards", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cards_next_edit_at"))

    op.drop_table("cards")
