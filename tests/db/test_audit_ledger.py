"""The audit's rows in the ledger: what is visible after what, the chain over it, the newest word on a day and on a pattern."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from drydock.audit.results import Detection, Disposal, Explained, Hit, Link, Part, Review, Severity, Slice, StoredFile, Subject
from drydock.audit.storage.links import FIRST, link_hash, numbers_of, ranges_of
from drydock.ledger import audit_history, audit_record, record
from drydock.verdicts import Status, judge, skip

DAY = datetime(2026, 3, 8, tzinfo=UTC)


def a_slice(database: str, piece: str = "a.csv", records: int = 3, hour: int = 0, source: str = "logs") -> Slice:
    begin = DAY + timedelta(hours=hour)
    file = StoredFile(part=Part.RECORDS, path=f"{database}/{piece}{records}.parquet", sha256="a" * 64, size_bytes=9, rows=records)
    return Slice(
        database=database,
        source=source,
        piece=piece,
        day=begin.date(),
        begin=begin,
        end=begin + timedelta(hours=1),
        files=(file,),
        records=records,
        set_aside=0,
        doubts={"a doubt": 1},
    )


def run_of(ledger: Engine, database: str) -> int:
    return record.open_run(ledger, "audit", database, DAY.date(), "r1").run_id


def seen(ledger: Engine, database: str) -> list[tuple[str, int]]:
    found = audit_history.slices_between(ledger, database, DAY, DAY + timedelta(days=1))
    return [(s.piece, s.records) for s in found]


def test_a_slice_takes_the_place_of_the_one_before(ledger: Engine) -> None:
    run_id = run_of(ledger, "al_place")
    links = [
        audit_record.seal(ledger, run_id, a_slice("al_place")),
        audit_record.seal(ledger, run_id, a_slice("al_place", "b.csv", hour=1)),
        audit_record.seal(ledger, run_id, a_slice("al_place", records=5)),
        audit_record.seal(ledger, run_id, a_slice("al_place", source="_digest")),
    ]
    assert [link.deed for link in links] == ["sealed", "sealed", "replaced", "sealed"]
    assert links[2].subject["ends"] == "1"
    assert seen(ledger, "al_place") == [("a.csv", 5), ("b.csv", 3)]
    assert audit_history.slices_between(ledger, "al_place", DAY + timedelta(hours=2), DAY + timedelta(days=1)) == ()
    assert audit_history.watermark(ledger, "al_place", "logs") == DAY + timedelta(hours=2)
    assert audit_history.watermark(ledger, "al_place", "others") is None


def test_the_chain_is_what_its_hashes_say(ledger: Engine) -> None:
    run_id = run_of(ledger, "al_chain")
    for n in range(3):
        audit_record.seal(ledger, run_id, a_slice("al_chain", f"{n} 'x' \u202e 中\n.csv"))
    audit_record.note_deed(ledger, run_id, "al_chain", "purged", {"source": "logs", "records": 9})
    links = audit_history.links_of(ledger, "al_chain")
    assert [link.number for link in links] == [1, 2, 3, 4]
    assert [link.previous for link in links] == [FIRST, *(link.hash for link in links[:-1])]
    assert [link_of(link) for link in links] == [link.hash for link in links]


def link_of(link: Link) -> str:
    return link_hash(link.number, link.database, link.deed, link.subject, link.files, link.previous)


def test_what_ended_already_is_not_replaced_again(ledger: Engine) -> None:
    run_id = run_of(ledger, "al_twice")
    audit_record.seal(ledger, run_id, a_slice("al_twice"))
    before = audit_history.slices_stored(ledger, "al_twice")
    audit_record.end_slices(ledger, run_id, "expired", before, {"older_than": "2026-01-01"})
    assert seen(ledger, "al_twice") == []
    with pytest.raises(ValueError, match="ended already"):
        audit_record.seal(ledger, run_id, a_slice("al_twice"), before)
    assert len(audit_history.links_of(ledger, "al_twice")) == 2
    assert seen(ledger, "al_twice") == []


def test_a_chain_cannot_fork_in_the_ledger(ledger: Engine) -> None:
    run_id = run_of(ledger, "al_fork")
    audit_record.seal(ledger, run_id, a_slice("al_fork"))
    columns = "run_id, database, deed, previous, hash, link"
    copy = f"INSERT INTO drydock.audit_links (number, {columns}) SELECT 2, {columns} FROM drydock.audit_links"
    with pytest.raises(Exception, match="audit_links_database_previous_key"), ledger.begin() as connection:
        connection.execute(text(f"{copy} WHERE database = 'al_fork'"))


def a_hit(rule: str, day: int, explained: Explained | None = None) -> Hit:
    at = DAY + timedelta(days=day)
    return Hit(
        rule=rule,
        severity=Severity.HIGH,
        subject=Subject(account="scott\n"),
        first_at=at,
        last_at=at,
        records=2,
        explained=explained,
    )


def test_the_newest_detection_of_a_day_counts(ledger: Engine) -> None:
    run_id = run_of(ledger, "al_found")
    for day, rules in ((0, ["old", "old"]), (1, ["b"]), (0, ["new", "told"]), (2, [])):
        begin = DAY + timedelta(days=day)
        hits = [a_hit(rule, day, Explained.TICKET if rule == "told" else None) for rule in rules]
        detection = Detection(
            database="al_found",
            begin=begin,
            end=begin + timedelta(days=1),
            records=len(hits),
            rules=dict.fromkeys(rules, 1),
            alarms=tuple(hits),
        )
        audit_record.save_detection(ledger, run_id, begin.date(), detection, hits)
    until = DAY + timedelta(days=3)
    assert [hit.rule for hit in audit_history.hits_between(ledger, "al_found", DAY, until)] == ["new", "told", "b"]
    assert [d.records for d in audit_history.detections_between(ledger, "al_found", DAY, until)] == [2, 1, 0]
    assert audit_history.detections_between(ledger, "al_found", until, until + timedelta(days=1)) == ()


def test_the_newest_word_on_a_pattern_counts(ledger: Engine) -> None:
    for pattern, disposal in (("p1", Disposal.NORMAL), ("p2", Disposal.INCIDENT), ("p1", Disposal.EXCEPTION)):
        review = Review(
            pattern=pattern,
            database="al_said",
            disposal=disposal,
            reviewer="wang",
            reason="月末批处理",
            until=date(2026, 6, 1),
            reviewed_at=DAY,
        )
        audit_record.save_review(ledger, review)
    said = audit_history.reviews_of(ledger, "al_said")
    assert {pattern: review.disposal for pattern, review in said.items()} == {"p1": "exception", "p2": "incident"}


def test_the_newest_health_of_a_day_counts(ledger: Engine) -> None:
    run_id = run_of(ledger, "al_trail")
    audit_record.save_trail(ledger, run_id, DAY.date(), [judge("trail_gaps", 0, [])])
    audit_record.save_trail(ledger, run_id, DAY.date(), [judge("trail_gaps", 24, []), skip("trail_growth", "no_connection")])
    told = audit_history.trails_between(ledger, "al_trail", DAY.date(), DAY.date())
    assert [verdict.status for verdict in told[DAY.date()]] == [Status.PASS, Status.SKIPPED]


def test_ranges() -> None:
    assert ranges_of([7, 1, 2, 3, 3]) == "1-3,7"
    assert numbers_of("1-3,7") == {1, 2, 3, 7}
    assert numbers_of(ranges_of([])) == set()
    for wrong in ("1-2-3", "x", "1-99999999999"):
        with pytest.raises(ValueError, match=r"ranges|invalid literal"):
            numbers_of(wrong)
