-- purpose: let the watching account stop a statement of Drydock that runs past its deadline; it is not the looking account
-- kind: grants
-- engine: oracle 11.2-23
-- privileges: SYSDBA, or GRANT ANY OBJECT PRIVILEGE with GRANT ANY PRIVILEGE
-- locks: none
-- licence: none
-- binds: account (identifier: the looking account; SQL*Plus: DEFINE account = DRYDOCK_LOOK, in a CDB a common user C##DRYDOCK_LOOK)
-- columns: none
-- source: SQL Language Reference 19c, GRANT; Database Reference 19c, Static Data Dictionary Views, Dynamic Performance Views
GRANT CREATE SESSION TO &account;
GRANT ALTER SYSTEM TO &account;
