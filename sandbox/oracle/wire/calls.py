"""From a request to an answer: every call on the Backend is made here, and whatever it raises becomes an ORA- error."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, timedelta, timezone, tzinfo
from itertools import islice
from typing import Any

from sandbox.oracle.backend import Backend, Bind, OracleError, Result, SessionEnded
from sandbox.oracle.wire import columns, messages, requests
from sandbox.oracle.wire.columns import BindType, column_writer, out_writer
from sandbox.oracle.wire.cursors import Cursor, Cursors, Kind
from sandbox.oracle.wire.direct import DirectPath
from sandbox.oracle.wire.lobs import LobStore
from sandbox.oracle.wire.messages import BatchError
from sandbox.oracle.wire.ttc import Reader, sb, ub

LOG = logging.getLogger(__name__)
ROW = bytes([messages.ROW_DATA])
ZONE = re.compile(r"\bTIME_ZONE\s*=\s*'([+-])(\d\d?):(\d\d)'", re.IGNORECASE)
Executed = tuple[list[Result | None], list[BatchError]]
ALTER_SESSION = re.compile(r"\s*ALTER\s+SESSION\b", re.IGNORECASE)


def cancelled() -> OracleError:
    return OracleError(1013, "user requested cancel of current operation")


class ArrayStopped(Exception):
    """A row of an array failed and the rows before it stay: their number, and the error."""

    def __init__(self, error: OracleError, rows_done: int) -> None:
        super().__init__(str(error))
        self.error, self.rows_done = error, rows_done


class Calls:
    """The calls of one session on its backend. `interrupted` says that the client asked for a break."""

    def __init__(self, backend: Backend, interrupted: threading.Event) -> None:
        self.backend, self.interrupted = backend, interrupted
        self.cursors, self.lobs, self.zone = Cursors(), LobStore(), UTC
        self.lock, self.is_running, self.is_closed = threading.Lock(), False, False
        self.direct = DirectPath(backend, self.on_backend)

    @contextmanager
    def running(self) -> Iterator[None]:
        """While this holds, a break reaches the backend. Raises OracleError 1013 where one came before."""
        with self.lock:
            self.is_running = True
        try:
            if self.interrupted.is_set():
                raise cancelled()
            yield
        finally:
            with self.lock:
                self.is_running = False

    def cancel(self) -> None:
        """From the reader's thread: ends what runs now, and nothing that comes after it."""
        with self.lock:
            if self.is_running:
                self.backend.cancel()

    @property
    def status(self) -> int:
        return messages.IN_TRANSACTION if self.backend.in_transaction else 0

    def guarded(self, answer: Callable[[], bytes]) -> bytes:
        """The answer, or the ERROR message. A defect of the backend must not look like a lost connection (ORA-03001)."""
        try:
            return answer()
        except ArrayStopped as stop:
            return self.failure(stop.error, stop.rows_done)
        except OracleError as error:
            return self.failure(error)

    def failure(self, error: OracleError, rows_done: int = 0) -> bytes:
        return messages.error(self.status, error.code, str(error), rows=rows_done, position=error.position)

    def on_backend(self, call: Callable[[], Any]) -> Any:
        """Runs a call; what is no OracleError and no end of the session is told as ORA-03001 with its text."""
        try:
            with self.running():
                return call()
        except (OracleError, ArrayStopped, SessionEnded):
            raise
        except Exception as error:
            LOG.exception("the backend failed")
            raise OracleError(3001, f"unimplemented feature: {type(error).__name__}: {error}") from error

    def commit(self) -> bytes:
        self.on_backend(self.backend.commit)
        return messages.status(self.status)

    def rollback(self) -> bytes:
        self.on_backend(self.backend.rollback)
        return messages.status(self.status)

    def log_off(self) -> bytes:
        """The session is gone from the dictionary before the client hears of it: its user can be dropped at once."""
        self.on_backend(self.backend.rollback)
        answer = messages.status(self.status)
        self.on_backend(self.close)
        return answer

    def close(self) -> None:
        """Ends the session on the backend, once."""
        if not self.is_closed:
            self.is_closed = True
            self.backend.close()

    def run_logon_statement(self, sql: str) -> None:
        """The ALTER SESSION that comes with the logon (the client's time zone); a backend that refuses it is let be."""
        self.note_zone(sql)
        try:
            self.on_backend(lambda: self.backend.execute(sql, []))
        except OracleError as error:
            LOG.debug("logon statement: %s", error)

    def note_zone(self, sql: str) -> None:
        """Values WITH LOCAL TIME ZONE are shown in the session's zone, so the wire must know it."""
        found = ZONE.search(sql) if ALTER_SESSION.match(sql) else None
        if found:
            offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
            self.zone: tzinfo = timezone(-offset if found[1] == "-" else offset)

    # EXECUTE

    def read_execute(self, reader: Reader) -> Callable[[], bytes]:
        """Reads a full EXECUTE; gives what is to be done. Raises OracleError where it cannot even be read."""
        request = requests.execute_request(reader)
        is_new = not request.cursor
        cursor = self.cursors.new() if is_new else self.cursors.get(request.cursor)
        try:
            if request.sql is not None:
                cursor.prepare(request.sql)
            rows = self._read_binds(reader, request, cursor)
        except OracleError:
            if is_new:
                self.cursors.close(cursor.number)
            raise
        return lambda: self._closing_on_error(cursor, is_new, lambda: self._executed(cursor, request, rows))

    def _read_binds(self, reader: Reader, request: requests.ExecuteRequest, cursor: Cursor) -> list[list[Any]]:
        executions = 1 if cursor.kind is Kind.QUERY else request.executions
        if request.define_count:
            cursor.defined, cursor.writers = [bind.number for bind in request.types], None
        elif request.bind_count:
            cursor.bind_types = [bind.ora_type for bind in request.types]  # refuses an unknown type before its bytes are read
            cursor.binds = request.types
            return requests.bind_rows(reader, cursor, executions, self.lobs)
        return [[]] * executions

    def _closing_on_error(self, cursor: Cursor, is_new: bool, answer: Callable[[], bytes]) -> bytes:
        try:
            return answer()
        except (OracleError, ArrayStopped):
            if is_new:
                self.cursors.close(cursor.number)
            raise

    def _executed(self, cursor: Cursor, request: requests.ExecuteRequest, rows: list[list[Any]]) -> bytes:
        if request.flags & requests.SCROLLABLE:
            raise OracleError(3001, "unimplemented feature: scrollable cursors are not simulated")
        if request.options & requests.EXECUTE:
            cursor.wants_row_counts = bool(request.flags & requests.WANTS_ROW_COUNTS)
            wanted = request.rows_wanted if request.options & requests.FETCH else 0
            is_batch = bool(request.options & requests.BATCH_ERRORS)
            return self._run(cursor, rows, wanted, is_batch, bool(request.options & requests.COMMIT))
        if request.options & requests.FETCH or request.define_count:
            return self.fetched(cursor, request.rows_wanted)
        return self._parsed(cursor)

    def _parsed(self, cursor: Cursor) -> bytes:
        """Parse only: the columns of a query, nothing run."""
        found = self.on_backend(lambda: self.backend.describe(cursor.sql))
        return (messages.describe(found) if found else b"") + messages.error(self.status, cursor=cursor.number)

    def read_reexecute(self, reader: Reader, is_fetching: bool) -> Callable[[], bytes]:
        """A cursor once more, with new values of binds whose types are known."""
        cursor_number, count = reader.number(), reader.count(requests.MOST_ROWS, "rows")
        reader.number()
        commits = bool(reader.number() & 1)
        cursor = self.cursors.get(cursor_number)
        executions = 1 if is_fetching else count
        rows = requests.bind_rows(reader, cursor, executions, self.lobs) if cursor.binds else [[]] * executions
        return lambda: self._run(cursor, rows, count if is_fetching else 0, False, commits)

    def _run(self, cursor: Cursor, rows: list[list[Any]], wanted: int, is_batch: bool, commits: bool) -> bytes:
        """Executes and answers according to the kind of statement."""
        self.note_zone(cursor.sql)
        if cursor.kind is Kind.QUERY:
            return self._query(cursor, rows[0], wanted)
        return self._array(cursor, rows, is_batch, commits)

    def _execute(self, cursor: Cursor, row: Sequence[Any]) -> Result:
        if self.interrupted.is_set():
            raise cancelled()
        types = zip(cursor.bind_types, row, cursor.binds, strict=bool(row))
        binds = [Bind(kind, value, bind.size) for kind, value, bind in types]
        return self.backend.execute(cursor.sql, binds)

    def _query(self, cursor: Cursor, row: list[Any], wanted: int) -> bytes:
        result = self.on_backend(lambda: self._execute(cursor, row))
        if result.columns is None:
            return messages.error(self.status, cursor=cursor.number, rows=result.rowcount)
        cursor.open_rows(result.columns, iter(result.rows))
        if cursor.told_columns is not None:
            return self.fetched(cursor, wanted)
        cursor.told_columns = result.columns
        told = messages.describe(result.columns)
        if any(number in columns.LOB_TYPES for number in cursor.type_numbers):
            return told + messages.error(self.status, cursor=cursor.number)  # the client first says how it wants LOBs
        return told + self.fetched(cursor, wanted)

    # rows

    def fetched(self, cursor: Cursor, wanted: int) -> bytes:
        """Up to `wanted` rows, and ORA-01403 where there are no more."""
        if cursor.columns is None:
            raise OracleError(1002, "fetch out of sequence")
        if cursor.writers is None:
            cursor.writers = [self._writer(number) for number in cursor.type_numbers]
        parts, count = self.on_backend(lambda: self._written_rows(cursor, wanted))
        cursor.fetched += count
        if wanted and count < wanted:
            end = messages.NO_DATA_FOUND, "ORA-01403: no data found"
            return parts + messages.error(self.status, *end, cursor=cursor.number, rows=cursor.fetched)
        return parts + messages.error(self.status, cursor=cursor.number, rows=cursor.fetched)

    def _written_rows(self, cursor: Cursor, wanted: int) -> tuple[bytes, int]:
        writers, parts, count = cursor.writers or [], [messages.row_header()], 0
        for row in islice(cursor.rows, wanted):
            parts.append(ROW)
            parts += [write(value) for write, value in zip(writers, row, strict=True)]
            count += 1
            if count & 0xFF == 0 and self.interrupted.is_set():
                raise cancelled()
        return (b"".join(parts) if count else b""), count

    def _writer(self, number: int) -> Callable[[Any], bytes]:
        return self.write_cursor if number == columns.CURSOR else column_writer(number, self.lobs, self.zone)

    def write_cursor(self, value: Any) -> bytes:
        """A REF CURSOR: its description and the number by which its rows are fetched."""
        if not isinstance(value, Result) or value.columns is None:
            raise OracleError(1001, "invalid cursor")
        cursor = self.cursors.new()
        cursor.kind, cursor.told_columns = Kind.QUERY, value.columns
        cursor.open_rows(value.columns, iter(value.rows))
        return b"\1" + messages.described(value.columns) + ub(cursor.number)

    # DML, PL/SQL, DDL

    def _array(self, cursor: Cursor, rows: list[list[Any]], is_batch: bool, commits: bool) -> bytes:
        results, batch = self.on_backend(lambda: self._execute_each(cursor, rows, is_batch))
        if commits:
            self.on_backend(self.backend.commit)
        values = self._values_back(cursor, [result for result in results if result is not None])
        counts = [result.rowcount if result else 0 for result in results]
        told = messages.row_counts(counts) if cursor.wants_row_counts else b""
        code, text = (messages.ARRAY_ERRORS, "ORA-24381: error(s) in array DML") if batch else (0, "")
        return values + told + messages.error(self.status, code, text, cursor.number, sum(counts), batch=batch)

    def _execute_each(
        self, cursor: Cursor, rows: list[list[Any]], is_batch: bool
    ) -> tuple[list[Result | None], list[BatchError]]:
        """One execution per row. Without batch errors the first bad row ends it; the rows before it stay changed."""
        results: list[Result | None] = []
        batch: list[BatchError] = []
        for offset, row in enumerate(rows):
            try:
                results.append(self._execute(cursor, row))
            except OracleError as error:
                if not is_batch or error.code == cancelled().code:
                    raise ArrayStopped(error, sum(result.rowcount for result in results if result)) from error
                batch.append(BatchError(error.code, offset, str(error)))
                results.append(None)
        return results, batch

    def _values_back(self, cursor: Cursor, results: list[Result]) -> bytes:
        if cursor.returned:
            return b"".join(ROW + self._returned(cursor, result) for result in results)
        if cursor.kind is not Kind.PLSQL or not cursor.binds:
            return b""
        outs = {place for result in results for place in result.outs}
        vector = [messages.DIRECTION_IN_OUT if place in outs else messages.DIRECTION_IN for place in range(len(cursor.binds))]
        rows = (ROW + b"".join(self._out(cursor.binds[p], r.outs.get(p)) for p in sorted(outs)) for r in results)
        return messages.io_vector(vector) + (b"".join(rows) if outs else b"")

    def _returned(self, cursor: Cursor, result: Result) -> bytes:
        """DML RETURNING: for each of its binds the number of rows, and their values."""
        parts = []
        for place in sorted(cursor.returned):
            given = result.outs.get(place, [])
            listed = list(given) if isinstance(given, list | tuple) else [given]
            parts.append(ub(len(listed)) + b"".join(self._one_out(cursor.binds[place], value) for value in listed))
        return b"".join(parts)

    def _out(self, bind: BindType, value: Any) -> bytes:
        if not bind.is_array:
            return self._one_out(bind, value)
        listed = list(value or [])
        return ub(len(listed)) + b"".join(self._one_out(bind, element) for element in listed)

    def _one_out(self, bind: BindType, value: Any) -> bytes:
        """One value that comes back, and the zero that says it was not cut short."""
        if bind.number == columns.CURSOR:
            return self.write_cursor(value) + sb(0)
        is_short = bind.number in (columns.VARCHAR, columns.CHAR, columns.RAW)
        size = len(value.encode() if isinstance(value, str) else value) if is_short and isinstance(value, str | bytes) else 0
        if size > bind.size:
            raise OracleError(6502, "PL/SQL: numeric or value error: character string buffer too small")
        return out_writer(bind.number, self.lobs, self.zone)(value) + sb(0)
