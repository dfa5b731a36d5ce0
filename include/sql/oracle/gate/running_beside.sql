-- purpose: tell what runs now that must not run beside a change: a backup of datafiles, statistics, Data Pump, masking
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.GV_$LOCK, SELECT ON SYS.GV_$SESSION, SELECT ON SYS.V_$RMAN_STATUS
-- locks: none
-- licence: none
-- binds: masking_id (id of the DBMS_LOCK that masking holds)
-- columns: backups (backups of RMAN at work, archived logs not counted; none where no session of rman is logged on: a row of a killed one stays RUNNING), statistics (sessions of the automatic job), maintenance (sessions of Data Pump), masking (1: the lock of masking is held)
-- source: Database Reference 19c, V$RMAN_STATUS, V$SESSION (MODULE, ACTION), V$LOCK (UL); Database Administrator's Guide 19c, Managing Automated Database Maintenance Tasks
SELECT
    (
        SELECT count(*) FROM v$rman_status r
        WHERE
            r.status LIKE 'RUNNING%'
            AND r.operation LIKE 'BACKUP%'
            AND r.object_type NOT IN ('ARCHIVELOG', 'CONTROLFILE', 'SPFILE')
            AND EXISTS (SELECT 1 FROM gv$session p WHERE lower(p.program) LIKE 'rman%')
    ) AS backups,
    (SELECT count(*) FROM gv$session s WHERE s.module = 'DBMS_SCHEDULER' AND s.action LIKE 'ORA$AT!_OS!_OPT%' ESCAPE '!') AS statistics,
    (SELECT count(*) FROM gv$session d WHERE d.module LIKE 'Data Pump%') AS maintenance,
    (SELECT count(*) FROM gv$lock l WHERE l.type = 'UL' AND l.id1 = :masking_id AND l.lmode = 6) AS masking
FROM dual
