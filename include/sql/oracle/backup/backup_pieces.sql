-- purpose: tell every copy of every backup piece that was not deleted
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$BACKUP_PIECE
-- locks: none
-- licence: none
-- binds: none
-- columns: set_stamp (with set_count the set), set_count (see set_stamp), piece (number in the set, from 1), copy_number (from 1), handle (path or name on the media), status (A available, X expired, U unavailable), device (DISK or SBT_TAPE), total_bytes (bytes), encrypted (YES or NO), compressed (YES or NO), in_fra (YES or NO), tag (label), completed_at (local time), status_recid (with status_stamp the row of V$RMAN_STATUS), status_stamp (see status_recid)
-- source: Oracle Database Reference 19c, V$BACKUP_PIECE
SELECT
    set_stamp AS set_stamp,
    set_count AS set_count,
    piece# AS piece,
    copy# AS copy_number,
    handle AS handle,
    status AS status,
    device_type AS device,
    bytes AS total_bytes,
    encrypted AS encrypted,
    compressed AS compressed,
    is_recovery_dest_file AS in_fra,
    tag AS tag,
    completion_time AS completed_at,
    rman_status_recid AS status_recid,
    rman_status_stamp AS status_stamp
FROM v$backup_piece
WHERE status <> 'D'
