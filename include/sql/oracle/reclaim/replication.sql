-- purpose: tell whether redo of this database is mined: capture processes, supplemental logging
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_CAPTURE, SELECT ON SYS.V_$DATABASE
-- locks: none
-- licence: none
-- binds: none
-- columns: supplemental (NO, YES, IMPLICIT), supplemental_keys (YES: keys or all columns of every table are logged, for who reads redo), captures (enabled ones: GoldenGate, XStream)
-- source: Database Reference 19c, DBA_CAPTURE, V$DATABASE
SELECT
    d.supplemental_log_data_min AS supplemental,
    CASE
        WHEN 'YES' IN (d.supplemental_log_data_pk, d.supplemental_log_data_ui, d.supplemental_log_data_fk, d.supplemental_log_data_all)
            THEN 'YES'
        ELSE 'NO'
    END AS supplemental_keys,
    (SELECT COUNT(*) FROM dba_capture c WHERE c.status = 'ENABLED') AS captures
FROM v$database d
