-- purpose: tell how often queries used each index, as index usage tracking counted, mostly by samples
-- kind: read
-- engine: oracle 12.2-23
-- privileges: SELECT ON SYS.DBA_INDEX_USAGE
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of the index), name (index), accesses (since tracking counts), last_used (local time of the host)
-- source: Database Reference 12.2 and 19c, DBA_INDEX_USAGE
SELECT
    u.owner AS owner,
    u.name AS name,
    u.total_access_count AS accesses,
    u.last_used AS last_used
FROM dba_index_usage u
