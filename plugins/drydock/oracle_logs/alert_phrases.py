"""Lines without a code that matter, and lines whose number is a code in other clothes.

Every pattern is ASCII and is matched against bytes read as Latin-1, so that no code page can hide it. A phrase is tried
only where one of its marks stands in the line, in either case. Patterns name no digit, so that they answer the same for
any line of the same shape (its digits turned to 0), and the answer can be kept. What may stand between two words is
bounded, so that no line costs more than its length.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from drydock.oracle_logs.alert_results import Severity

INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL


class Phrase(NamedTuple):
    """A pattern with its marks in lower case; a group `n` in it is the number of an ORA- code."""

    name: str
    severity: Severity
    marks: tuple[str, ...]
    pattern: re.Pattern[str]


_WHO = r"^(?:\w+(?:\[[^\]]*\])?(?: ?\([^)]*\)){0,2}: ?)*"
"""Who speaks: "ARC0: ", "PMON (ospid: 12): ", "PING[ARC2]: ", "TT00 (PID:7): ", "USER(prelim) (ospid: 7): "."""
_ALTER = r"^(?:Completed: )?(?i:alter\s+"
_ERROR = _WHO + r"Error (?P<n>\d+) "


def _phrase(name: str, severity: Severity, marks: str, pattern: str) -> Phrase:
    return Phrase(name, severity, tuple(marks.split(",")), re.compile(pattern))


PHRASES = (
    _phrase("corrupt_block", CRITICAL, "corrupt block", r"^\s*Corrupt (?:block relative dba|Block Found|block \d+ found during)"),
    _phrase("corrupt_block", CRITICAL, "error backing up file", r"^\s*Error backing up file \d+, block \d+: .{0,300}corruption"),
    _phrase("corrupt_block", CRITICAL, "block media recovery", r"^Automatic block media recovery failed"),
    _phrase("block_repaired", WARNING, "block media recovery", r"^Automatic block media recovery successful"),
    _phrase("data_failure", CRITICAL, "checker run", r"^Checker run found \d+ new persistent data failures"),
    _phrase("archiver_stuck", CRITICAL, "archival error", r"^ORACLE Instance \S{1,100}.{0,300}(?i:archival error)"),
    _phrase("archiver_stuck", CRITICAL, "archival required", r"^ORACLE Instance \S{1,100}.{0,300}(?i:can ?not allocate log)"),
    _phrase("archiver_stuck", CRITICAL, "online logs need", r"^(?:WARNING: )?All online logs need(?:ed)? archiving"),
    _phrase("archiver_stuck", CRITICAL, "stuck archiver", _WHO + r"Stuck archiver(?: condition declared|: )"),
    _phrase("archiver_freed", INFO, "archiver", r"(?i:archiver process freed from errors|stuck archiver condition cleared)"),
    _phrase("archiver_stuck", CRITICAL, "archival stopped", _WHO + r"Archival stopped, error occurred"),
    _phrase(
        "archiver_stuck",
        CRITICAL,
        "destinations made",
        r"(?i:all archive destinations made inactive)(?:.{0,300}error (?P<n>\d+))?",
    ),
    _phrase("archiver_stuck", CRITICAL, "archive", _ERROR + r"(?:[Cc]reating|[Cc]losing|[Ww]riting) archive ?log file"),
    _phrase("archiver_stuck", CRITICAL, "archiving log", _WHO + r"I/O error (?P<n>\d+) archiving log"),
    _phrase(
        "archiver_stuck",
        CRITICAL,
        "failed to archive",
        _WHO + r"Failed to archive (?:log|thread)\b[^(]{0,100}(?:\((?P<n>\d+)\))?",
    ),
    _phrase(
        "standby_transport",
        WARNING,
        "remote archive,rfs,disconnecting",
        _ERROR + r"(?:creating remote archive ?log|(?:at|de)taching |disconnecting from destination)",
    ),
    _phrase("standby_transport", WARNING, "for archive log file", _ERROR + r"for archive log file"),
    _phrase(
        "standby_transport", WARNING, "destinations have failed", r"^(?:WARNING: )?All standby database destinations have failed"
    ),
    _phrase("standby_transport", WARNING, "asynch i/o", _WHO + r"Network asynch I/O wait error (?P<n>\d+)"),
    _phrase("standby_transport", WARNING, "logging on to", _ERROR + r"received logging on to the standby"),
    _phrase("standby_transport", WARNING, "standby", _ERROR + r"(?:for|writing|connecting to|while) .{0,300}standby"),
    _phrase(
        "standby_transport", WARNING, "heartbeat", _WHO + r"Heartbeat failed to connect to standby .{0,300}Error is (?P<n>\d+)"
    ),
    _phrase("standby_transport", WARNING, "network reconnect", r"(?:LOG_ARCHIVE_DEST_|LAD:)\d+ network reconnect"),
    _phrase("standby_transport", WARNING, "rejected", _WHO + r"Archive ?log rejected"),
    _phrase("standby_transport", WARNING, "disconnect", r"^ ?(?:RFS\[\d+\]|rfs \([^)]*\)): Possible network disconnect"),
    _phrase("standby_transport", WARNING, "synchronized", r"LOG_ARCHIVE_DEST_\d+ (?:is UN|is no longer )SYNCHRONIZED"),
    _phrase("redo_gap", WARNING, "fal", _WHO + r"FAL(?:\[client[^:]*)?: (?:Failed to request gap|All defined FAL servers)"),
    _phrase("redo_gap", WARNING, "gap - ", _WHO + r"\s*GAP - (?:thread|T-|SCN)"),
    _phrase("redo_gap", WARNING, "fetching gap", _WHO + r"Fetching gap (?:sequence|from)"),
    _phrase("redo_gap", WARNING, "media recovery", _WHO + r"Media Recovery .{0,300}\b[Gg]ap\b"),
    _phrase("standby_recovery", CRITICAL, "media recovery", _WHO + r"Background Media Recovery terminated with error (?P<n>\d+)"),
    _phrase("standby_recovery", CRITICAL, "media recovery", r"^Media Recovery failed with error (?P<n>\d+)"),
    _phrase("standby_recovery", CRITICAL, "recovery slave", r"^Recovery Slave \w+ previously exited with exception"),
    _phrase("standby_recovery", CRITICAL, "unnamed", r"^File #\d+ added to control file as 'UNNAMED\d+'"),
    _phrase("standby_recovery", INFO, "media recovery", _WHO + r"Background Media Recovery (?:cancelled|process shutdown)"),
    _phrase("standby_recovery", INFO, "standby recovery", r"^Managed Standby Recovery Cancell?ed"),
    _phrase("standby_recovery", WARNING, "errors with log", r"^Errors with log "),
    _phrase("standby_lag", WARNING, " lag ", r"(?i:\b(?:apply|transport) lag\b.{0,300}(?:exceed|threshold|above))"),
    _phrase(
        "role_change", WARNING, "standby,switchover", r"^(?:Standby became primary|Switchover: Complete|Begin: Standby Failover)"
    ),
    _phrase("checkpoint_wait", WARNING, "checkpoint not", r"^Checkpoint not complete"),
    _phrase("instance_failed", CRITICAL, "terminating", _WHO + r"terminating (?:the )?instance due to (?:ORA )?error (?P<n>\d+)"),
    _phrase("instance_failed", CRITICAL, "during db open", r"^Error (?P<n>\d+) happened during db open"),
    _phrase("instance_failed", CRITICAL, "critical process", r"^Instance Critical Process .{0,300}died unexpectedly"),
    _phrase("instance_failed", CRITICAL, "hit error", r"^Pdb \S{1,128} hit error (?P<n>\d+) during open .{0,100}will be closed"),
    _phrase("instance_failed", CRITICAL, "abort message", r"^Received an instance abort message"),
    _phrase("instance_failed", CRITICAL, "evicting", r"^Evicting instance \d+"),
    _phrase("instance_failed", WARNING, "error stack", r"^Process startup failed, error stack"),
    _phrase("instance_failed", WARNING, " died", r"^Process \w+ died, see its trace file"),
    _phrase("instance_failed", WARNING, "restarting dead", r"^Restarting dead background process"),
    _phrase("process_limit", WARNING, "unable to spawn", r"\bunable to spawn jobq slave process"),
    _phrase("control_file", CRITICAL, "controlfile header", r"^The controlfile header block returned by the OS"),
    _phrase(
        "control_file", CRITICAL, "controlfile sequence", r"^(?:Error: )?Controlfile sequence number in file header is different"
    ),
    _phrase("block_recovery", INFO, "block recovery", r"^(?:Doing|Resuming) block recovery\b"),
    _phrase("crash_recovery", WARNING, "beginning", r"^Beginning (?:crash|instance) recovery of \d+ thread"),
    _phrase("shutdown", WARNING, "shutting down", r"^Shutting down (?:ORACLE )?instance \(abort\)"),
    _phrase("shutdown", INFO, "shutting down", r"^Shutting down (?:ORACLE )?instance \((?!abort)"),
    _phrase("startup", INFO, "starting oracle", r"^Starting ORACLE instance"),
    _phrase("startup", INFO, "completed: ", r"^Completed: (?i:alter database\s+(?:mount|open)\b)(?!.{0,300}(?i:resetlogs))"),
    _phrase("datafile_lost", CRITICAL, "datafile offline", r"^Automatic datafile offline due to"),
    _phrase("datafile_lost", CRITICAL, "kcf:", r"^KCF: (?:read|write)/?\w* error"),
    _phrase("datafile_offline", WARNING, "offline", _ALTER + r"(?:pluggable )?(?:database|tablespace)\b.{0,300}\boffline\b)"),
    _phrase(
        "control_file_backup", WARNING, "autobackup", r"(?i:errors during (?:server )?autobackup|autobackup (?:has )?failed)"
    ),
    _phrase("datafile_offline", WARNING, " is offline", r"^File #\d+ is offline, but is part of an online tablespace"),
    _phrase("asm", WARNING, "asm communication", r"ASM communication error"),
    _phrase("resetlogs", WARNING, "resetlogs", r"^RESETLOGS (?:after|is being done without)"),
    _phrase("no_archivelog", WARNING, "noarchivelog", _ALTER + r"database\b.{0,300}\bnoarchivelog\b)"),
    _phrase(
        "nologging",
        WARNING,
        "logging",
        _ALTER + r"(?:pluggable )?(?:database|tablespace)\b.{0,300}\b(?:nologging|no force logging)\b)",
    ),
    _phrase("flashback", WARNING, "flashback", _ALTER + r"database\s+flashback\s+off\b)"),
    _phrase("flashback", WARNING, "rvwr", r"RVWR (?:encountered|.{0,300}due to error)"),
    _phrase(
        "change_tracking",
        WARNING,
        "tracking",
        r"^CHANGE TRACKING ERROR|(?i:tracking .{0,300}(?:(?:disabled|stopped) due|corrupt))",
    ),
    _phrase(
        "asm",
        CRITICAL,
        "dismount",
        r"(?i:\bforce dismount(?:ing)? (?:of )?group|was force dismounted|MANDATORY DISMOUNT of group)",
    ),
    _phrase("asm", CRITICAL, "dismount", r"^NOTE: cache dismounting \(not clean\)"),
    _phrase("asm", CRITICAL, "quorum", r"^ERROR: no (?:read|PST) quorum in group"),
    _phrase("asm", CRITICAL, "was not mounted", r"^ERROR: diskgroup \S{1,100} was not mounted"),
    _phrase("asm", WARNING, "io to pst", r"^WARNING: Waited \d+ secs for (?:read|write) IO to PST"),
    _phrase(
        "asm", WARNING, "offline of disk,be dropped", r"(?i:initiating offline of disk|disk \S{1,100} .{0,300}will be dropped)"
    ),
    _phrase(
        "asm", WARNING, "warning: ", r"^WARNING: (?i:(?:write|read) failed|cache read a corrupt|disk \S{1,100} .{0,300}offline)"
    ),
    _phrase(
        "disk_full", WARNING, "no space,enough space", r"Error: \d+: No space left on device|\(OS \d+\) There is not enough space"
    ),
    _phrase("deadlock", WARNING, "deadlock", r"^Global Enqueue Services Deadlock detected"),
    _phrase("hang", WARNING, "acquire latch", r"^PMON failed to acquire latch"),
    _phrase("hang", WARNING, "timed,timeout", r"^(?:IPC Send timeout detected|WARNING: (?i:aiowait timed out))"),
    _phrase("hang", WARNING, "waited too long", r"^(?:>>> )?WAITED TOO LONG FOR A ROW CACHE ENQUEUE LOCK"),
    _phrase("memory", WARNING, "swapping", r"^WARNING: Heavy swapping detected"),
    _phrase("diagnostics", INFO, "parse errors", r"^WARNING: too many parse errors"),
    _phrase("session", INFO, "kill session", r"^KILL SESSION for sid="),
    _phrase("session", INFO, "inbound connection", r"^(?i:(?:WARNING: )?inbound connection timed out)"),
)

_SPECIAL = (
    *("ora-", "ora ", "tns-", "rman-", "osd-", "lrm-", "dgm-", "pls-", "kup-", "crs-"),
    *("cannot allocate new log", "instance terminated", "hex dump of", "fatal ", "sql statement below", "parse error:"),
    "db_recovery_file_dest_size",
)
_RECOVERY_AREA = re.compile(r"db_recovery_file_dest_size\b.{0,200}?(\d{1,5}(?:[.,]\d+)?) ?%")
_ECHOED = re.compile(r"\s*(?:create|alter|drop|comment|rename|truncate)\s", re.IGNORECASE)


class Interest(NamedTuple):
    """What a line of one shape may tell: phrases, and whether anything else is to be looked for."""

    phrases: tuple[Phrase, ...]
    is_special: bool

    def __bool__(self) -> bool:
        return self.is_special or bool(self.phrases)


def interest_of(shape: str) -> Interest:
    """What to look for in a line whose digits are turned to 0, its container's prefix taken off."""
    lower = shape.lower()
    found = {at for mark, places in _BY_MARK if mark in lower for at in places}
    phrases = tuple(PHRASES[at] for at in sorted(found) if PHRASES[at].pattern.search(shape))
    special = any(mark in lower for mark in _SPECIAL) or (("'" in shape or '"' in shape) and bool(_ECHOED.match(shape)))
    return Interest(phrases, special or "/*" in shape)


_BY_MARK = tuple({m: [at for at, p in enumerate(PHRASES) if m in p.marks] for p in PHRASES for m in p.marks}.items())


def percent_of(text: str) -> float | None:
    """How full the recovery area is, from a message in any language: the name of the parameter stays English."""
    found = _RECOVERY_AREA.search(text)
    return float(found[1].replace(",", ".")) if found else None
