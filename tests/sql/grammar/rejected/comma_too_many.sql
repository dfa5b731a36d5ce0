SELECT dbid AS dbid, FROM v$database;
