-- purpose: tell the room that is really left in each ASM disk group
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$ASM_DISKGROUP
-- locks: none
-- licence: none
-- binds: none
-- columns: name (disk group), usable_mb (MiB that can be filled with redundancy kept)
-- source: Oracle Database Reference 19c, V$ASM_DISKGROUP (USABLE_FILE_MB)
SELECT name AS name, usable_file_mb AS usable_mb
FROM v$asm_diskgroup
