"""What every record shares: the cover's words, the sign-off and the data annex."""

from __future__ import annotations

from datetime import date
from typing import Any

from drydock.estate import Estate
from drydock.reporting.day_record import zone_of
from drydock.reporting.document import Annex, Block, Document, Heading, Language, Paragraph, SignOff, Table, VersionRow
from drydock.reporting.tables import COUNT, TEXT, Spec, make_table
from drydock.reporting.words import word


def frame_document(name: str, day: date, estate: Estate, language: Language, **content: Any) -> Document:
    """A document of that name (a key of the fixed words) with its cover; `content` is status, summary, blocks, sheets."""
    project = estate.name_en if language == "en" else estate.name_zh
    return Document(
        language=language,
        title=word(name, language),
        subtitle=day.isoformat(),
        project=project,
        short_name=project,
        contract=estate.contract,
        name=word(name, language),
        period=day.isoformat(),
        prepared_by=estate.prepared_by,
        prepared_on=day,
        secrecy=word("secrecy", language),
        time_zone=zone_of(estate),
        versions=(VersionRow(version="V1.0", on=day, change=word("version_first", language)),),
        **content,
    )


def closing_blocks(roles: tuple[str, ...], sheets: tuple[Table, ...], language: Language) -> tuple[Block, ...]:
    """Sign-off, left blank, and the data annex with its sheets."""
    return (
        Heading(level=1, text=word("sign_off", language)),
        SignOff(roles=tuple(word(r, language) for r in roles)),
        Heading(level=1, text=word("annex", language)),
        Paragraph(text=word("annex_text", language)),
        Annex(),
        sheet_list(sheets, language),
    )


def sheet_list(sheets: tuple[Table, ...], language: Language) -> Table:
    """Which sheets the annex holds and how many rows each."""
    spec: Spec = (("annex_sheets", TEXT, 3), ("annex_rows", COUNT, 1))
    rows = [(s.caption, len(s.rows)) for s in sheets]
    period = sheets[0].period if sheets else word("not_applicable", language)
    return make_table(word("annex_sheets", language), spec, rows, period, language)
