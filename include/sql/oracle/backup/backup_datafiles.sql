-- purpose: tell which datafiles and control files (file 0) are in which backup set, from which SCN to which
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$BACKUP_DATAFILE
-- locks: none
-- licence: none
-- binds: none
-- columns: set_stamp (with set_count the set), set_count (see set_stamp), file_number (FILE#, 0: control file), creation_scn (SCN), resetlogs_scn (SCN of its incarnation), incremental_level (0, 1 or null), incremental_scn (SCN since which changed blocks are in it), checkpoint_scn (SCN), checkpoint_at (local time), fuzzy_scn (highest SCN in any block, 0: none above the checkpoint), completed_at (local time), blocks (blocks written), datafile_blocks (size of the file in blocks), blocks_read (blocks scanned), block_bytes (bytes of a block), used_change_tracking (YES or NO), corrupt_blocks (blocks marked, media or logically corrupt)
-- source: Oracle Database Reference 19c, V$BACKUP_DATAFILE
SELECT
    set_stamp AS set_stamp,
    set_count AS set_count,
    file# AS file_number,
    creation_change# AS creation_scn,
    resetlogs_change# AS resetlogs_scn,
    incremental_level AS incremental_level,
    incremental_change# AS incremental_scn,
    checkpoint_change# AS checkpoint_scn,
    checkpoint_time AS checkpoint_at,
    absolute_fuzzy_change# AS fuzzy_scn,
    completion_time AS completed_at,
    blocks AS blocks,
    datafile_blocks AS datafile_blocks,
    blocks_read AS blocks_read,
    block_size AS block_bytes,
    used_change_tracking AS used_change_tracking,
    COALESCE(marked_corrupt, 0) + COALESCE(media_corrupt, 0) + COALESCE(logically_corrupt, 0) AS corrupt_blocks
FROM v$backup_datafile
