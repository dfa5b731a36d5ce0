"""Suppression: nothing of a value is left, and what replaces a large object opens as one of its type."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from drydock.masking.techniques import suppress
from drydock.masking.techniques.stand_ins import encoding_of, sort_of, stand_in

HEADS = {
    "png": b"\x89PNG\r\n\x1a\n" + b"secret",
    "jpeg": b"\xff\xd8\xff\xe0" + b"secret",
    "gif": b"GIF89a" + b"secret",
    "zip": b"PK\x03\x04" + b"secret",
    "pdf": b"junk%PDF-1.7\n" + b"secret",
    "text": b"secret" + "密".encode(),
    "other": b"\x00\x01secret\x02",
}


def opens(sort: str, raw: bytes) -> None:
    """Reads the document as its readers do."""
    if sort in ("png", "jpeg", "gif"):
        image = Image.open(io.BytesIO(raw))
        image.load()
        assert image.size == (1, 1) and image.format == sort.upper()
    if sort == "zip":
        assert zipfile.ZipFile(io.BytesIO(raw)).testzip() is None
    if sort == "pdf":
        _opens_as_pdf(raw)
    if sort in ("text", "other"):
        raw.decode("ascii")


def _opens_as_pdf(raw: bytes) -> None:
    """The end leads to the table, the table to each object."""
    assert raw.startswith(b"%PDF-1.") and raw.rstrip().endswith(b"%%EOF")
    table = int(raw.rpartition(b"startxref\n")[2].split()[0])
    lines = raw[table:].splitlines()
    assert lines[:2] == [b"xref", b"0 4"]
    for number, line in enumerate(lines[3:6], 1):
        assert len(line) == 19 and raw[int(line[:10]) :].startswith(b"%d 0 obj" % number)


@pytest.mark.parametrize("sort", HEADS)
@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 257, 65_533, 65_540, 140_000])
def test_a_stand_in_is_of_the_same_type_and_holds_nothing(sort: str, size: int) -> None:
    raw = HEADS[sort] + b"\x20" * size
    assert sort_of(raw) == sort
    small, same = stand_in(raw), stand_in(raw, keep_size=True)
    for one in (small, same):
        opens(sort, one)
        assert b"secret" not in one
    assert len(same) == max(len(raw), len(small)) if sort not in ("text", "other") else len(same) == len(raw)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(HEADS)), st.integers(0, 2_000))
def test_any_size_is_met_where_a_document_can_be_that_small(sort: str, size: int) -> None:
    raw = HEADS[sort] + b"\x20" * size
    new = stand_in(raw, keep_size=True)
    opens(sort, new)
    assert len(new) == (len(raw) if sort in ("text", "other") else max(len(raw), len(stand_in(raw))))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_replaced(raw: bytes) -> None:
    new = stand_in(raw)
    assert bool(new) == bool(raw)
    opens(sort_of(raw), new) if raw and not encoding_of(raw).startswith("utf-16") else None


@pytest.mark.parametrize(
    ("text", "codec"), [("你好 abc", "utf-8"), ("你好，广州", "gb18030"), ("\ufeff你好", "utf-16-le"), ("\ufeff你", "utf-16-be")]
)
def test_texts_keep_their_encoding_and_size(text: str, codec: str) -> None:
    raw = text.encode(codec)
    assert sort_of(raw) == "text" and encoding_of(raw) == codec
    new = stand_in(raw * 1 + " x".encode(codec), keep_size=True)
    assert len(new) == len(raw) + len(" x".encode(codec))
    assert set(new.decode(codec)) <= set("\ufeffremoved ")


def test_a_long_text_may_be_cut_inside_a_character() -> None:
    for shift in range(4):
        assert sort_of(b"a" * shift + "密".encode() * 5_000) == "text"


def test_columns_of_objects() -> None:
    done = suppress.replace_objects([HEADS["png"], None, b"", "很长的文字", bytearray(b"abc")], keep_size=True)
    assert dict(done.sorts) == {"png": 1, "text": 2}
    assert (done.column[1], done.column[2], done.column[3], done.longer) == (None, b"", "remov", 1)
    column = pa.array([HEADS["zip"], None], pa.large_binary())
    assert suppress.replace_objects(column).column.type == column.type
    with pytest.raises(TypeError, match="int is no large object"):
        suppress.replace_objects([5])


def test_null_and_constant() -> None:
    assert suppress.null(["a", None]) == [None, None]
    assert suppress.null(pa.array([1, 2])).to_pylist() == [None, None]
    assert suppress.constant(["a", None, ""], "x") == ["x", None, "x"]
    assert suppress.constant(np.array(["a", "b"]), "longer").tolist() == ["longer", "longer"]
    assert suppress.constant(["a", None], "") == ["", None]
