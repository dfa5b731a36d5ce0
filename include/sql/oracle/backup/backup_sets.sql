-- purpose: tell every backup set in the control file's records
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$BACKUP_SET
-- locks: none
-- licence: none
-- binds: none
-- columns: recid (today's key, as VALIDATE BACKUPSET takes it), set_stamp (with set_count the name for ever), set_count (see set_stamp), backup_type (D full, I incremental, L logs), incremental_level (0, 1 or null), pieces (number of pieces), controlfile_included (NO, YES, SBY or SBR), multi_section (YES or NO), keep (YES or NO: an archival backup), started_at (local time), completed_at (local time)
-- source: Oracle Database Reference 19c, V$BACKUP_SET
SELECT
    recid AS recid,
    set_stamp AS set_stamp,
    set_count AS set_count,
    backup_type AS backup_type,
    incremental_level AS incremental_level,
    pieces AS pieces,
    controlfile_included AS controlfile_included,
    multi_section AS multi_section,
    keep AS keep,
    start_time AS started_at,
    completion_time AS completed_at
FROM v$backup_set
