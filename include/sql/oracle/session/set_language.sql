-- purpose: fix language, formats and time zone of the session, so that nothing depends on the client or the server
-- kind: session
-- engine: oracle 11.2-23
-- privileges: none beyond CREATE SESSION
-- locks: none
-- licence: none
-- binds: none
-- columns: none
-- source: SQL Language Reference 19c, ALTER SESSION; Globalization Support Guide 19c, ch. 3
ALTER SESSION SET
    NLS_LANGUAGE = 'AMERICAN'
    NLS_TERRITORY = 'AMERICA'
    NLS_DATE_FORMAT = 'YYYY-MM-DD HH24:MI:SS'
    NLS_TIMESTAMP_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF'
    NLS_TIMESTAMP_TZ_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF TZH:TZM'
    NLS_NUMERIC_CHARACTERS = '.,'
    NLS_SORT = 'BINARY'
    NLS_COMP = 'BINARY'
    TIME_ZONE = '+00:00'
