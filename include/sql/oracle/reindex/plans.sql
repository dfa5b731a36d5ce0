-- purpose: tell the plans of the statements in the shared pool that touch one table or an index of it
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_INDEXES, SELECT ON SYS.V_$SQL, SELECT ON SYS.V_$SQL_PLAN
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: sql_id (statement), plan_hash_value (its plan), made_at (when that plan was last made for a cursor that no DDL has invalidated since, local time of the host; null: none is left), asked_at (now, local time of the host), elapsed_us (of its executions, microseconds)
-- source: Database Reference 19c, V$SQL (OBJECT_STATUS), V$SQL_PLAN, DBA_INDEXES (no Diagnostics Pack: V$ views, not DBA_HIST_); commands 2, 3, 6, 7, 189: INSERT, SELECT, UPDATE, DELETE, MERGE
SELECT
    s.sql_id AS sql_id,
    s.plan_hash_value AS plan_hash_value,
    MAX(CASE WHEN s.object_status = 'VALID' THEN p.timestamp END) AS made_at,
    SYSDATE AS asked_at,
    MAX(s.elapsed_time) AS elapsed_us
FROM v$sql_plan p
JOIN v$sql s ON s.sql_id = p.sql_id AND s.child_number = p.child_number AND s.plan_hash_value = p.plan_hash_value
LEFT JOIN dba_indexes i ON i.owner = p.object_owner AND i.index_name = p.object_name
WHERE s.command_type IN (2, 3, 6, 7, 189)
AND s.parsing_schema_name <> 'SYS'
AND (
    (p.object_owner = :owner AND p.object_name = :name)
    OR (i.table_owner = :owner AND i.table_name = :name)
)
GROUP BY s.sql_id, s.plan_hash_value
