-- purpose: tell what traditional auditing writes down of statements and privileges
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT DBA_STMT_AUDIT_OPTS
-- locks: none
-- licence: none
-- binds: none
-- columns: account (null: everybody), audit_option (statement or privilege), on_success (BY SESSION, BY ACCESS, NOT SET), on_failure (BY SESSION, BY ACCESS, NOT SET)
-- source: Database Reference 19c, DBA_STMT_AUDIT_OPTS
SELECT
    user_name AS account,
    audit_option AS audit_option,
    success AS on_success,
    failure AS on_failure
FROM dba_stmt_audit_opts
ORDER BY audit_option, user_name
