-- purpose: tell which options are installed
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.V_$OPTION
-- locks: none
-- licence: none
-- binds: none
-- columns: name (option), value (TRUE, FALSE)
-- source: Database Reference 19c, V$OPTION
SELECT
    o.parameter AS name,
    o.value AS value
FROM v$option o
ORDER BY o.parameter
