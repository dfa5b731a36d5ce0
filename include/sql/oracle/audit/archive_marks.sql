-- purpose: tell until when the trails are marked as archived: what is older may be cleaned at any time
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT DBA_AUDIT_MGMT_LAST_ARCH_TS
-- locks: none
-- licence: none
-- binds: none
-- columns: audit_trail (which), instance (of RAC; 0: all), archived_until (time in UTC)
-- source: Database Reference 19c, DBA_AUDIT_MGMT_LAST_ARCH_TS
SELECT
    audit_trail AS audit_trail,
    rac_instance AS instance,
    SYS_EXTRACT_UTC(last_archive_ts) AS archived_until
FROM dba_audit_mgmt_last_arch_ts
ORDER BY audit_trail, rac_instance
