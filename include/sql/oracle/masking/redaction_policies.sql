-- purpose: list tables of one schema whose values are redacted for readers: a copy would hold what they are shown
-- kind: read
-- engine: oracle 12.1-23
-- privileges: SELECT ON SYS.REDACTION_POLICIES
-- locks: none
-- licence: none
-- binds: owner (schema)
-- columns: name (table), policy (its name)
-- source: Database Reference 19c, REDACTION_POLICIES; DBMS_REDACT
SELECT
    p.object_name AS name,
    p.policy_name AS policy
FROM redaction_policies p
WHERE p.object_owner = :owner
AND p.enable = 'YES'
ORDER BY p.object_name, p.policy_name
