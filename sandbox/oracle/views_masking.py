"""What a masked copy asks of the dictionary beside what maintenance asks: hidden columns, sequences, identities, redaction.

Sources: Database Reference 19c, DBA_TAB_COLS, DBA_SEQUENCES, DBA_TAB_IDENTITY_COLS, REDACTION_POLICIES, V$NLS_PARAMETERS.
The roles of a table tell what it has: `invisible` names of columns with commas, `virtual` NAME=expression, `redaction` the
name of a policy.
"""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.storage import Storage
from sandbox.oracle.model.stored import StoredTable
from sandbox.oracle.registry import view
from sandbox.oracle.views_storage_columns import column_row, odd_columns
from sandbox.oracle.views_storage_indexes import column_name
from sandbox.oracle.views_storage_roles import having
from sandbox.oracle.views_storage_tables import Row, storage_view, yes

SHOWN = {"HIDDEN_COLUMN": "NO", "VIRTUAL_COLUMN": "NO", "USER_GENERATED": "YES"}
HIDDEN = {"HIDDEN_COLUMN": "YES", "VIRTUAL_COLUMN": "YES", "USER_GENERATED": "NO", "COLUMN_ID": None}


@storage_view("DBA_TAB_COLS")
def dba_tab_cols(storage: Storage) -> Iterator[Row]:
    """All columns, those behind expressions of indexes too."""
    for table in storage.tables.values():
        rows = [*declared(storage, table), *odd_columns(table), *expressions(table)]
        for position, row in enumerate(rows, 1):
            name = row["COLUMN_NAME"]
            yield SHOWN | row | {"INTERNAL_COLUMN_ID": position, "SEGMENT_COLUMN_ID": position, "QUALIFIED_COL_NAME": name}


def declared(storage: Storage, table: StoredTable) -> Iterator[Row]:
    lobs = {o.column for o in table.lobs}
    invisible = table.roles.get("invisible", "").split(",")
    virtual = dict([table.roles["virtual"].split("=", 1)]) if "virtual" in table.roles else {}
    for position, column in enumerate(table.columns, 1):
        row = column_row(storage, table, column, position, column.name in lobs)
        if column.name in invisible:
            row |= {"HIDDEN_COLUMN": "YES", "COLUMN_ID": None}
        if column.name in virtual:
            row |= {"VIRTUAL_COLUMN": "YES", "DATA_DEFAULT": virtual[column.name]}
        yield row


def expressions(table: StoredTable) -> Iterator[Row]:
    for index in table.indexes:
        for position, column in enumerate(index.columns, 1):
            hidden = column_name(index, position, column)
            if hidden != column:
                row = {"OWNER": table.owner, "TABLE_NAME": table.name, "COLUMN_NAME": hidden, "DATA_TYPE": "VARCHAR2"}
                yield row | HIDDEN | {"DATA_LENGTH": 4000, "NULLABLE": "Y", "DATA_DEFAULT": column, "CHAR_LENGTH": 4000}


@storage_view("DBA_SEQUENCES")
def dba_sequences(storage: Storage) -> Iterator[Row]:
    for sequence in storage.sequences:
        yield {
            "SEQUENCE_OWNER": sequence.owner,
            "SEQUENCE_NAME": sequence.name,
            "MIN_VALUE": sequence.minimum,
            "MAX_VALUE": sequence.maximum,
            "INCREMENT_BY": sequence.increment,
            "CYCLE_FLAG": yes(sequence.cycles)[0],
            "ORDER_FLAG": "N",
            "CACHE_SIZE": sequence.cache,
            "LAST_NUMBER": sequence.last_number,
        }


@storage_view("DBA_TAB_IDENTITY_COLS")
def dba_tab_identity_cols(storage: Storage) -> Iterator[Row]:
    for sequence in storage.sequences:
        if sequence.column:
            table, column = sequence.column
            row = {"OWNER": sequence.owner, "TABLE_NAME": table, "COLUMN_NAME": column, "SEQUENCE_NAME": sequence.name}
            yield row | {"GENERATION_TYPE": sequence.generation}


@storage_view("REDACTION_POLICIES")
def redaction_policies(storage: Storage) -> Iterator[Row]:
    for table, name in having(storage, "redaction"):
        row = {"OBJECT_OWNER": table.owner, "OBJECT_NAME": table.name, "POLICY_NAME": name, "EXPRESSION": "1=1"}
        yield row | {"ENABLE": "YES"}


@view("DBA_SYS_PRIVS")
def dba_sys_privs(database: OracleDatabase) -> Iterator[Row]:
    """System privileges of accounts; those on objects stand elsewhere."""
    for account in database.accounts.values():
        for privilege in sorted(p for p in account.privileges if " ON " not in p and " " in p):
            yield {"GRANTEE": account.name, "PRIVILEGE": privilege, "ADMIN_OPTION": "NO", "COMMON": "NO", "INHERITED": "NO"}


@view("V$NLS_PARAMETERS")
def v_nls_parameters(database: OracleDatabase) -> Iterator[Row]:
    """The character sets that a database is made with; of a session's own parameters the simulator keeps none."""
    for name, value in (("NLS_CHARACTERSET", "AL32UTF8"), ("NLS_NCHAR_CHARACTERSET", "AL16UTF16")):
        yield {"PARAMETER": name, "VALUE": value, "CON_ID": 0}
