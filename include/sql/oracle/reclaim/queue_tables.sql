-- purpose: name the queue tables
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_QUEUE_TABLES
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of the table), name (table)
-- source: Database Reference 19c, DBA_QUEUE_TABLES
SELECT
    q.owner AS owner,
    q.queue_table AS name
FROM dba_queue_tables q
