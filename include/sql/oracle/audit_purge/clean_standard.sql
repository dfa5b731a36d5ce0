-- purpose: let the database clean its traditional trail of what is marked as archived, and of nothing else
-- kind: block
-- engine: oracle 11.2-23
-- privileges: EXECUTE ON SYS.DBMS_AUDIT_MGMT
-- locks: rows of SYS.AUD$, in batches: sessions that write audit records go on
-- licence: none
-- binds: none
-- columns: none
-- source: PL/SQL Packages and Types Reference 19c, DBMS_AUDIT_MGMT.CLEAN_AUDIT_TRAIL (use_last_arch_timestamp FALSE would delete all; ORA-46258 without INIT_CLEANUP)
BEGIN
    SYS.DBMS_AUDIT_MGMT.CLEAN_AUDIT_TRAIL(
        audit_trail_type => SYS.DBMS_AUDIT_MGMT.AUDIT_TRAIL_AUD_STD,
        use_last_arch_timestamp => TRUE
    );
END;
