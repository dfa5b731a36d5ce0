-- purpose: tell which unified audit policies are enabled, for whom and when
-- kind: read
-- engine: oracle 12.2-23
-- privileges: SELECT AUDIT_UNIFIED_ENABLED_POLICIES
-- locks: none
-- licence: none
-- binds: none
-- columns: policy (name), enabled_option (BY USER, EXCEPT USER, BY GRANTED ROLE, INVALID), entity (user or role; ALL USERS), on_success (YES or NO), on_failure (YES or NO)
-- source: Database Reference 19c, AUDIT_UNIFIED_ENABLED_POLICIES
SELECT
    policy_name AS policy,
    enabled_option AS enabled_option,
    entity_name AS entity,
    success AS on_success,
    failure AS on_failure
FROM audit_unified_enabled_policies
ORDER BY policy_name, enabled_option, entity_name
