"""Gives freed memory back to the machine, and tidies up once all viewers have left.

The C library keeps freed memory that lies between memory in use, so a long visit would take more
and more. Streamlit's own garbage collection after every script keeps all viewers waiting and is
switched off: it is done here after a class has left.
"""

from __future__ import annotations

import asyncio
import gc

from starlette.concurrency import run_in_threadpool

from pages.serving.machine import give_back_memory
from pages.work import answers, viewer

_EVERY = 10.0  # seconds
_TIMES = 30  # so long after the last viewer left: Streamlit keeps a session for two minutes


def tidy() -> None:
    """Forget the answers that are quick to compute again, and give the memory back."""
    answers.work().forget_quick()
    gc.collect()
    give_back_memory()


async def tidy_up(every: float = _EVERY, times: int = _TIMES) -> None:
    """Give memory back while viewers are connected, and tidy up after they left; until cancelled.

    Args:
        every: seconds from one time to the next.
        times: how often to tidy up after the last viewer left.
    """
    quiet = times  # nobody was there yet
    while True:
        await asyncio.sleep(every)
        quiet = 0 if viewer.connected() else quiet + 1
        if quiet == 0:
            await run_in_threadpool(give_back_memory)
        elif quiet <= times:
            await run_in_threadpool(tidy)
