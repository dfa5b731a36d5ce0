"""One client from CONNECT to its end: handshake, logon, then requests one after another, and what a break needs.

A break: the client sends a MARKER (INTERRUPT, or BREAK after an error of its own) and waits. The server ends the running
call, withholds its answer, sends a BREAK marker, waits for the client's RESET marker, sends RESET and one ERROR message.
If the break comes when the answer is already on its way, the client may have sent its next request by the time it sees
our BREAK marker; that request is kept and answered after the reset, so that nobody sees an ORA-01013 that is not his.
A client of asyncio may even have dropped our BREAK marker with the rest of the old answer; then no RESET ever comes, and
the request is answered without one.
"""

from __future__ import annotations

import logging
import queue
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.oracle.backend import OracleError, SessionEnded
from sandbox.oracle.wire import auth, direct, lobcalls, messages, packets, requests
from sandbox.oracle.wire.calls import Calls, cancelled
from sandbox.oracle.wire.channel import Channel, Gone
from sandbox.oracle.wire.lobs import LOCATOR_BYTES
from sandbox.oracle.wire.ttc import Malformed, Reader, sized

if TYPE_CHECKING:
    from sandbox.oracle.server import OracleServer

LOG = logging.getLogger(__name__)
FIELD_VERSION = 12  # of 19.1
BANNER = b"Oracle simulator (drydock)"
FETCH, REEXECUTE, REEXECUTE_AND_FETCH, EXECUTE, COMMIT, ROLLBACK, LOGOFF, PING, LOB_OPERATION = 5, 4, 78, 94, 14, 15, 9, 147, 96
SET_SCHEMA, SESSION_STATE, END_TO_END, CLOSE_CURSORS, APP_CONTEXT = 152, 176, 135, 105, 154
DRAIN_TIMEOUT_S = 0.2
RESET_TIMEOUT_S = 0.3


class Interrupted(Exception):
    """A break came where a request was being read. `is_partial`: some of the request had been read."""

    def __init__(self, is_partial: bool) -> None:
        super().__init__()
        self.is_partial = is_partial


class Session:
    """One client's session; `serve` runs it to its end in the calling thread."""

    def __init__(self, server: OracleServer, connection: socket.socket) -> None:
        self.server = server
        self.channel = Channel(connection, self._on_break)
        self.calls: Calls | None = None
        self.service, self.sid, self.serial = "", 0, 0
        self.held: list[bytes] = []
        self.last_answer, self.is_reset_open = b"", False
        self.last_packet_bytes = 0

    def _on_break(self) -> None:
        if self.calls:
            self.calls.cancel()

    def serve(self) -> None:
        """Runs the session. Nothing that a client sends raises anything out of here."""
        try:
            if self._handshake() and self._logon():
                self.channel.expect_no_deadline()
                while True:
                    self._one_request()
        except (Gone, SessionEnded, Interrupted, OSError):
            pass
        except Malformed as error:
            LOG.warning("session %s ends: %s", self.sid, error)
        finally:
            self.end()

    def abort(self) -> None:
        """Ends the session from another thread: the wire is cut, and what runs is cancelled."""
        self.channel.cut()
        self._on_break()

    def end(self) -> None:
        """Gives back what the session holds: the backend rolls back, the socket is closed."""
        try:
            if self.calls:
                self.calls.close()
        except Exception:
            LOG.exception("closing the session of SID %s failed", self.sid)
        finally:
            self.channel.close()

    # handshake and logon

    def _handshake(self) -> bool:
        """CONNECT up to ACCEPT; False where the client was refused or sent elsewhere."""
        packet = self.channel.receive()
        if packet.type != packets.CONNECT:
            raise Malformed("no CONNECT packet")
        request = packets.connect_request(packet.payload)
        descriptor = request.descriptor
        if len(descriptor) < request.data_bytes:
            descriptor = self.channel.receive().payload.decode(errors="replace")
        answer = self._refused_or_redirected(descriptor)
        if answer:
            self.channel.send(answer)
            return False
        self.channel.sdu = request.sdu
        self.channel.send(packets.accept(request.sdu))
        self.channel.start_reading()
        return True

    def _refused_or_redirected(self, descriptor: str) -> bytes | None:
        if self.server.redirect_to:
            return packets.redirect(*self.server.redirect_to, descriptor)
        service, sid = packets.named_in(descriptor, "SERVICE_NAME"), packets.named_in(descriptor, "SID")
        self.service = service if service is not None else sid or ""
        if self.server.accounts.service_exists(self.service):
            return None
        return packets.refuse(packets.UNKNOWN_SID if service is None and sid else packets.UNKNOWN_SERVICE, self.service)

    def _logon(self) -> bool:
        """Protocol and data types are exchanged, then the user proves the password; False where he cannot."""
        self._request().raw(1)
        self.channel.send_response(_protocol_answer())
        self._read_data_types(self._request())
        self.channel.send_response(bytes([messages.DATA_TYPES, 0, 0]))
        opening = auth.auth_request(self._request())
        user = auth.user_name(opening.user)
        locked, password = None, None
        try:
            password = self.server.accounts.password_of(user)
        except OracleError as error:
            locked = error
        handshake = auth.Handshake(password)
        verifier = {"AUTH_VFR_DATA": auth.VERIFIER_11G}
        self.channel.send_response(messages.key_values(handshake.challenge(), verifier) + messages.status(0))
        closing = auth.auth_request(self._request())
        try:
            if locked:
                raise locked
            handshake.check(closing.pairs)
            self._open(user, opening.pairs, closing.pairs, handshake)
        except OracleError as error:
            self.channel.send_response(messages.error(0, error.code, str(error)))
            return False
        return True

    def _read_data_types(self, reader: Reader) -> None:
        """The client's character sets, capabilities and types (pairs of 8 bytes up to a zero); nothing in it is needed."""
        if reader.u8() != messages.DATA_TYPES:
            raise Malformed("no data types where they must be")
        reader.raw(5)
        reader.sized()
        reader.sized()
        while reader.u16():
            if reader.u16():
                reader.raw(4)

    def _open(self, user: str, opening: dict[str, str], closing: dict[str, str], handshake: auth.Handshake) -> None:
        """Opens the backend's session and tells the client who it is. Raises OracleError."""
        names = {"AUTH_PROGRAM_NM": "program", "AUTH_MACHINE": "machine", "AUTH_SID": "osuser", "AUTH_TERMINAL": "terminal"}
        client = {ours: opening.get(theirs, "") for theirs, ours in names.items()}
        client |= {"process": opening.get("AUTH_PID", ""), "driver": closing.get("SESSION_CLIENT_DRIVER_NAME", "")}
        backend, self.sid, self.serial = self.server.accounts.open_session(user, self.service, client)
        self.calls = Calls(backend, self.channel.interrupted)
        self.calls.run_logon_statement(closing.get("AUTH_ALTER_SESSION", "").rstrip("\0"))
        name = self.server.database_name or self.service.split(".")[0]
        told = {
            "AUTH_SVR_RESPONSE": handshake.proof(),
            "AUTH_VERSION_NO": str(_version_number(self.server.version)),
            "AUTH_SESSION_ID": str(self.sid),
            "AUTH_SERIAL_NUM": str(self.serial),
            "AUTH_SC_SERVICE_NAME": self.service,
            "AUTH_SC_DBUNIQUE_NAME": name,
            "AUTH_DBNAME": name,
            "AUTH_INSTANCENAME": name,
            "AUTH_MAX_OPEN_CURSORS": "1000",
            "AUTH_MAX_IDEN_LENGTH": "128",
        }
        self.channel.send_response(messages.key_values(told) + messages.status(0))

    # requests

    def _request(self) -> Reader:
        """The next request, waiting for its first packet. Raises Interrupted for a break, Gone."""
        if self.held:
            return Reader(self.held.pop(0), self._more)
        packet = self.channel.next()
        while packet.type != packets.DATA:
            if packet.marker in (packets.BREAK, packets.INTERRUPT):
                raise Interrupted(is_partial=False)
            if packet.marker == packets.RESET:
                self._late_reset()
            elif packet.type != packets.MARKER:
                raise Malformed(f"a packet of type {packet.type} where a request must be")
            packet = self.channel.next()
        self.last_packet_bytes = len(packet.payload)
        return Reader(packet.payload, self._more)

    def _more(self) -> bytes:
        """The next packet of the request that is being read."""
        if self.held:
            return self.held.pop(0)
        packet = self.channel.next()
        if packet.marker in (packets.BREAK, packets.INTERRUPT):
            raise Interrupted(is_partial=True)
        if packet.type != packets.DATA or not packet.payload:
            raise Malformed(f"a packet of type {packet.type} within a request")
        self.last_packet_bytes = len(packet.payload)
        return packet.payload

    def _one_request(self) -> None:
        try:
            answer = self._answer(self._request())
        except Interrupted as interruption:
            self._recover(interruption.is_partial)
            return
        if self.channel.interrupted.is_set():
            self._recover(is_call_lost=True)
        elif answer is not None:
            self.last_answer, self.is_reset_open = (answer if self.is_reset_open else b""), False
            self.channel.send_response(answer)

    def _recover(self, is_call_lost: bool) -> None:
        """The exchange of markers after a break; ORA-01013 unless a new request waits and no call was lost."""
        self.channel.send(packets.marker(packets.BREAK))
        waiting: list[bytes] = []
        try:
            while (
                packet := self.channel.next(RESET_TIMEOUT_S if waiting and not is_call_lost else None)
            ).marker != packets.RESET:
                if packet.type == packets.DATA:
                    waiting.append(packet.payload)
        except TimeoutError:
            self.held, self.is_reset_open = waiting, True
            self.channel.interrupted.clear()
            return
        self.channel.interrupted.clear()
        self.channel.send(packets.marker(packets.RESET))
        if waiting and not is_call_lost:
            self.held = waiting
        else:
            self.channel.send_response(self._cancelled())

    def _cancelled(self) -> bytes:
        return messages.error(self.calls.status if self.calls else 0, cancelled().code, str(cancelled()))

    def _late_reset(self) -> None:
        """A RESET that came after all: the client has thrown away what it was sent before it, so it gets that again."""
        self.channel.send(packets.marker(packets.RESET))
        self.channel.send_response(self.last_answer or self._cancelled())

    def _answer(self, reader: Reader) -> bytes | None:
        """Reads one request and answers it; None where none is expected (a one-way message)."""
        calls = self._calls
        try:
            todo = self._read(reader)
        except OracleError as error:
            self._drain()
            return calls.failure(error)
        return calls.guarded(todo) if todo else None

    @property
    def _calls(self) -> Calls:
        if self.calls is None:
            raise Malformed("a request before the logon")
        return self.calls

    def _drain(self) -> None:
        """Takes what is left of a request that could not be read to its end: packets follow a full one at once."""
        self.held = []
        full = self.channel.sdu - packets.DATA_HEADER_BYTES - 16
        while self.last_packet_bytes >= full:
            try:
                packet = self.channel.queue.get(timeout=DRAIN_TIMEOUT_S)
            except queue.Empty:
                return
            if packet is None or packet.type != packets.DATA:
                self.channel.queue.put(packet)
                return
            self.last_packet_bytes = len(packet.payload)

    def _read(self, reader: Reader) -> Callable[[], bytes] | None:
        """Piggybacks, then the function; gives what is to be done. Raises OracleError 3120 for an unknown one."""
        while (kind := reader.u8()) == messages.PIGGYBACK:
            self._piggyback(reader)
        function = reader.raw(2)[0]
        if kind == messages.ONE_WAY:
            return None
        if kind != messages.FUNCTION:
            raise Malformed(f"a message of type {kind} where a request must be")
        calls = self._calls
        if function == EXECUTE:
            return calls.read_execute(reader)
        if function in (REEXECUTE, REEXECUTE_AND_FETCH):
            return calls.read_reexecute(reader, is_fetching=function == REEXECUTE_AND_FETCH)
        if function == FETCH:
            number, wanted = reader.number(), reader.count(1 << 32, "rows")
            return lambda: calls.fetched(calls.cursors.get(number), wanted)
        if function == LOB_OPERATION:
            request = requests.lob_request(reader)
            return lambda: lobcalls.answered(calls.lobs, request, calls.status)
        if function in (direct.PREPARE, direct.LOAD_STREAM, direct.OPERATION):
            return calls.direct.read(function, reader)
        simple = {COMMIT: calls.commit, ROLLBACK: calls.rollback, LOGOFF: calls.log_off, PING: self._ping}
        if function not in simple:
            raise OracleError(3120, f"two-task conversion routine: TTC function {function} is not simulated")
        return simple[function]

    def _ping(self) -> bytes:
        return messages.status(self._calls.status)

    def _piggyback(self, reader: Reader) -> None:
        """What travels before a request without an answer of its own."""
        function, calls = reader.raw(2)[0], self._calls
        if function == CLOSE_CURSORS:
            for number in requests.cursors_to_close(reader):
                calls.cursors.close(number)
        elif function == END_TO_END:
            calls.backend.attributes.update(requests.end_to_end(reader))
        elif function == SET_SCHEMA:
            reader.u8()
            calls.backend.attributes["current_schema"] = reader.text()
        elif function == LOB_OPERATION:
            for locator in requests.lobs_to_free(reader, LOCATOR_BYTES):
                calls.lobs.free(locator)
        elif function == SESSION_STATE:
            reader.number()
        elif function == APP_CONTEXT:
            requests.application_context(reader)
        else:
            raise OracleError(3120, f"two-task conversion routine: TTC piggyback {function} is not simulated")


def _version_number(version: str) -> int:
    """19.25.0.0.0 as AUTH_VERSION_NO holds it since 18c: 8, 8, 4, 8 and 4 bits."""
    parts = [int(part) for part in version.split(".")]
    first, second, third, fourth, fifth = (parts + [0] * 5)[:5]
    return first << 24 | second << 16 | third << 12 | fourth << 4 | fifth


def _protocol_answer() -> bytes:
    """Server version 6, banner, character sets (873 AL32UTF8, 2000 AL16UTF16), capabilities at compile and run time."""
    compiled, at_run = bytearray(45), bytearray(11)
    compiled[7] = FIELD_VERSION
    at_run[6] = 4  # strings up to 32767 bytes
    charsets = bytes(9) + (2000).to_bytes(2, "big")
    head = bytes([messages.PROTOCOL, 6, 0]) + BANNER + b"\0" + (873).to_bytes(2, "little") + b"\0\0\0"
    return head + len(charsets).to_bytes(2, "big") + charsets + sized(bytes(compiled)) + sized(bytes(at_run))
