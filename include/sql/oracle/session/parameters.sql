-- purpose: tell the parameters that decide what may be asked and how long things are kept
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.V_$PARAMETER
-- locks: none
-- licence: none
-- binds: none
-- columns: name (parameter), value (as text)
-- source: Database Reference 19c, V$PARAMETER
SELECT
    p.name AS name,
    p.value AS value
FROM v$parameter p
WHERE
    p.name IN (
        'cluster_database', 'compatible', 'control_file_record_keep_time', 'control_management_pack_access',
        'cpu_count', 'db_block_size', 'db_recovery_file_dest_size', 'statistics_level', 'undo_retention'
    )
ORDER BY p.name
