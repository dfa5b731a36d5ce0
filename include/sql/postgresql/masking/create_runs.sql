-- purpose: what the copy knows of runs: which picture of the source its tables were filled from
-- kind: change
-- engine: postgresql 14-19
-- privileges: the account owns the schema drydock_masking
-- locks: none
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, CREATE TABLE
CREATE TABLE IF NOT EXISTS drydock_masking.runs (
    run_id bigint PRIMARY KEY,
    generation integer NOT NULL,
    xids text NOT NULL,
    identity text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
