"""What reading a file of arrays raises where the file is broken: cut off, overwritten, no zip."""

import struct
import zipfile
import zlib
from typing import Final

UNREADABLE: Final = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    NotImplementedError,  # a compression that does not exist
    RuntimeError,  # "encrypted"
    MemoryError,  # a size that no file has
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)
"""Errors of `numpy.load` and of the arrays in it; none of them may stop the start."""
