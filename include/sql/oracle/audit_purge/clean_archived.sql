-- purpose: let the database clean its unified trail of what is marked as archived, and of nothing else
-- kind: block
-- engine: oracle 12.2-23
-- privileges: EXECUTE ON SYS.DBMS_AUDIT_MGMT
-- locks: none that sessions feel: old partitions of the trail are dropped, single rows deleted
-- licence: none
-- binds: none
-- columns: none
-- source: PL/SQL Packages and Types Reference 19c, DBMS_AUDIT_MGMT.CLEAN_AUDIT_TRAIL (use_last_arch_timestamp FALSE would delete all)
BEGIN
    SYS.DBMS_AUDIT_MGMT.CLEAN_AUDIT_TRAIL(
        audit_trail_type => SYS.DBMS_AUDIT_MGMT.AUDIT_TRAIL_UNIFIED,
        use_last_arch_timestamp => TRUE,
        container => SYS.DBMS_AUDIT_MGMT.CONTAINER_CURRENT
    );
END;
