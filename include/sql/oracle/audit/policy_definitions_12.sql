-- purpose: tell what the enabled unified audit policies audit (before 19c)
-- kind: read
-- engine: oracle 12.1-18
-- privileges: SELECT AUDIT_UNIFIED_POLICIES, SELECT AUDIT_UNIFIED_ENABLED_POLICIES
-- locks: none
-- licence: none
-- binds: none
-- columns: policy (name), condition (when; NONE), eval_opt (STATEMENT, SESSION, INSTANCE), audit_option (action or privilege), option_type (STANDARD ACTION, OBJECT ACTION, SYSTEM PRIVILEGE, ...), object_schema (owner), object_name (object), toplevel (NO: these versions know no other)
-- source: Database Reference 12.1, AUDIT_UNIFIED_POLICIES (AUDIT_ONLY_TOPLEVEL comes with 19c)
SELECT
    p.policy_name AS policy,
    p.audit_condition AS condition,
    p.condition_eval_opt AS eval_opt,
    p.audit_option AS audit_option,
    p.audit_option_type AS option_type,
    p.object_schema AS object_schema,
    p.object_name AS object_name,
    'NO' AS toplevel
FROM audit_unified_policies p
WHERE p.policy_name IN (SELECT e.policy_name FROM audit_unified_enabled_policies e)
ORDER BY p.policy_name, p.audit_option_type, p.audit_option, p.object_schema, p.object_name
