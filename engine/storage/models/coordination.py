"""Tables by which processes coordinate: leases, leaders, live processes, and small facts."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from engine.storage.column_types import Base
from engine.storage.models.accounts import AccountRow


class LeaseRow(Base):
    """Lease of an account by a process. Each claim raises *fence*; times are the database's.
    Without an owner *lease_until* is when the account is due.
    """

    __tablename__ = "leases"

    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), primary_key=True)
    owner: Mapped[str | None] = mapped_column(index=True)
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime]
    woken: Mapped[bool] = mapped_column(default=False)


class LeaderLeaseRow(Base):
    """Lease of a job that one process at a time runs. *held_until* is the database's time."""

    __tablename__ = "posts"

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    held_until: Mapped[datetime]


class ProcessRow(Base):
    """A process that works on this database, until its announcement expires.
    *session* is the database's name of its session; empty where unknown, and absent in 0.4.0.
    """

    __tablename__ = "processes"

    owner: Mapped[str] = mapped_column(primary_key=True)
    alive_until: Mapped[datetime]
    session: Mapped[str | None]


class KeyValueRow(Base):
    """Small facts of the installation: the vault's canary, the pairing code's hash, a halt."""

    __tablename__ = "notes"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
