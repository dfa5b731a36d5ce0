"""The compiled kernel: built once on this machine with its own C compiler, kept in `.drydock/kernel`, loaded by ctypes.

Without a compiler, where the build fails, or where what was built gives a wrong answer, `load` says why and NumPy does the
work. The file's name holds a digest of the sources, the compiler's command and the machine, so that no other build is ever
taken for this one.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import platform
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from drydock import settings
from drydock.masking.kernel import answers
from drydock.masking.kernel.structures import LAYOUTS

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent
SOURCES = ("stream.c", "steps.c", "unicode.c", "cipher.c", "texts.c", "lanes.c", "words.c", "figures.c")
HEADERS = ("kernel.h", "texts.h")
FLAGS = ("-std=c11", "-O3", "-march=native", "-fPIC", "-shared", "-fstack-protector-strong", "-fvisibility=default")
COMPILERS = ("cc", "gcc", "clang")
BUILD_TIMEOUT_S = 120
MASKS = ("texts", "words", "dates", "amounts")


@dataclass(frozen=True)
class Loaded:
    """The library, or why there is none."""

    library: ctypes.CDLL | None
    why_not: str = ""


@cache
def load() -> Loaded:
    """The kernel of this process; what is missing is said once in the log."""
    try:
        library = checked(_declared(ctypes.CDLL(str(_built()))))
    except (NotBuilt, OSError, AttributeError) as e:
        why = str(e) if isinstance(e, NotBuilt) else f"it cannot be loaded ({type(e).__name__})"
        log.warning("masking without its compiled kernel, by NumPy and slower: %s", why)
        return Loaded(None, why)
    return Loaded(library)


class NotBuilt(RuntimeError):
    """There is no kernel, or none that may be used; the text says why."""


def checked(library: ctypes.CDLL) -> ctypes.CDLL:
    """The library, once it gave the answers that are known. Raises NotBuilt."""
    found = answers.wrong(library)
    if found:
        raise NotBuilt(
            f"the kernel that was compiled here is wrong: {found}; remove {settings.state_dir() / 'kernel'}, look at the compiler"
        )
    return library


def _built() -> Path:
    return built(FOLDER, SOURCES, HEADERS)


def built(folder: Path, sources: tuple[str, ...], headers: tuple[str, ...], name: str = "kernel") -> Path:
    """The library of C sources, compiled now where it is not there yet. Raises NotBuilt, OSError."""
    compiler = next((path for name in COMPILERS if (path := shutil.which(name))), None)
    if compiler is None:
        raise NotBuilt("this machine has no C compiler (cc, gcc, clang)")
    kept = settings.state_dir() / "kernel"
    kept.mkdir(parents=True, exist_ok=True)
    files = [folder / source for source in sources]
    path = kept / f"{name}-{_digest(compiler, [*(folder / header for header in headers), *files])}.so"
    if not path.exists():
        build(Path(compiler), path, files=files)
    _refuse_open_doors(path)
    return path


def _digest(compiler: str, files: Sequence[Path]) -> str:
    parts = [*(f"{file.name}\0{file.read_text()}" for file in files), compiler, *FLAGS, _processor()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _processor() -> str:
    """What this processor can do: a library made for it must not be loaded on another one that shares the folder."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return platform.machine() + next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return f"{platform.machine()} {platform.node()}"


def build(compiler: Path, path: Path, flags: tuple[str, ...] = FLAGS, files: Sequence[Path] = ()) -> None:
    """Compile (the kernel of masking where no files are named) into a file that appears at once. Raises NotBuilt."""
    descriptor, name = tempfile.mkstemp(suffix=".so", dir=path.parent)
    os.close(descriptor)
    made = Path(name)
    try:
        command = [str(compiler), *flags, "-o", name, *map(str, files or [FOLDER / source for source in SOURCES])]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=BUILD_TIMEOUT_S, check=False)
        if done.returncode:
            raise NotBuilt(f"{compiler.name} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        made.chmod(0o755)
        made.replace(path)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise NotBuilt(f"{compiler.name}: {type(e).__name__}") from e
    finally:
        made.unlink(missing_ok=True)


def _refuse_open_doors(path: Path) -> None:
    """A library that others may write is not loaded: it would run as us."""
    status = path.stat()
    if status.st_uid not in (0, os.geteuid()) or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise NotBuilt(f"others may write {path.name}; remove it")


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    """Types of what is called."""
    pointer, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64
    calls: dict[str, tuple[object, tuple[object, ...]]] = {
        "dk_open": (pointer, (ctypes.c_int, number, number)),
        "dk_close": (None, (pointer,)),
        "dk_room": (pointer, (size,)),
        "dk_release": (None, (pointer, size)),
        "dk_has_aes": (ctypes.c_int, ()),
        "dk_texts_end": (None, (pointer,)),
        "dk_permute": (None, (pointer, ctypes.c_uint64, ctypes.c_uint64, pointer, number, number)),
        "dk_encrypt": (None, (pointer, pointer, size)),
        "dk_chain": (None, (pointer, ctypes.c_char_p, size, pointer)),
        "dk_chains": (None, (pointer, pointer, pointer, pointer, ctypes.c_int)),
        "dk_batch_of": (number, (pointer, ctypes.c_char_p, size, ctypes.c_int)),
        "dk_read": (number, (pointer, pointer, pointer, pointer)),
        "dk_write": (ctypes.c_int, (pointer, pointer, pointer)),
        "dk_pass": (number, (pointer, pointer, pointer, ctypes.c_int, number, pointer, pointer)),
        "dk_at_end": (ctypes.c_int, (pointer,)),
        "dk_rows": (number, (pointer,)),
        "dk_bytes_in": (number, (pointer,)),
        "dk_bytes_out": (number, (pointer,)),
        "dk_sizes": (number, (pointer, ctypes.c_int, ctypes.c_int, pointer, number, pointer)),
        "dk_copy": (None, (pointer, ctypes.c_int, ctypes.c_int, pointer, number, pointer)),
        "dk_replace": (ctypes.c_int, (pointer, ctypes.c_int, pointer, number, pointer, pointer)),
        "dk_constant": (number, (pointer, ctypes.c_int, ctypes.c_char_p, number)),
        **{f"dk_mask_{what}": (number, (pointer, ctypes.c_int, pointer, pointer)) for what in MASKS},
        **{f"dk_{what}_key": (None, (pointer, ctypes.c_char_p)) for what in ("texts", "words", "shift", "noise")},
        **{f"dk_{place}_of_{what}": (size, ()) for what in LAYOUTS for place in ("size", "last")},
    }
    for name, (result, arguments) in calls.items():
        call = getattr(library, name)
        call.restype, call.argtypes = result, arguments
    for name, (structure, last) in LAYOUTS.items():
        if getattr(library, f"dk_last_of_{name}")() != getattr(structure, last).offset:
            raise NotBuilt(f"its structure {name} is laid out in another way than Python's")
    return library
