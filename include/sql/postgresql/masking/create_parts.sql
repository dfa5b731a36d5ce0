-- purpose: which parts of chunks have been copied; a row is written by the transaction that copies
-- kind: change
-- engine: postgresql 14-19
-- privileges: the account owns the schema drydock_masking
-- locks: none
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, CREATE TABLE
CREATE TABLE IF NOT EXISTS drydock_masking.parts (
    run_id bigint NOT NULL REFERENCES drydock_masking.runs,
    generation integer NOT NULL,
    schema_name text NOT NULL,
    name text NOT NULL,
    first_page bigint NOT NULL,
    end_page bigint NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    elapsed_s double precision NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, generation, schema_name, name, first_page)
)
