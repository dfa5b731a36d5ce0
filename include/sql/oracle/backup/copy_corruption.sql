-- purpose: tell the corrupt blocks that were let into image copies (MAXCORRUPT)
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$COPY_CORRUPTION
-- locks: none
-- licence: none
-- binds: none
-- columns: copy_stamp (with file_number the copy), file_number (FILE#), block_number (first block), blocks (number of blocks), corruption_scn (SCN, 0: unknown), corruption_type (ALL ZERO, FRACTURED, CHECKSUM, CORRUPT or LOGICAL)
-- source: Oracle Database Reference 19c, V$COPY_CORRUPTION
SELECT
    copy_stamp AS copy_stamp,
    file# AS file_number,
    block# AS block_number,
    blocks AS blocks,
    corruption_change# AS corruption_scn,
    corruption_type AS corruption_type
FROM v$copy_corruption
