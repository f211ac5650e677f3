"""Gives memory back to the system that was needed only while models were read."""

import ctypes
import gc
import sys


def give_back() -> None:
    """Return what the C library keeps of freed memory; elsewhere than on glibc do nothing.

    glibc keeps the space of what was freed between two things that are still there.
    """
    gc.collect()
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
