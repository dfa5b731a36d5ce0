-- purpose: tell how busy the host and the database are at this moment, from views that need no pack
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.V_$OSSTAT, SELECT ON SYS.V_$SESSION
-- locks: none
-- licence: none
-- binds: none
-- columns: active_sessions (user sessions at work, this one not counted), cpus (processors), run_queue (processes that wait for a processor)
-- source: Database Reference 19c, V$SESSION, V$OSSTAT
SELECT
    (
        SELECT count(*) FROM v$session s
        WHERE s.type = 'USER' AND s.status = 'ACTIVE' AND s.sid <> to_number(sys_context('USERENV', 'SID'))
    ) AS active_sessions,
    (SELECT c.value FROM v$osstat c WHERE c.stat_name = 'NUM_CPUS') AS cpus,
    (SELECT l.value FROM v$osstat l WHERE l.stat_name = 'LOAD') AS run_queue
FROM dual
