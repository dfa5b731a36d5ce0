-- purpose: tell the plans of the statements in the shared pool that touch one table or an index of it
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_INDEXES, SELECT ON SYS.V_$SQL, SELECT ON SYS.V_$SQL_PLAN
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: sql_id (statement), plan_hash_value (its plan), made_at (when that plan was last made for a cursor that no DDL has invalidated since, local time of the host; null: none is left), asked_at (now, local time of the host), elapsed_us (of all its executions since it was loaded, microseconds), executions (so many)
-- source: Database Reference 19c, V$SQL (OBJECT_STATUS), V$SQL_PLAN, DBA_INDEXES (no Diagnostics Pack: V$ views, not DBA_HIST_); commands 2, 3, 6, 7, 189: INSERT, SELECT, UPDATE, DELETE, MERGE
SELECT
    s.sql_id AS sql_id,
    s.plan_hash_value AS plan_hash_value,
    MAX(CASE WHEN s.object_status = 'VALID' THEN u.made_at END) AS made_at,
    SYSDATE AS asked_at,
    SUM(s.elapsed_time) AS elapsed_us,
    SUM(s.executions) AS executions
FROM (
    SELECT
        p.sql_id AS sql_id,
        p.child_number AS child_number,
        p.plan_hash_value AS plan_hash_value,
        MAX(p.timestamp) AS made_at
    FROM v$sql_plan p
    LEFT JOIN dba_indexes i ON i.owner = p.object_owner AND i.index_name = p.object_name
    WHERE (p.object_owner = :owner AND p.object_name = :name)
    OR (i.table_owner = :owner AND i.table_name = :name)
    GROUP BY p.sql_id, p.child_number, p.plan_hash_value
) u
JOIN v$sql s ON s.sql_id = u.sql_id AND s.child_number = u.child_number AND s.plan_hash_value = u.plan_hash_value
WHERE s.command_type IN (2, 3, 6, 7, 189)
AND s.parsing_schema_name <> 'SYS'
GROUP BY s.sql_id, s.plan_hash_value
