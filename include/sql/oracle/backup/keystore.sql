-- purpose: tell whether the keystore of encrypted data and backups is open
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$ENCRYPTION_WALLET
-- locks: none
-- licence: none
-- binds: none
-- columns: wallet_type (FILE, HSM and others), status (OPEN, CLOSED, NOT_AVAILABLE and others)
-- source: Oracle Database Reference 19c, V$ENCRYPTION_WALLET
SELECT wrl_type AS wallet_type, status AS status
FROM v$encryption_wallet
