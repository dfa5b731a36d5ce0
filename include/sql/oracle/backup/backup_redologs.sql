-- purpose: tell which archived logs are in which backup set
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$BACKUP_REDOLOG
-- locks: none
-- licence: none
-- binds: none
-- columns: set_stamp (with set_count the set), set_count (see set_stamp), thread (THREAD#), resetlogs_scn (SCN of its incarnation), resetlogs_at (local time of it), sequence_number (SEQUENCE#), first_scn (SCN), next_scn (SCN), first_at (local time), next_at (local time), total_bytes (bytes)
-- source: Oracle Database Reference 19c, V$BACKUP_REDOLOG
SELECT
    set_stamp AS set_stamp,
    set_count AS set_count,
    thread# AS thread,
    resetlogs_change# AS resetlogs_scn,
    resetlogs_time AS resetlogs_at,
    sequence# AS sequence_number,
    first_change# AS first_scn,
    next_change# AS next_scn,
    first_time AS first_at,
    next_time AS next_at,
    blocks * block_size AS total_bytes
FROM v$backup_redolog
