-- purpose: how this session writes definitions, so that it can be set back
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: none
-- columns: search_path (setting of that name), datestyle (setting of that name), intervalstyle (setting of that name), timezone (setting of that name), extra_float_digits (setting of that name), standard_conforming_strings (setting of that name), quote_all_identifiers (setting of that name), bytea_output (setting of that name)
-- source: PostgreSQL manual, Configuration Settings Functions
SELECT
    current_setting('search_path') AS search_path,
    current_setting('datestyle') AS datestyle,
    current_setting('intervalstyle') AS intervalstyle,
    current_setting('timezone') AS timezone,
    current_setting('extra_float_digits') AS extra_float_digits,
    current_setting('standard_conforming_strings') AS standard_conforming_strings,
    current_setting('quote_all_identifiers') AS quote_all_identifiers,
    current_setting('bytea_output') AS bytea_output
