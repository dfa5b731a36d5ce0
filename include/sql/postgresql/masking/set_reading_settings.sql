-- purpose: let this session write definitions with every name in full and every value one way
-- kind: session
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: search_path (setting of that name), datestyle (setting of that name), intervalstyle (setting of that name), timezone (setting of that name), extra_float_digits (setting of that name), standard_conforming_strings (setting of that name), quote_all_identifiers (setting of that name), bytea_output (setting of that name)
-- columns: search_path (as it is now), datestyle (as it is now), intervalstyle (as it is now), timezone (as it is now), extra_float_digits (as it is now), standard_conforming_strings (as it is now), quote_all_identifiers (as it is now), bytea_output (as it is now)
-- source: PostgreSQL manual, Configuration Settings Functions, Client Connection Defaults
SELECT
    set_config('search_path', %(search_path)s, false) AS search_path,
    set_config('datestyle', %(datestyle)s, false) AS datestyle,
    set_config('intervalstyle', %(intervalstyle)s, false) AS intervalstyle,
    set_config('timezone', %(timezone)s, false) AS timezone,
    set_config('extra_float_digits', %(extra_float_digits)s, false) AS extra_float_digits,
    set_config('standard_conforming_strings', %(standard_conforming_strings)s, false) AS standard_conforming_strings,
    set_config('quote_all_identifiers', %(quote_all_identifiers)s, false) AS quote_all_identifiers,
    set_config('bytea_output', %(bytea_output)s, false) AS bytea_output
