-- purpose: tell the corrupt blocks that were let into backup sets (MAXCORRUPT)
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$BACKUP_CORRUPTION
-- locks: none
-- licence: none
-- binds: none
-- columns: set_stamp (with set_count the set), set_count (see set_stamp), file_number (FILE#), block_number (first block), blocks (number of blocks), corruption_scn (SCN, 0: unknown), corruption_type (ALL ZERO, FRACTURED, CHECKSUM, CORRUPT or LOGICAL)
-- source: Oracle Database Reference 19c, V$BACKUP_CORRUPTION
SELECT
    set_stamp AS set_stamp,
    set_count AS set_count,
    file# AS file_number,
    block# AS block_number,
    blocks AS blocks,
    corruption_change# AS corruption_scn,
    corruption_type AS corruption_type
FROM v$backup_corruption
