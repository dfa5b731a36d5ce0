SELECT d.dbid AS dbid FROM v$database AS d;
