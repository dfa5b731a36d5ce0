-- purpose: let the account that cleans the trail do that alone: it reads no record, and is never the account that reads them
-- kind: grants
-- engine: oracle 11.2-23
-- privileges: SYSDBA, or GRANT ANY OBJECT PRIVILEGE with GRANT ANY PRIVILEGE
-- locks: none
-- licence: none
-- binds: account (identifier: the cleaning account; SQL*Plus: DEFINE account = DRYDOCK_PURGE)
-- columns: none
-- source: PL/SQL Packages and Types Reference 19c, DBMS_AUDIT_MGMT, Security Model (EXECUTE is enough; AUDIT_ADMIN may more)
GRANT CREATE SESSION TO &account;
GRANT EXECUTE ON SYS.DBMS_AUDIT_MGMT TO &account;
