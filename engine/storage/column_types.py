"""Exact column types and naming, the same on SQLite and PostgreSQL."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, MetaData, Text, TypeDecorator
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeEngine

from engine.clock import from_millis, to_millis
from engine.domain.market.decimals import decimal_from_text, plain


class Exact(TypeDecorator[Decimal]):
    """A Decimal as text: SQLite's NUMERIC goes through a float and silently loses digits."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else plain(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else decimal_from_text(value)


class Moment(TypeDecorator[datetime]):
    """An aware UTC time as whole milliseconds since 1970; `+ n` adds n milliseconds."""

    impl = BigInteger
    cache_ok = True

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:  # noqa: ARG002 - SQLAlchemy's signature
        return BigInteger() if isinstance(value, int) else self

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else to_millis(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else from_millis(value)


class Seconds(TypeDecorator[timedelta]):
    """A duration as whole seconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else value // timedelta(seconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> timedelta | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else timedelta(seconds=value)


def _values(members: type[Enum]) -> list[str]:
    return [member.value for member in members]


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: dict[Any, Any] = {  # noqa: RUF012 - SQLAlchemy reads this class attribute
        Decimal: Exact,
        datetime: Moment,
        timedelta: Seconds,
        int: BigInteger().with_variant(Integer(), "sqlite"),
        str: Text,
        Enum: EnumType(Enum, native_enum=False, length=24, values_callable=_values),
    }
