-- purpose: tell whether unified auditing is the only auditing of this database
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$OPTION
-- locks: none
-- licence: none
-- binds: none
-- columns: value (TRUE: pure; FALSE: mixed mode or older)
-- source: Database Reference 19c, V$OPTION; Security Guide 19c, Unified Auditing
SELECT value AS value
FROM v$option
WHERE parameter = 'Unified Auditing'
