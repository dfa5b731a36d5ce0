-- purpose: tell how much is free where this session sorts
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_TABLESPACES, SELECT ON SYS.DBA_TABLESPACE_USAGE_METRICS, SELECT ON SYS.DBA_USERS
-- locks: none
-- licence: none
-- binds: none
-- columns: name (temporary tablespace; no row for a group of them), free_bytes (what its files may grow counted)
-- source: Database Reference 19c, DBA_TABLESPACE_USAGE_METRICS, DBA_TABLESPACES, DBA_USERS
SELECT
    t.tablespace_name AS name,
    (m.tablespace_size - m.used_space) * t.block_size AS free_bytes
FROM dba_users u
JOIN dba_tablespaces t ON t.tablespace_name = u.temporary_tablespace
JOIN dba_tablespace_usage_metrics m ON m.tablespace_name = t.tablespace_name
WHERE u.username = SYS_CONTEXT('USERENV', 'SESSION_USER')
