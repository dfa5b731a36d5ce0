-- purpose: tell whether redo of this database is mined: capture processes, supplemental logging
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_CAPTURE, SELECT ON SYS.V_$DATABASE
-- locks: none
-- licence: none
-- binds: none
-- columns: supplemental (NO, YES, IMPLICIT), captures (enabled ones: GoldenGate, XStream)
-- source: Database Reference 19c, DBA_CAPTURE, V$DATABASE
SELECT
    d.supplemental_log_data_min AS supplemental,
    (SELECT COUNT(*) FROM dba_capture c WHERE c.status = 'ENABLED') AS captures
FROM v$database d
