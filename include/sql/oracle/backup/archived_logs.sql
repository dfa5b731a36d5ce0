-- purpose: tell every archived log that the control file knows, once however many destinations it has, and whether a copy is on disk
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$ARCHIVED_LOG
-- locks: none
-- licence: none
-- binds: none
-- columns: thread (THREAD#), resetlogs_scn (SCN of its incarnation), resetlogs_at (local time of it), sequence_number (SEQUENCE#), first_scn (SCN), next_scn (SCN), first_at (local time), next_at (local time), total_bytes (bytes), on_disk (1: a copy here is archived, not deleted, available and not that of a standby)
-- source: Oracle Database Reference 19c, V$ARCHIVED_LOG (rows of deleted logs and of standby destinations stay; BACKUP_COUNT counts deleted backups too and is not used)
SELECT
    thread# AS thread,
    resetlogs_change# AS resetlogs_scn,
    resetlogs_time AS resetlogs_at,
    sequence# AS sequence_number,
    MIN(first_change#) AS first_scn,
    MAX(next_change#) AS next_scn,
    MIN(first_time) AS first_at,
    MAX(next_time) AS next_at,
    MAX(blocks * block_size) AS total_bytes,
    MAX(
        CASE
            WHEN name IS NOT NULL AND archived = 'YES' AND deleted = 'NO' AND status = 'A' AND standby_dest = 'NO' THEN 1
            ELSE 0
        END
    ) AS on_disk
FROM v$archived_log
GROUP BY thread#, resetlogs_change#, resetlogs_time, sequence#
