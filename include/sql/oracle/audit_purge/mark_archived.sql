-- purpose: tell the database until when its unified trail is archived and verified
-- kind: block
-- engine: oracle 12.2-23
-- privileges: EXECUTE ON SYS.DBMS_AUDIT_MGMT
-- locks: none
-- licence: none
-- binds: until_utc (time in UTC without a zone, whole seconds: everything before it is in the store)
-- columns: none
-- source: PL/SQL Packages and Types Reference 19c, DBMS_AUDIT_MGMT.SET_LAST_ARCHIVE_TIMESTAMP (the unified trail's is in UTC)
BEGIN
    SYS.DBMS_AUDIT_MGMT.SET_LAST_ARCHIVE_TIMESTAMP(
        audit_trail_type => SYS.DBMS_AUDIT_MGMT.AUDIT_TRAIL_UNIFIED,
        last_archive_time => :until_utc,
        container => SYS.DBMS_AUDIT_MGMT.CONTAINER_CURRENT
    );
END;
