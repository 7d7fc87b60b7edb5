"""Events are read as they were written, by whatever release."""

import zlib

from nba_pipeline.orchestration.event_log import packing

EVENT = f"{packing.EVENT_START}, " + '"message": "é", ' * 3000 + "}"


def test_an_event_is_read_as_it_was_written() -> None:
    assert packing.unpack(packing.pack(EVENT)) == EVENT


def test_an_event_that_was_packed_with_the_largest_window_is_read() -> None:
    words = packing._dictionary(1)  # pyright: ignore[reportPrivateUsage]
    compressor = zlib.compressobj(6, zlib.DEFLATED, 15, 6, zdict=words)
    stored = b"\x01" + compressor.compress(EVENT.encode()) + compressor.flush()
    assert packing.unpack(stored) == EVENT
