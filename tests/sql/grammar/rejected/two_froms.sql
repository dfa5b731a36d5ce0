SELECT dbid AS dbid FROM FROM v$database;
