"""What is freed goes back to the machine, and when nobody is connected the host tidies up.

The C library keeps what was freed between what is still in use, and a long visit would take more
and more. Streamlit's own collection after every script keeps all viewers waiting, and is switched
off: a class that has left should leave nothing behind.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc

from starlette.concurrency import run_in_threadpool

from pages.work import answers, viewer

_EVERY = 10.0  # seconds
_TIMES = 30  # after the last viewer left, whose session Streamlit keeps for two minutes


def give_back() -> None:
    """Whole pages that are free; it takes a millisecond or two."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, others do not
    if trim is not None:
        trim(0)


def tidy() -> None:
    """Forget what is quickly found again, and give the memory back."""
    answers.work().forget_quick()
    gc.collect()
    give_back()


async def tidy_up() -> None:
    """Look every few seconds who is there, until it is cancelled."""
    quiet = _TIMES  # nothing has happened yet
    while True:
        await asyncio.sleep(_EVERY)
        quiet = 0 if viewer.connected() else quiet + 1
        if quiet == 0:
            await run_in_threadpool(give_back)
        elif quiet <= _TIMES:
            await run_in_threadpool(tidy)
