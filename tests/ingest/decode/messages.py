"""Messages for the fuzz of the compiled pass: made from a seed, each of a kind that a meter or an enemy could send.

The kinds are mixed within one message: an odd number, a key twice and a time in seconds may meet in one array.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from ingest.session.frames import encode
from tests.ingest.decode.conftest import KILN, NOW

KEYS = ('"a"', '"ab"', '"b"', '"µ"', '"whole"', '"feed"')
ODD_KEYS = (
    *('"\\u0061"', '"f\\u0065ed"', '"\\u00b5"', '"clinker"', '"x"', '""', '"A"', '"aa"', '"t"', '"tsx"', '"x/y"'),
    *('"odd"', '"fine"', '"x\\"y"', '"meter "'),
    *('"a', "a", "'a'", '"\\ud800"', '"a\\u0000"', '"a\x00"', '"ts\\u0020"', '"\\u0074s"', '"TOT_1"', '"close"'),
)  # fmt: skip
NUMBERS = (
    *("0", "-0", "-0.0", "0.0", "-0e0", "0e-5", "1.5", "0.5", "2.5", "0.25", "0.0125", "0.0375", "499.9995"),
    *("500.0005", "500.001"),
    *("01", "-01", "00", "007.5", "+1", ".5", "1.", "-", "1e", "1e+", "1E5", "1e+05", "1e0001", "1e00001"),
    *("9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e18", "1e19"),
    *("1e-18", "1e-19", "1e-400", "1e308", "1.7976931348623157e308", "1e309", "1e999", "5e-324", "4e-324"),
    *("0." + "0" * 40 + "1", "0." + "0" * 80 + "1", "1" + "0" * 17, "1" + "0" * 18, "1" + "0" * 70, "9" * 300),
    *("9" * 400,),
    *("1." + "0" * 30, "1." + "1" * 30, "NaN", "Infinity", "-Infinity", "nan", "inf", "0x10", "1_000", "1,5", "١"),
)  # fmt: skip
OTHERS = ('"1"', '"340.5"', "true", "false", "null", "[1]", "[[1]]", '{"a":1}', "[]", "{}", '""', '"', "", "[", "{")
TIMES = (
    *(f'"{NOW}"', '"2025-11-22T08:26:40Z"', f"{NOW}.0", f"{NOW}.5", f"{NOW}e0", "1.7638e12", f"{NOW // 1000}"),
    *(f"{NOW / 1000}", f"{NOW}000", f"{NOW}000000", "0", "-0", "-1", f"-{NOW}", f"0{NOW}", "null", "true", "NaN"),
    *("9223372036854775807", "9223372036854775808", "1" + "0" * 40, f"[{NOW}]", f" {NOW}", f"+{NOW}", "Infinity"),
    *(str(NOW + d) for d in (-72 * 3_600_000 - 1, -72 * 3_600_000, 60_000, 60_001)),
)  # fmt: skip
GOOD = ('"seq":7', '"rev":2', '"q":"M"', '"meter":"kiln"')
RESERVED = (
    *('"seq":0', '"seq":7', '"seq":-1', '"seq":1.0', '"seq":"7"', '"seq":9223372036854775807', '"seq":1e3', '"seq":99'),
    *('"rev":0', '"rev":2', '"rev":-3', '"rev":1.5', '"rev":99999999999999999', '"rev":999999999999999999999'),
    *('"q":"N"', '"q":"M"', '"q":"D"', '"q":"X"', '"q":"n"', '"q":"MM"', '"q":""', '"q":1', '"q":"\\u004d"'),
    *('"q":null',),
    *('"meter":"kiln"', '"meter":"kiln"', '"meter":"kiln2"', '"meter":"kil"', '"meter":1', '"meter":"k\\u0069ln"'),
    *('"close":true', '"close":false', '"close":1'),
)  # fmt: skip
SPACES = (  # before a colon, behind it, before a comma, behind it, behind `{`, before `}`
    *(("", " ", "", " ", "", ""),) * 4,  # Python's json.dumps
    *(("", "", "", "", "", ""),) * 4,  # JavaScript's JSON.stringify
    ("", " ", "", "\n  ", "\n  ", "\n"),  # either, indented
    ("", " ", "", "\r\n\t", "\r\n\t", "\r\n"),
    (" ", " ", " ", " ", " ", " "),
    ("", "\xa0", "", "\u2003", "\ufeff", "\x0c"),  # spaces that are none in JSON
)
PIECES = (
    *(f'"ts":{NOW}', '"a":', '"feed":', ",", ",,", "{", "}", "[", "]", "1", "0", ".", "e", "E+", "-", '"', " ", "\\"),
    *("\n", ":", "\x00", "9999999999", "\\u0061", "\\u", "//", "/*", "NaN", "µ", "\x7f", "\ufeff"),
)  # fmt: skip
TOPICS = (
    *(KILN,) * 30, KILN + b"2", KILN + b"x", KILN[:-1], KILN + b"/", b"", b"legacy/q", b"coal", b"\xff/\x00",
    *(b"plant/acme/wuhu/pyro/k1/reserved", b"plant/acme/wuhu/pyro/k1/none"),
)  # fmt: skip
CHANNEL_TOPICS = (KILN + b"/feed", KILN + b"/a", b"coal/TOT_1", b"coal/x/y", KILN + b"/odd", KILN + b"/clinker")


def _plain(draw: Random) -> str:
    """A number as a meter prints it."""
    style = draw.choice(("%.3f", "%.3f", "%.0f", "%d", "%.1f", "%.17g", "%.5e", "%G"))
    return style % draw.uniform(-10, 600)


def number(draw: Random) -> str:
    """Mostly a plain one."""
    chance = draw.random()
    if chance < 0.95:
        return _plain(draw)
    if chance < 0.985:
        return draw.choice(NUMBERS)
    return draw.choice(OTHERS)


def flat(draw: Random) -> str:
    """One object: keys in any order, now and then one of them twice, in one spacing throughout."""
    ts = draw.choice(TIMES) if draw.random() < 0.04 else str(NOW + draw.randint(-70_000, 60_000))
    pairs = [f'"ts"~{ts}'] if draw.random() < 0.99 else []
    pairs += [f"{key}~{number(draw)}" for key in draw.sample(KEYS, draw.choice((1, 1, 2, 3, 3, 4, 6)))]
    if draw.random() < 0.4:
        pairs.append(draw.choice(GOOD if draw.random() < 0.7 else RESERVED).replace(":", "~", 1))
    if draw.random() < 0.03:
        pairs.append(f"{draw.choice(ODD_KEYS)}~{number(draw)}")
    if draw.random() < 0.02:
        pairs.append(draw.choice(pairs or ['"ts"~1']))
    if draw.random() < 0.7:
        draw.shuffle(pairs)
    before, colon, end, comma, opened, closing = draw.choice(SPACES)
    return f"{{{opened}{f'{end},{comma}'.join(pairs).replace('~', f'{before}:{colon}')}{closing}}}"


def array(draw: Random) -> str:
    """Objects one behind the other, rarely with something else among them."""
    items = [flat(draw) for _ in range(draw.choice((1, 1, 1, 2, 2, 2, 3, 3, 5, 0)))]
    if draw.random() < 0.05:
        items.insert(draw.randint(0, len(items)), draw.choice((number(draw), "[]", f"[{flat(draw)}]", "null", "")))
    return f"[{draw.choice((',', ', ', ' , ', ',')).join(items)}]"


def deep(draw: Random) -> str:
    """Nested about as deeply as is still read, or far more; closed, or not."""
    levels = draw.choice((1, 2, 3, 14, 15, 16, 17, 18, 60))
    opens, shuts = draw.choice((("[", "]"), ('{"a":', "}"), ('[{"a":', "}]"), (f'{{"ts":{NOW},"a":', "}")))
    return opens * levels + draw.choice((number(draw), flat(draw), "")) + shuts * (levels - (draw.random() < 0.2))


def cut(draw: Random) -> str:
    """Ends anywhere, or begins anywhere."""
    whole = draw.choice((flat, array, flat))(draw)
    at = draw.randint(0, len(whole))
    return whole[:at] if draw.random() < 0.8 else whole[at:]


def broken(draw: Random) -> str:
    """With a few pieces put in, left out or replaced."""
    whole = draw.choice((flat, array, flat))(draw)
    for _ in range(draw.choice((1, 1, 2, 4))):
        at = draw.randint(0, len(whole))
        piece = draw.choice(PIECES)
        whole = whole[:at] + piece + whole[at + draw.choice((0, 1, 1, len(piece), 12)) :]
    return whole


_KINDS: tuple[Callable[[Random], str], ...] = (*(flat,) * 20, *(array,) * 4, broken, broken, cut, deep, number)


def message(draw: Random, level: int) -> bytes:
    """One PUBLISH frame of an MQTT protocol level (4, 5)."""
    if draw.random() < 0.08:
        text, topic = number(draw) if draw.random() < 0.9 else flat(draw), draw.choice(CHANNEL_TOPICS)
        text = draw.choice(("", "", " ", "\n", "\t")) + text + draw.choice(("", "", "\n", " \r\n", "\x00", "0"))
    else:
        text, topic = draw.choice(_KINDS)(draw), draw.choice(TOPICS)
    payload = text.encode("utf-8", "surrogatepass")
    chance = draw.random()
    if chance < 0.02:  # bytes that may be no text at all
        at = draw.randint(0, len(payload))
        payload = payload[:at] + draw.randbytes(draw.randint(1, 3)) + payload[at:]
    elif chance < 0.03:
        payload = b"\xef\xbb\xbf" + payload
    qos = 1 if draw.random() < 0.9 else draw.choice((0, 2, 3))
    rare = draw.random()
    properties = b"\x05\x02\x00\x00\x00\x09" if rare < 0.1 else b"\x7f" if rare < 0.103 else b"\x00"
    marks = {"retain": rare > 0.97, "dup": rare > 0.98}
    frame = encode(topic, payload, level=level, qos=qos, mid=7 if qos else 0, properties=properties, **marks)
    if chance > 0.9995:  # the frame itself is broken: whatever follows in the record with it
        at = draw.randrange(len(frame))
        frame = frame[:at] + draw.randbytes(draw.randint(0, 2)) + frame[at + draw.randint(0, 1) :]
    return frame
