-- purpose: tell how far a standby is behind
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.V_$DATAGUARD_STATS
-- locks: none
-- licence: none
-- binds: none
-- columns: name (apply lag, transport lag), value (+DD HH:MI:SS), computed_at (local time of the host, as text)
-- source: Database Reference 19c, V$DATAGUARD_STATS
SELECT
    s.name AS name,
    s.value AS value,
    s.time_computed AS computed_at
FROM v$dataguard_stats s
WHERE s.name IN ('apply lag', 'transport lag')
ORDER BY s.name
