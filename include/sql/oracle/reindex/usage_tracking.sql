-- purpose: tell whether the instance tracks the use of indexes, and whether it counts all uses or samples of them
-- kind: read
-- engine: oracle 12.2-23
-- privileges: SELECT ON SYS.V_$INDEX_USAGE_INFO
-- locks: none
-- licence: none
-- binds: none
-- columns: enabled (1, 0), sampled (1: samples, 0: every use)
-- source: Database Reference 19c, V$INDEX_USAGE_INFO
SELECT
    u.index_stats_enabled AS enabled,
    u.index_stats_collection_type AS sampled
FROM v$index_usage_info u
