-- purpose: tell the database until when its fine-grained trail is archived and verified
-- kind: block
-- engine: oracle 11.2-23
-- privileges: EXECUTE ON SYS.DBMS_AUDIT_MGMT
-- locks: none
-- licence: none
-- binds: until_utc (time in UTC without a zone, whole seconds: everything before it is in the store)
-- columns: none
-- source: PL/SQL Packages and Types Reference 19c, DBMS_AUDIT_MGMT.SET_LAST_ARCHIVE_TIMESTAMP (AUDIT_TRAIL_FGA_STD: in UTC; of SYS.FGA_LOG$ there is one for all instances)
BEGIN
    SYS.DBMS_AUDIT_MGMT.SET_LAST_ARCHIVE_TIMESTAMP(
        audit_trail_type => SYS.DBMS_AUDIT_MGMT.AUDIT_TRAIL_FGA_STD,
        last_archive_time => :until_utc
    );
END;
