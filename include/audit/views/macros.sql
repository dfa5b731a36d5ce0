-- matches: the value fits one of the shell patterns, upper and lower case alike.
CREATE MACRO matches(value, patterns) AS len(list_filter(patterns, lambda p: lower(value) GLOB lower(p))) > 0;
-- passes: the same, and what is not told passes.
CREATE MACRO passes(value, patterns) AS value = '' OR matches(value, patterns);
-- is_way: program, client and operating-system user all pass.
CREATE MACRO is_way(program, client, os_user, programs, clients, os_users) AS
    passes(program, programs) AND passes(client, clients) AND passes(os_user, os_users);
-- named: schema.name, the name alone where no schema is told.
CREATE MACRO named(schema_name, object_name) AS
    CASE WHEN coalesce(object_name, '') = '' THEN ''
         WHEN coalesce(schema_name, '') = '' THEN object_name
         ELSE schema_name || '.' || object_name END;
-- touched: all objects of a record: those it lists, else its first one, else those of its statement's text.
CREATE MACRO touched(schema_name, object_name, objects, of_text) AS
    CASE WHEN len(objects) > 0 THEN objects
         WHEN coalesce(object_name, '') <> '' THEN [named(schema_name, object_name)]
         ELSE coalesce(of_text, []::VARCHAR[]) END;
