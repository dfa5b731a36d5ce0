-- purpose: tell every image copy of a datafile or control file (file 0) that was not deleted
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$DATAFILE_COPY
-- locks: none
-- licence: none
-- binds: none
-- columns: recid (today's key), stamp (with file_number the name for ever), file_number (FILE#, 0: control file), handle (path), tag (label), status (A available, X expired, U unavailable), creation_scn (SCN), resetlogs_scn (SCN of its incarnation), incremental_level (0 or null), checkpoint_scn (SCN), checkpoint_at (local time), fuzzy_scn (highest SCN in any block), completed_at (local time), blocks (blocks of the copy), block_bytes (bytes of a block), in_fra (YES or NO), corrupt_blocks (blocks marked, media or logically corrupt)
-- source: Oracle Database Reference 19c, V$DATAFILE_COPY
SELECT
    recid AS recid,
    stamp AS stamp,
    file# AS file_number,
    name AS handle,
    tag AS tag,
    status AS status,
    creation_change# AS creation_scn,
    resetlogs_change# AS resetlogs_scn,
    incremental_level AS incremental_level,
    checkpoint_change# AS checkpoint_scn,
    checkpoint_time AS checkpoint_at,
    absolute_fuzzy_change# AS fuzzy_scn,
    completion_time AS completed_at,
    blocks AS blocks,
    block_size AS block_bytes,
    is_recovery_dest_file AS in_fra,
    COALESCE(marked_corrupt, 0) + COALESCE(media_corrupt, 0) + COALESCE(logically_corrupt, 0) AS corrupt_blocks
FROM v$datafile_copy
WHERE status <> 'D' AND name IS NOT NULL
