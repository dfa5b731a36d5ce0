BEGIN
    SYS.DBMS_AUDIT_MGMT.CLEAN_AUDIT_TRAIL(
        audit_trail_type => SYS.DBMS_AUDIT_MGMT.AUDIT_TRAIL_FGA_STD,
        use_last_arch_timestamp => TRUE
    );
END;
