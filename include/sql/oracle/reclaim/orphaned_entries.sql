-- purpose: name the indexes with entries of rows that are no more: Oracle cleans them up later
-- kind: read
-- engine: oracle 12.1-23
-- privileges: SELECT ON SYS.DBA_INDEXES
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of the index), name (index)
-- source: Database Reference 19c, DBA_INDEXES
SELECT
    i.owner AS owner,
    i.index_name AS name
FROM dba_indexes i
WHERE i.orphaned_entries = 'YES'
