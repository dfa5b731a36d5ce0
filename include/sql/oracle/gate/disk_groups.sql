-- purpose: tell how much room the disk groups have that archived logs may go to
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.V_$ASM_DISKGROUP
-- locks: none
-- licence: none
-- binds: none
-- columns: name (disk group, without the plus sign), free_bytes (for files, mirroring counted off; negative: a failure could not be mirrored again)
-- source: Database Reference 19c, V$ASM_DISKGROUP (USABLE_FILE_MB)
SELECT g.name AS name, g.usable_file_mb * 1048576 AS free_bytes
FROM v$asm_diskgroup g
