"""Who publishes here, and what a key means: the plant as hash tables that kernels read.

A hash only finds a candidate; the bytes decide, for collisions can be crafted.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from devices.readings import I32, I64, U8
from ingest.kernels import inlined, kernel
from ingest.wide import mix, same

# Columns of Tables.meters
TOPIC: Final = 0  # where the topic stands in `names`
TOPIC_SIZE: Final = 1
NAME: Final = 2
NAME_SIZE: Final = 3
BASE: Final = 4  # row of the plant's channels that the slots' offsets count from
FIRST: Final = 5  # its shape's first slot; -1: this meter is the definition's
SHAPE: Final = 6
# Columns of Tables.slots
KEY: Final = 0
KEY_SIZE: Final = 1
KEY_SHAPE: Final = 2
OFFSET: Final = 3
LOW: Final = 4
HIGH: Final = 5
PLACES: Final = 6  # step = units * 10**-places
UNITS: Final = 7
ROOM: Final = 8  # greatest n with units * 10**n <= 10**18


class Tables(NamedTuple):
    """What the pass must know of a plant. Meters whose channels have the same keys and rulers share a shape."""

    names: U8  # topics, meter names and keys
    topics: I64  # open addressing by `mix(topic)`: high half of the hash, low half the meter; -1: empty
    meters: I32  # a row a meter
    keys: I32  # open addressing by `mix(key) + shape`: the slot; -1: empty
    slots: I64  # a row a key of a shape; the shape's slots stand together; one more at the end, nobody's
    largest: I64  # [1]: bytes of a payload


@inlined
def meter(body: U8, at: int, size: int, tables: Tables) -> int:
    """The meter of a topic, or -1. The hash finds a candidate, the bytes decide: collisions can be crafted."""
    found = mix(body, at, size)
    tag, last = found >> 31, len(tables.topics) - 1
    k = found & last
    while tables.topics[k] >= 0:
        if tables.topics[k] >> 32 == tag:
            meter = tables.topics[k] & 0x7FFFFFFF
            there = tables.meters[meter, TOPIC]
            if tables.meters[meter, TOPIC_SIZE] == size and same(body, at, tables.names, there, size):
                return meter  # type: ignore[no-any-return] # an int to numba
        k = (k + 1) & last
    return -1


@kernel
def slot(body: U8, at: int, size: int, shape: int, tables: Tables) -> int:
    """The slot of a key in a shape, or -1."""
    last = len(tables.keys) - 1
    k = (mix(body, at, size) + shape) & last
    while tables.keys[k] >= 0:
        slot = tables.keys[k]
        alike = tables.slots[slot, KEY_SHAPE] == shape and tables.slots[slot, KEY_SIZE] == size
        if alike and same(body, at, tables.names, tables.slots[slot, KEY], size):
            return slot  # type: ignore[no-any-return] # an int to numba
        k = (k + 1) & last
    return -1


@kernel
def enter(tables: Tables) -> None:
    """Fill the hash tables from `meters` and `slots`."""
    for meter in range(len(tables.meters)):
        size = tables.meters[meter, TOPIC_SIZE]
        if size <= 0:  # another meter has its topic
            continue
        found = mix(tables.names, tables.meters[meter, TOPIC], size)
        k = found & (len(tables.topics) - 1)
        while tables.topics[k] >= 0:
            k = (k + 1) & (len(tables.topics) - 1)
        tables.topics[k] = (found >> 31) << 32 | meter
    for slot in range(len(tables.slots)):
        found = mix(tables.names, tables.slots[slot, KEY], tables.slots[slot, KEY_SIZE])
        k = (found + tables.slots[slot, KEY_SHAPE]) & (len(tables.keys) - 1)
        while tables.keys[k] >= 0:
            k = (k + 1) & (len(tables.keys) - 1)
        tables.keys[k] = slot


AHEAD: Final = 64
"""Frames, or rows, whose memory is asked for together."""
LARGE: Final = 1 << 14
"""Places of a hash table from which on it is worth it: smaller ones stay in the cache."""


@kernel
def touch(body: U8, at: int, tables: Tables, ahead: I64) -> None:
    """Read what the next frames' meters need, many at once: one by one each would wait for memory three times.

    Nothing depends on what is found; `ahead` holds it, so that the reads are made.
    """
    size, frames = len(body), 0
    while frames < len(ahead) and at + 4 < size:
        p, remaining = at + 1, 0
        for k in range(4):
            if p >= size:
                break
            remaining |= (body[p] & 127) << 7 * k
            p += 1
            if body[p - 1] < 128:
                break
        if p + 2 > size:
            break
        length = np.int64(body[p]) << 8 | body[p + 1]
        if p + 2 + length > size:
            break
        ahead[frames] = mix(body, p + 2, length) & (len(tables.topics) - 1)
        frames += 1
        at = p + remaining
    for k in range(frames):
        ahead[k] = tables.topics[ahead[k]]
    for k in range(frames):
        ahead[k] = tables.meters[ahead[k] & 0x7FFFFFFF, TOPIC] if ahead[k] >= 0 else 0
    for k in range(frames):
        ahead[k] = tables.names[ahead[k]]
