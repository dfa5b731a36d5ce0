"""Office files are zip packages that carry the moment of their making. Freezing it makes same content same bytes."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date

_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:)")
CORE = "docProps/core.xml"


def freeze_package(content: bytes, on: date) -> bytes:
    """The same package with every entry dated `on`, so that its SHA-256 depends on its content only."""
    frozen, stamp = io.BytesIO(), f"{on.isoformat()}T00:00:00Z".encode()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(frozen, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            body = source.read(name)
            if name == CORE:
                body = _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<3>", body)
            entry = zipfile.ZipInfo(name, date_time=(on.year, on.month, on.day, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            target.writestr(entry, body)
    return frozen.getvalue()


def package_date(content: bytes) -> str:
    """The day that `freeze_package` wrote into a package, as YYYY-MM-DD; empty when there is none."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        found = re.search(rb"<dcterms:modified[^>]*>(\d{4}-\d{2}-\d{2})", package.read(CORE))
    return found.group(1).decode() if found else ""
