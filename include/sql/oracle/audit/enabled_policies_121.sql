-- purpose: tell which unified audit policies are enabled, for whom and when (12.1)
-- kind: read
-- engine: oracle 12.1-12.1
-- privileges: SELECT AUDIT_UNIFIED_ENABLED_POLICIES
-- locks: none
-- licence: none
-- binds: none
-- columns: policy (name), enabled_option (BY USER, EXCEPT USER, INVALID, in the words of later versions), entity (user; ALL USERS), on_success (YES or NO), on_failure (YES or NO)
-- source: Database Reference 12.1, AUDIT_UNIFIED_ENABLED_POLICIES (ENABLED_OPT: BY, EXCEPT, DISABLED; ENABLED_OPTION and ENTITY_NAME come with 12.2)
SELECT
    policy_name AS policy,
    CASE enabled_opt WHEN 'BY' THEN 'BY USER' WHEN 'EXCEPT' THEN 'EXCEPT USER' ELSE 'INVALID' END AS enabled_option,
    user_name AS entity,
    success AS on_success,
    failure AS on_failure
FROM audit_unified_enabled_policies
ORDER BY policy_name, enabled_opt, user_name
