"""Columns, values and streams for the tests of the kernel: right values, odd ones, and bytes that are none."""

from __future__ import annotations

import ctypes
import random
import struct
from collections.abc import Sequence
from datetime import date
from typing import Any

from pydantic import SecretBytes

from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.kernel.batches import BatchColumn, Batches
from drydock.masking.kernel.codecs import write_numeric
from drydock.masking.kernel.programs import program_of
from drydock.masking.kernel.rows import HEAD, TRAILER, written
from drydock.masking.kernel.stream import Maskers
from drydock.masking.kernel.work import ColumnWork
from drydock.masking.policies.policy import ColumnRule, ResolvedRule
from drydock.masking.postgres_types import postgres_type
from drydock.masking.techniques.check_digits import ID_WEIGHTS
from drydock.masking.values.places import place_names

KEY = MaskingKey(epoch="test", secret=SecretBytes(bytes(range(7, 39))))
_HAN = "王李张刘陈杨赵黄周吴欧阳司马伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英龘𠮷"
_ODD = "０１９ＡＺａｚ　，。·-_/()（） .\t\nàÉßЖяΩあアー한①Ⅷ😀٣"
PLACES = sorted(place_names())


def rule(technique: str, kind: str | None = None, domain: str | None = None, **parameters: Any) -> ResolvedRule:
    """A rule as a policy file would give it."""
    made = ColumnRule.model_validate(
        {"class": "personal", "level": "general_4", "technique": technique, "kind": kind, "parameters": parameters}
    )
    return ResolvedRule(
        table="t", column="c", rule=made, join_domain=domain or kind or technique, purpose="test", reviewer="r", reviewed=date.min
    )


def work(name: str, type_name: str, ruled: ResolvedRule | None = None, **more: Any) -> ColumnWork:
    return ColumnWork(name=name, type=postgres_type(type_name), rule=ruled, **more)


def stream_of(rows: Sequence[Sequence[bytes | None]]) -> bytes:
    """Rows as COPY binary sends them."""
    return HEAD + written([list(row) for row in rows]) + TRAILER


def compiled_fields(library: ctypes.CDLL, works: Sequence[ColumnWork], rows: Sequence[Sequence[bytes | None]]) -> list[list[Any]]:
    """The ruled columns of one batch masked by the compiled kernel, what it leaves by Python. No twin helps it."""
    maskers = Maskers(works, KEY)
    batches = Batches(library, len(works))
    try:
        batches.take(stream_of(rows))
        columns = []
        for place, masker, others in maskers.ruled:
            program = program_of(library, masker.work, KEY, maskers.places, maskers.by_name)
            assert program is not None, masker.work
            column = BatchColumn(place, masker, others, program, maskers.of(masker.work))
            column._twin = None
            columns.append(column)
        for column in columns:
            column.mask(batches)
        every = list(range(batches.rows))
        out = [batches.fields(place, every, masked=True) for place in range(len(works))]
        counts = [(c.masker.masked, c.masker.nulls, c.unknown_shapes) for c in columns]
        for column in columns:
            column.program.free()
        return [*out, counts]
    finally:
        batches.close()


def python_fields(works: Sequence[ColumnWork], rows: Sequence[Sequence[bytes | None]]) -> list[list[Any]]:
    """The same by the reference."""
    maskers = Maskers(works, KEY)
    masked = [list(row) for row in rows]
    maskers.mask(masked)
    counts = [(column.masked, column.nulls, column.unknown_shapes) for _, column, _ in maskers.ruled]
    return [*([row[place] for row in masked] for place in range(len(works))), counts]


# ---- values


def digits(draw: random.Random, count: int) -> str:
    return "".join(draw.choice("0123456789") for _ in range(count))


def _letters(draw: random.Random, count: int, of: str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ") -> str:
    return "".join(draw.choice(of) for _ in range(count))


def resident_id(draw: random.Random) -> str:
    day = date.fromordinal(draw.randint(date(1800, 1, 1).toordinal(), date(2040, 1, 1).toordinal()))
    head = draw.choice(("440106", "110101", "999999", "012345")) + day.strftime("%Y%m%d").zfill(8) + digits(draw, 3)
    right = "10X98765432"[sum(int(c) * w for c, w in zip(head, ID_WEIGHTS, strict=True)) % 11]
    return head + (right if draw.random() < 0.8 else draw.choice("0123456789Xx"))


def _uscc(draw: random.Random) -> str:
    from stdnum.cn import uscc

    organisation = digits(draw, 8) if draw.random() < 0.5 else "MA" + _letters(draw, 6, "0123456789ABCDEFGHJKLMNPQRTUWXY")
    total = sum(int(c, 36) * w for c, w in zip(organisation, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    head = draw.choice(("9144", "9111", "1210", "9199")) + digits(draw, 4) + organisation + "0123456789X"[-total % 11]
    try:
        return head + uscc.calc_check_digit(head)
    except Exception:
        return head + "0"


def right_value(draw: random.Random, kind: str) -> str:
    """Mostly right for the kind."""
    made = {
        "cn_id": lambda: resident_id(draw),
        "cn_id15": lambda: "440106" + digits(draw, 2) + "0" + draw.choice("123456789") + "15" + digits(draw, 3),
        "uscc": lambda: _uscc(draw),
        "tax_no": lambda: draw.choice((_uscc(draw), digits(draw, 15), digits(draw, 20), resident_id(draw))),
        "entry_id": lambda: digits(draw, 8) + draw.choice("012") + digits(draw, 9) + draw.choice(("", "", "001")),
        "bank_card": lambda: digits(draw, draw.randint(13, 20)),
        "mobile": lambda: draw.choice(("", "", "86", "0086", "+86 ")) + "1" + digits(draw, 10),
        "landline": lambda: (
            draw.choice(("020", "0755", "010-", "(0755)", "86755")) + digits(draw, 8) + draw.choice(("", "-12", "转3"))
        ),
        "email": lambda: _email(draw),
        "passport": lambda: draw.choice(("E", "G", "D", "EA", "SE")) + digits(draw, 8),
        "container": lambda: _letters(draw, 3) + "U" + digits(draw, 7),
        "hkid": lambda: _letters(draw, draw.randint(1, 2)) + digits(draw, 6) + draw.choice(("(1)", "A", "7")),
        "mac": lambda: ":".join(f"{draw.randrange(256):02x}" for _ in range(6)),
        "name": lambda: draw.choice(("王", "欧阳", "李")) + _letters(draw, draw.randint(1, 3), _HAN),
        "company": lambda: draw.choice(PLACES) + _letters(draw, 4, _HAN) + draw.choice(("有限公司", "集团股份有限公司", "LLC")),
        "address": lambda: "".join(draw.choice(PLACES) for _ in range(draw.randint(0, 4))) + _letters(draw, 2, _HAN) + "路12号",
    }
    return made[kind]() if kind in made else _letters(draw, 2) + digits(draw, draw.randint(4, 12))


def _email(draw: random.Random) -> str:
    local = _letters(draw, draw.randint(1, 22), "abcXYZ019._-%+")
    domain = ".".join(_letters(draw, draw.randint(1, 14), "abcQRS07-"[: draw.choice((8, 9))]) for _ in range(draw.randint(1, 3)))
    return f"{local}@{domain}.{draw.choice(('com', 'cn', 'com.cn', 'net', 'x', 'c0m'))}"


def odd_value(draw: random.Random, kind: str) -> bytes | None:
    """Right, wrong, written in another way, or nothing of the kind at all."""
    chance = draw.random()
    if chance < 0.05:
        return None
    if chance < 0.08:
        return b""
    if chance < 0.12:
        return bytes(draw.randrange(1, 256) for _ in range(draw.randint(1, 30)))
    if chance < 0.22:
        alphabet = draw.choice(("0123456789", "ABCabc019 -", _HAN, _HAN + _ODD + "AbZ09", "\u0001\u007f !~@."))
        return _letters(draw, draw.randint(1, 40 if chance < 0.2 else 130), alphabet).encode()
    text = right_value(draw, kind)
    if chance < 0.3:
        text = text.lower()
    elif chance < 0.36:
        place = draw.randint(0, len(text))
        text = text[:place] + draw.choice((" ", "-", ".", "\u200b", "　")) + text[place:]
    elif chance < 0.4:
        text = text.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789ABCXabcx"})
    elif chance < 0.44:
        text += draw.choice((" ", "  ", "\n"))
    elif chance < 0.48:
        place = draw.randrange(len(text))
        text = text[:place] + draw.choice("0X9aZ@张") + text[place + 1 :]
    return text.encode()


def amount(draw: random.Random, scale: int | None) -> bytes | None:
    from decimal import Decimal

    chance = draw.random()
    if chance < 0.05:
        return None
    if chance < 0.1:
        return write_numeric(Decimal(draw.choice(("NaN", "Infinity", "-Infinity")) if scale is None else "NaN"))
    places = draw.randint(0, 8) if scale is None else scale
    number = draw.choice((0, 1, -1, draw.randint(-99, 99), draw.randint(-(10**14), 10**14), 10 ** draw.randint(0, 15)))
    return write_numeric(Decimal(number).scaleb(-places))


def whole(draw: random.Random, form: str) -> bytes | None:
    bits = 8 * struct.calcsize(f">{form}") - 1
    value = draw.choice(
        (0, 1, -1, (1 << bits) - 1, -(1 << bits), draw.randint(-1000, 1000), draw.randint(-(1 << bits), (1 << bits) - 1))
    )
    return None if draw.random() < 0.05 else struct.pack(f">{form}", value)
