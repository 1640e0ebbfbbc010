"""Unpack the LZW streams of Unix ``compress``, which the King James Bible of Debian is stored in."""

from ocrstudio.domain.errors import InputError

_FIRST_BITS, _MOST_BITS = 9, 16
_CLEAR, _FIRST_FREE = 256, 257


def decompress(data: bytes) -> bytes:
    """The content of a stream without its header of three bytes (block mode, at most 16 bits).

    Raises:
        InputError: The stream is damaged.
    """
    table = [bytes((value,)) for value in range(256)] + [b""]
    output: list[bytes] = []
    bits, position, end = _FIRST_BITS, 0, len(data) * 8
    start = 0
    previous: bytes | None = None
    while position + bits <= end:
        code = _code(data, position, bits)
        position += bits
        if code == _CLEAR:
            # Codes are written in groups of eight; the rest of the group is filled with nothing.
            position = start + -(-(position - start) // (bits * 8)) * bits * 8
            del table[_FIRST_FREE:]
            bits, start, previous = _FIRST_BITS, position, None
            continue
        if code < len(table):
            entry = table[code]
        elif previous is not None and code == len(table):
            entry = previous + previous[:1]
        else:
            raise InputError("A text compressed with LZW is damaged.", "Download its package again.")
        output.append(entry)
        if previous is not None and len(table) < 1 << _MOST_BITS:
            table.append(previous + entry[:1])
        previous = entry
        if len(table) == 1 << bits and bits < _MOST_BITS:
            position = start + -(-(position - start) // (bits * 8)) * bits * 8
            bits, start = bits + 1, position
    return b"".join(output)


def _code(data: bytes, position: int, bits: int) -> int:
    first = position // 8
    return int.from_bytes(data[first : first + 4], "little") >> position % 8 & ((1 << bits) - 1)
