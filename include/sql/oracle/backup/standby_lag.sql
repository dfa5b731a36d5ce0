-- purpose: tell how far a standby is behind: what it has not received, and what it has not applied
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$DATAGUARD_STATS
-- locks: none
-- licence: none
-- binds: none
-- columns: name (transport lag or apply lag), lag (interval as text, +00 00:00:03; null: not known)
-- source: Oracle Database Reference 19c, V$DATAGUARD_STATS (rows on a standby only)
SELECT name AS name, value AS lag
FROM v$dataguard_stats
WHERE name IN ('transport lag', 'apply lag')
