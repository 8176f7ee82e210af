"""How values stand in columns, alike on SQLite and PostgreSQL: exact, sortable and free of what only one of them can hold."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import BigInteger, LargeBinary, Text, TypeDecorator
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeEngine

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
PICODOLLARS: Final = 10**12


def microseconds(moment: datetime) -> int:
    """Whole microseconds from 1970 to an aware ``moment``; exact, unlike ``timestamp()``."""
    return (moment - EPOCH) // MICROSECOND


class Moment(TypeDecorator[datetime]):
    """An aware UTC time, stored as whole microseconds since 1970: exact, and arithmetic on it is the same everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else microseconds(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + timedelta(microseconds=int(value))


class Dollars(TypeDecorator[Decimal]):
    """US dollars as ``Decimal``, stored in whole picodollars (10⁻¹² USD), because SQLite has no decimals; at most 9 million a row."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else int((value * PICODOLLARS).to_integral_value())

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(int(value)) / PICODOLLARS


def storable(text: str) -> str:
    """The text as ``Words`` holds it."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


class Words(TypeDecorator[str]):
    """A text people sort and filter by. U+0000, which PostgreSQL cannot hold, becomes U+FFFD; sorted by code point on both."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class Json(TypeDecorator[Any]):
    """Any JSON value, as text that holds every character: U+0000 and halves of emoji are escaped. SQL null stands for ``None``."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> str | None:
        return None if value is None else json_text(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class Packed(TypeDecorator[bytes]):
    """Bytes, compressed: an answer as received repeats itself in every frame and shrinks to about a tenth."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else zlib.compress(value, 1)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> bytes | None:
        return None if value is None else zlib.decompress(value)


def json_text(value: Any, default: Callable[[Any], Any] | None = None) -> str:
    """Compact JSON in characters as they are, or escaped where one of them cannot be written as UTF-8; ``default`` as in ``json.dumps``."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=default)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), default=default)
    return text
