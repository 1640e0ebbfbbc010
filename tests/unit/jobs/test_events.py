import json
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrstudio.domain.errors import ProtocolError
from ocrstudio.jobs.events import (
    Event,
    EventFollower,
    EventStream,
    EventWriter,
    Gap,
    UnknownVersionError,
    decode,
    encode,
    last_event,
    newest_first,
    read_events,
)

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.text(min_size=1).filter(lambda name: name not in {"v", "seq", "time", "type"})


@given(st.integers(1, 10**9), st.text(min_size=1), st.dictionaries(_NAMES, _JSON, max_size=4))
def test_an_event_survives_its_line(seq, kind, data):
    line = encode(Event(seq, 12.5, kind, data))
    assert "\n" not in line
    assert decode(line) == Event(seq, 12.5, kind, data)


def test_a_number_that_is_not_finite_becomes_null_and_the_line_stays_json():
    line = encode(Event(1, 0.0, "metric", {"values": {"loss": float("nan"), "peak": float("inf")}}))
    assert json.loads(line, parse_constant=pytest.fail)["values"] == {"loss": None, "peak": None}


def test_reserved_fields_and_unwritable_values_are_refused():
    with pytest.raises(ProtocolError, match="seq"):
        encode(Event(1, 0.0, "metric", {"seq": 3}))
    with pytest.raises(ProtocolError, match="object"):
        encode(Event(1, 0.0, "metric", {"value": object()}))


def test_another_version_is_an_error_and_an_unknown_type_is_not():
    with pytest.raises(UnknownVersionError, match="format 2"):
        decode('{"v":2,"seq":1,"time":0,"type":"started"}')
    assert decode('{"v":1,"seq":1,"time":0,"type":"of_the_future","x":1}').data == {"x": 1}


def test_numbers_go_on_when_the_log_is_opened_again(tmp_path: Path):
    log = tmp_path / "events.jsonl"
    for _ in range(2):
        with EventWriter(log) as writer:
            writer.write("phase", {"name": "a"})
            writer.write("phase", {"name": "b"})
    assert [event.seq for event in read_events(log)] == [1, 2, 3, 4]
    assert [event.seq for event in read_events(log, after=3)] == [4]


def test_a_half_written_last_line_is_waited_for_then_cut_by_the_next_writer(tmp_path: Path):
    log = tmp_path / "events.jsonl"
    with EventWriter(log) as writer:
        writer.write("phase", {"name": "a"})
    follower = EventFollower(log)
    with log.open("ab") as file:
        file.write(b'{"v":1,"seq":2,"ti')
    assert [event.seq for event in follower.poll()] == [1]
    assert follower.poll() == []
    with EventWriter(log) as writer:
        writer.write("phase", {"name": "after the crash"})
    found = follower.poll()
    assert [(event.seq, event.data["name"]) for event in found] == [(2, "after the crash")]
    assert follower.gaps == []


def test_a_damaged_line_is_skipped_and_shows_up_as_a_gap(tmp_path: Path):
    log = tmp_path / "events.jsonl"
    lines = [encode(Event(seq, 0.0, "metric")) for seq in range(1, 7)]
    lines[2] = "\0" * 40
    del lines[4]
    log.write_text("\n".join(lines) + "\n")
    follower = EventFollower(log)
    assert [event.seq for event in follower.poll()] == [1, 2, 4, 6]
    assert follower.gaps == [Gap(3, 3), Gap(5, 5)]
    assert follower.stream.damaged_lines == 1


def test_lines_seen_before_are_dropped():
    stream = EventStream(after=2)
    assert stream.accept(encode(Event(2, 0.0, "metric"))) is None
    assert stream.accept(encode(Event(3, 0.0, "metric"))) is not None
    assert stream.gaps == []


def test_the_log_can_be_read_backwards_over_many_blocks(tmp_path: Path):
    log = tmp_path / "events.jsonl"
    with EventWriter(log) as writer:
        for step in range(3000):
            writer.write("metric", {"step": step, "filler": "ö" * 40})
    with log.open("ab") as file:
        file.write(b'{"half')
    assert [event.seq for event in newest_first(log)] == list(range(3000, 0, -1))
    last = last_event(log)
    assert last is not None
    assert last.data["step"] == 2999
    assert last_event(tmp_path / "absent") is None


def test_a_long_log_and_a_very_long_line_arrive_whole(tmp_path: Path):
    log = tmp_path / "events.jsonl"
    with EventWriter(log) as writer:
        for size in (10, 3_000_000, 10, 900_000, 900_000):
            writer.write("sample", {"text": "x" * size})
    assert [len(event.data["text"]) for event in read_events(log)] == [10, 3_000_000, 10, 900_000, 900_000]
    follower = EventFollower(log)
    portions = [len(follower.poll_lines())]
    while follower.is_behind:
        portions.append(len(follower.poll_lines()))
    assert sum(portions) == 5
    assert len(portions) > 1


def test_threads_write_whole_lines_in_order(tmp_path: Path):
    log = tmp_path / "events.jsonl"
    with EventWriter(log) as writer:
        threads = [
            threading.Thread(target=lambda: [writer.write("metric") for _ in range(200)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [event.seq for event in read_events(log)] == list(range(1, 801))


def test_a_full_disk_delays_events_and_loses_none(tmp_path: Path, monkeypatch, capsys):
    log = tmp_path / "events.jsonl"
    real_write = __import__("os").write
    room = [60]

    def small_disk(descriptor: int, block: bytes) -> int:
        if room[0] <= 0:
            raise OSError(28, "No space left on device")
        part = block[: room[0]]
        room[0] -= len(part)
        return real_write(descriptor, part)

    with EventWriter(log) as writer:
        monkeypatch.setattr("ocrstudio.jobs.events.os.write", small_disk)
        for step in range(5):
            writer.write("metric", {"step": step})
        assert log.read_bytes().endswith(b"\n") or log.read_bytes() == b""
        assert len(read_events(log)) < 5
        room[0] = 10**6
        writer.write("warning", {"message": "space again"})
    assert [event.seq for event in read_events(log)] == [1, 2, 3, 4, 5, 6]
    assert capsys.readouterr().err.count("No space left") <= 1
