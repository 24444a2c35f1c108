"""What every store must do. A store's test module subclasses `StoreContract` and gives the fixture `store`."""

from __future__ import annotations

import pytest

from ingest import line_protocol as lp
from ingest.store.base import Series, Span, Store

T0 = 1_763_800_000_000
"""2025-11-22, ms."""


def line(ts: int, fields: dict[str, lp.Value | None], measurement: str = "reading", **tags: str) -> bytes:
    return lp.point(measurement, {"meter": "m1", "line": "k1"} | tags, fields, ts)


def of(field: str, measurement: str = "reading", **tags: str) -> Series:
    return Series(measurement, field, tags)


async def held(store: Store, series: Series, start: int, end: int) -> list[tuple[int, float | str]]:
    """What the store holds of a series, start < time <= end (ms)."""
    (found,) = await store.look_up([Span(series, start + 1, end)])
    return list(found.items())


class StoreContract:
    """One contract, several stores."""

    async def test_what_is_written_is_read(self, store: Store) -> None:
        """Points come back by series and time, ascending, whatever order they came in."""
        assert await store.write([line(T0 + 2000, {"a": 2.5}), line(T0 + 1000, {"a": 1.5, "b": 7.0})]) == []
        assert await held(store, of("a", meter="m1"), T0, T0 + 5000) == [(T0 + 1000, 1.5), (T0 + 2000, 2.5)]
        assert await held(store, of("b", meter="m1", line="k1"), T0, T0 + 5000) == [(T0 + 1000, 7.0)]

    async def test_both_ends_are_included(self, store: Store) -> None:
        """A span is [first, last]."""
        await store.write([line(T0 + i, {"a": float(i)}) for i in range(4)])
        assert await store.look_up([Span(of("a"), T0 + 1, T0 + 2)]) == [{T0 + 1: 1.0, T0 + 2: 2.0}]

    async def test_the_same_key_overwrites_field_by_field(self, store: Store) -> None:
        """Writing a point again adds nothing: given fields are replaced, the others stay."""
        await store.write([line(T0, {"a": 1.0, "b": 2.0})])
        await store.write([line(T0, {"a": 9.0})])
        await store.write([line(T0, {"a": 9.0})])
        assert await held(store, of("a"), T0 - 1, T0) == [(T0, 9.0)]
        assert await held(store, of("b"), T0 - 1, T0) == [(T0, 2.0)]

    async def test_the_last_of_one_batch_wins(self, store: Store) -> None:
        """Two points of one key in one batch: the later line."""
        await store.write([line(T0, {"a": 1.0}), line(T0, {"a": 2.0})])
        assert await held(store, of("a"), T0 - 1, T0) == [(T0, 2.0)]

    async def test_series_are_apart(self, store: Store) -> None:
        """Other tags or another measurement, other points."""
        await store.write([line(T0, {"a": 1.0}), line(T0, {"a": 2.0}, meter="m2"), line(T0, {"a": 3.0}, "degree")])
        assert await held(store, of("a", meter="m1"), T0 - 1, T0) == [(T0, 1.0)]
        assert await held(store, of("a", meter="m2"), T0 - 1, T0) == [(T0, 2.0)]
        assert await held(store, of("a", "degree"), T0 - 1, T0) == [(T0, 3.0)]
        assert await held(store, of("a", meter="m3"), T0 - 1, T0) == []
        assert await held(store, of("nothing"), T0 - 1, T0) == []

    @pytest.mark.parametrize(
        "text",
        ["-0.0", "5e-324", "1.79e308", "1E5", "1E+5", "1e-7", "0", "-0", "12", "0.1",
         "123456789012345678901234567890.5", "9" * 300, "0." + "1" * 300, "1e-400", "3.0000000000000004"],
    )  # fmt: skip
    async def test_a_number_is_kept_to_the_last_bit(self, store: Store, text: str) -> None:
        """Every form that JSON allows comes back as the double it means."""
        assert await store.write([b"reading,meter=m1 a=%b %d" % (text.encode(), T0)]) == []
        ((_, v),) = await held(store, of("a"), T0 - 1, T0)
        assert float(v).hex() == float(text).hex()

    async def test_strings_and_integers(self, store: Store) -> None:
        """Strings survive quotes, backslashes, line ends and `<script>`; integers stay what they are."""
        text = 'a "q" \\ b, c=d\n<script>é'
        await store.write([line(T0, {"reason": text, "revision": 3})])
        assert await held(store, of("reason"), T0 - 1, T0) == [(T0, text)]
        assert await held(store, of("revision"), T0 - 1, T0) == [(T0, 3)]

    async def test_hostile_names_round_trip(self, store: Store) -> None:
        """Commas, spaces, equals signs and quotes in names make no other point."""
        tags = {"li ne": "k=1,x y", "m": "q\"'", "b": "a\\b"}
        await store.write([lp.point("rea=d, ing", tags, {"f i=e,ld": 1.0}, T0), line(T0, {"a": 1.0})])
        assert await held(store, Series("rea=d, ing", "f i=e,ld", tags), T0 - 1, T0) == [(T0, 1.0)]

    async def test_a_bad_field_does_not_take_others_along(self, store: Store) -> None:
        """A field of another type is reported by line and name; its point's other fields and all other points stay."""
        await store.write([line(T0, {"a": 1.0, "b": 1.0})])
        bad = await store.write([line(T0 + 1, {"a": "text", "b": 2.0}), line(T0 + 2, {"a": 3.0, "b": 3.0})])
        assert [(point.line, point.field) for point in bad] == [(0, "a")]
        assert "type" in bad[0].reason
        assert await held(store, of("a"), T0, T0 + 9) == [(T0 + 2, 3.0)]
        assert await held(store, of("b"), T0, T0 + 9) == [(T0 + 1, 2.0), (T0 + 2, 3.0)]

    async def test_many_bad_points_in_a_big_batch(self, store: Store) -> None:
        """7 bad among 2,000, in two fields: exactly those are refused, again and again."""
        await store.write([line(T0, {"a": 1.0, "b": 1.0, "c": 1.0})])
        wrong = {3: "a", 4: "a", 700: "b", 701: "a", 1500: "b", 1501: "b", 1999: "a"}
        lines = [
            line(T0 + 1 + i, {"a": float(i), "b": float(i), "c": float(i)} | ({wrong[i]: "x"} if i in wrong else {}))
            for i in range(2000)
        ]
        for _ in range(2):
            bad = await store.write(lines)
            assert {point.line: point.field for point in bad} == wrong
            assert len(await held(store, of("a"), T0, T0 + 9999)) == 2000 - 4
            assert len(await held(store, of("b"), T0, T0 + 9999)) == 2000 - 3
            assert len(await held(store, of("c"), T0, T0 + 9999)) == 2000

    async def test_a_line_that_is_none_is_reported(self, store: Store) -> None:
        """Our own bug loses its own line only."""
        bad = await store.write([line(T0, {"a": 1.0}), b"reading,meter=m1 a=abc 5", line(T0 + 1, {"a": 2.0})])
        assert [point.line for point in bad] == [1]
        assert "unable to parse" in bad[0].reason
        assert len(await held(store, of("a"), T0 - 1, T0 + 9)) == 2

    async def test_look_up_says_what_is_held(self, store: Store) -> None:
        """Of each span, both ends included: time -> value; nothing where nothing is."""
        await store.write([line(T0 + i, {"a": float(i)}) for i in range(5)])
        spans = [Span(of("a", meter="m1"), T0 + 1, T0 + 2), Span(of("a"), T0 + 50, T0 + 60), Span(of("zz"), T0, T0)]
        assert await store.look_up(spans * 60) == [{T0 + 1: 1.0, T0 + 2: 2.0}, {}, {}] * 60

    async def test_nothing_to_write(self, store: Store) -> None:
        """An empty batch is no mistake."""
        assert await store.write([]) == []
