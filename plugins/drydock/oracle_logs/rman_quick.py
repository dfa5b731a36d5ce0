"""The quick way through a log of RMAN: lines of known shapes do at once what they do, others are looked at closely.

Gives the same answer as looking at each line closely. What a shape does is known (rman_shapes) only while no error stack
is open, no other tool speaks and no line is broken; the reader says so. Memory is bounded: shapes are forgotten when they
are too many.
"""

from __future__ import annotations

from collections.abc import Callable

from drydock.oracle_logs.rman_lines import Wrapper, without_collector
from drydock.oracle_logs.rman_pieces import Channel, Pieces
from drydock.oracle_logs.rman_shapes import CLOSELY, DEBUG, SHAPE, What, rough, told_by
from drydock.oracle_logs.rman_tables import Table, Tables

MOST_SHAPES = 4096  # of each kind of table, some 1 MB at most
LONGEST_SHAPE_BYTES = 400

# What to do; where the channel, the value and the text behind a prefix stand; flag and kind of rman_shapes.Told.
Act = tuple[Callable[[bytes, "Act"], bool], slice | None, slice | None, bool, slice, What]
UNKNOWN: dict[bytes, Act] = {}  # while nothing is known


def shapes_of(lines: list[bytes]) -> list[bytes]:
    """The shape of each line: digits turned to 0."""
    return b"\n".join(lines).translate(SHAPE).split(b"\n") if lines else []


class Quick:
    """What is known of shapes, and the acts of lines. An act returns False for a line that must be looked at closely."""

    def __init__(self, pieces: Pieces, tables: Tables, wrapper: Wrapper) -> None:
        self.pieces, self.tables, self.wrapper = pieces, tables, wrapper
        self.is_speaking = False  # a channel has spoken: RMAN's own output
        self.name = b""  # of the program
        self.dropped: Act = (_drop, None, None, False, slice(0, None), What.DROPPED)
        self.nothing: Act = (self._nothing, None, None, False, slice(0, None), What.NOTHING)
        self._known: dict[Table | None, tuple[dict[bytes, Act], dict[bytes, Act]]] = {}  # by shape, by rough shape
        self._rough: dict[bytes, Act] = {}  # by rough shape, for the table that is open
        self._channels: frozenset[bytes] = frozenset()  # as shapes
        self._valid_for: tuple[object, ...] = ()
        self._acts: dict[What, Callable[[bytes, Act], bool]] = {
            What.DROPPED: _drop,
            What.CLOSELY: _look,
            What.ROW: _look,
            What.WORK: _look,
            What.NOTHING: self._nothing,
            What.NO_BLOCKS: self._no_blocks,
            What.CHANNEL: self._channel,
            What.SCANNED: self._scanned,
            What.BEGUN: self._begun,
            What.RESTORING: self._restoring,
            What.READ: self._read,
            What.COMPLETED: self._completed,
            What.INPUT: self._input,
            What.WRITTEN: self._written,
            What.RECORD: self._record,
            What.AVAILABLE: self._available,
            What.FIELD: self._field,
        }

    def known(self, name: bytes) -> dict[bytes, Act]:
        """Acts by shape, as things stand. All is forgotten where a line may read otherwise than it did before."""
        valid_for = (name, len(self.pieces.channels), self.wrapper.prefix)
        if valid_for != self._valid_for:
            self._known.clear()
            self._valid_for, self.name = valid_for, name.translate(SHAPE)
            self._channels = frozenset(channel.translate(SHAPE) for channel in self.pieces.channels)
        known, self._rough = self._known.setdefault(self.tables.table, ({}, {}))
        return known

    def learn(self, known: dict[bytes, Act], line: bytes, shape: bytes) -> Act:
        """The act of a line whose shape is not known, kept for the next line of that shape."""
        if self.wrapper.prefix is not None:
            act = self._act(shape)  # a made-up name may stand in the prefix, and what it is read as is not known
            _keep(known, shape, act)
            return act
        if line.startswith(b"DBG") and DEBUG.match(line):
            return self.dropped  # each of them has a shape of its own
        plain = rough(shape)
        act = self._rough.get(plain)
        if act is None:
            act = self._act(plain)
            _keep(self._rough, plain, act)
        _keep(known, shape, act)
        return act

    def _act(self, shape: bytes) -> Act:
        bare = shape if not shape or shape.isspace() else self.wrapper.strip_known(without_collector(shape))
        told = CLOSELY if bare is None else told_by(bare, self.tables.table, self.name, self._channels)
        before = len(shape) - len(bare or b"")
        if told.what is What.NOTHING and not before:
            return self.nothing
        if told.what is What.DROPPED:
            return self.dropped
        channel, value = _later(told.channel, before), _later(told.value, before)
        return (self._acts[told.what], channel, value, told.flag, slice(before, None), told.what)

    def _nothing(self, line: bytes, act: Act) -> bool:
        self.tables.header = line[act[4]]
        return True

    def _no_blocks(self, line: bytes, act: Act) -> bool:
        self.tables.header = line[act[4]]
        return line[act[2]] == b"0"

    def _state(self, line: bytes, act: Act) -> Channel | None:
        """The channel that the line is about is at work now; None for a new one."""
        state = self.pieces.channels.get(line[act[1]])
        if state is not None:
            self.pieces.current = state
            self.is_speaking = True
        return state

    def _channel(self, line: bytes, act: Act) -> bool:
        return self._state(line, act) is not None

    def _scanned(self, line: bytes, act: Act) -> bool:
        if self._state(line, act) is None:
            return False
        self.pieces.logs_scanned += act[3]
        self.pieces.worked = True
        return True

    def _begun(self, line: bytes, act: Act) -> bool:
        state = self._state(line, act)
        if state is None:
            return False
        state.begin(line[act[2]])
        return True

    def _restoring(self, line: bytes, act: Act) -> bool:
        state = self._state(line, act)
        if state is None:
            return False
        state.restoring.add(int(line[act[2]]))
        return True

    def _read(self, line: bytes, act: Act) -> bool:
        state = self._state(line, act)
        if state is None:
            return False
        self.pieces.read_piece(line[act[2]], state)
        return True

    def _completed(self, line: bytes, act: Act) -> bool:
        state = self._state(line, act)
        if state is None:
            return False
        self.pieces.completed(state)
        return True

    def _input(self, line: bytes, act: Act) -> bool:
        if not self._field(line, act):
            return False
        if self.pieces.current is not None:
            self.pieces.current.inputs.add(int(line[act[2]]))
        return True

    def _written(self, line: bytes, act: Act) -> bool:
        if not self._field(line, act):
            return False
        self.pieces.written(line[act[2]])
        return True

    def _record(self, line: bytes, act: Act) -> bool:
        pieces = self.pieces
        if pieces.checked:
            return False
        self.tables.header = line[act[4]]
        if pieces.checked is None:
            pieces.recorded(act[3])
        else:
            pieces.crosschecked += 1
            pieces.worked, pieces.checked = True, None
        return True

    def _available(self, line: bytes, act: Act) -> bool:
        if self.pieces.checked:
            return False
        self.tables.header = line[act[4]]
        self.pieces.checked = False
        return True

    def _field(self, line: bytes, act: Act) -> bool:
        if self.pieces.checked is not None:
            return False
        self.tables.header = line[act[4]]
        return True


def _keep(known: dict[bytes, Act], shape: bytes, act: Act) -> None:
    if len(shape) <= LONGEST_SHAPE_BYTES:
        if len(known) >= MOST_SHAPES:
            known.clear()
        known[shape] = act


def _drop(_line: bytes, _act: Act) -> bool:
    return True


def _look(_line: bytes, _act: Act) -> bool:
    return False


def _later(place: slice | None, by: int) -> slice | None:
    return slice(place.start + by, place.stop + by) if place else None
