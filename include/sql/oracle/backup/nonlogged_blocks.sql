-- purpose: tell the blocks whose content was never in the redo
-- kind: read
-- engine: oracle 12.1-23
-- privileges: SELECT V_$NONLOGGED_BLOCK
-- locks: none
-- licence: none
-- binds: none
-- columns: file_number (FILE#), block_number (first block), blocks (number of blocks), corruption_scn (SCN of the change)
-- source: Oracle Database Reference 19c, V$NONLOGGED_BLOCK
SELECT
    file# AS file_number,
    block# AS block_number,
    blocks AS blocks,
    nonlogged_start_change# AS corruption_scn
FROM v$nonlogged_block
