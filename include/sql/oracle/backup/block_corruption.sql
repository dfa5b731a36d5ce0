-- purpose: tell the corrupt blocks of the live datafiles that RMAN met
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$DATABASE_BLOCK_CORRUPTION
-- locks: none
-- licence: none
-- binds: none
-- columns: file_number (FILE#), block_number (first block), blocks (number of blocks), corruption_scn (SCN, 0: unknown), corruption_type (ALL ZERO, FRACTURED, CHECKSUM, CORRUPT or LOGICAL)
-- source: Oracle Database Reference 19c, V$DATABASE_BLOCK_CORRUPTION
SELECT
    file# AS file_number,
    block# AS block_number,
    blocks AS blocks,
    corruption_change# AS corruption_scn,
    corruption_type AS corruption_type
FROM v$database_block_corruption
