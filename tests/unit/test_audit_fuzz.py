"""Audit readers under random damage: by hypothesis always, by atheris (libFuzzer) where it is installed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.audit.parsing import json_lines
from tests.fuzz.audit_readers import PACKED, check
from tests.thorough import is_thorough
from tests.unit.audit_samples import SAMPLES

ROOT = Path(__file__).parents[2]
POSTGRES = [sample.data for sample in SAMPLES if sample.data[:4].isdigit() or sample.data.startswith(b'{"timestamp"')]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_bytes_that_change_by_chance_lose_nothing(data: st.DataObject) -> None:
    log = bytearray(b"".join(data.draw(st.lists(st.sampled_from(POSTGRES), min_size=1, max_size=3))))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, max(len(log) - 1, 0)))
        log[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b",", b"\n", b"\\"])
        )
    lines = bytes(log).count(b"\n") + (not log.endswith(b"\n") and bool(log))
    assert check(bytes(log)) == ((0, 0) if log.startswith(PACKED) else (lines, len(log)))


def test_a_reader_that_loses_a_line_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "read_json", lambda lines, context, inner: [lines.take()][1:])
    with pytest.raises(AssertionError, match="a line is lost"):
        check(b'{"a": 1}\nx\n')


@pytest.mark.skipif(not is_thorough(), reason="a minute of random inputs: make test-thorough")
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed (pip install atheris)")
def test_atheris_finds_nothing(tmp_path: Path) -> None:
    env = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}"}
    command = [sys.executable, "-m", "tests.fuzz.audit_readers", "-max_total_time=60", "-seed=6", f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0 and "Done " in done.stderr, done.stderr[-3000:]
