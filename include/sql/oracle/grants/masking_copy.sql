-- purpose: let the account that owns masked copies make tables and sequences in its own schema, beside what masking and gate grant;
--   give it a quota on its default tablespace too (ALTER USER account QUOTA 200G ON tablespace), and nothing else: it needs no
--   right on anything of others. Whoever has SELECT ANY TABLE sees a copy before it is delivered
-- kind: grants
-- engine: oracle 12.1-23
-- privileges: SYSDBA, or GRANT ANY PRIVILEGE
-- locks: none
-- licence: none
-- binds: account (identifier: the account of copies; SQL*Plus: DEFINE account = DRYDOCK_COPIES, in a CDB a local user of the PDB)
-- columns: none
-- source: SQL Language Reference 19c, GRANT; CREATE TABLE, CREATE SEQUENCE, CREATE SCHEMA: Prerequisites
GRANT CREATE SESSION TO &account;
GRANT CREATE SEQUENCE TO &account;
GRANT CREATE TABLE TO &account;
