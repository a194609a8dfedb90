"""Good Init: the App when served, the page when run as the script."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.scriptrunner import get_script_run_ctx

if get_script_run_ctx(suppress_warning=True) is None:
    # NumPy reads this when it is loaded: its threads wait by spinning, on cores that viewers share.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from pages.serving import compressed, headers, idle, malformed, reconnect, routes
    from pages.work import log, viewer

    @asynccontextmanager
    async def lifespan(app: st.App) -> AsyncIterator[None]:
        """Warm up once, then keep what is loaded out of every later collection."""
        routes.warm_up()
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000)  # a page makes some thousand objects, and drops them again
        tidying = asyncio.create_task(idle.tidy_up())
        yield
        tidying.cancel()

    app = st.App(
        __file__,
        routes=routes.ROUTES,
        middleware=[
            Middleware(headers.SecureHeaders),
            Middleware(viewer.GiveToken),
            Middleware(malformed.OnlyRequests),
            Middleware(reconnect.WholePageFirst),
            Middleware(compressed.Compressed),
        ],
        lifespan=lifespan,
        on_script_error=log.page_failed,
    )
else:
    from pages.controls import menu

    st.set_page_config(page_icon="pages/icon.svg", layout="wide")
    explore = st.Page("pages/explore.py", title="Explore", icon=":material/insights:", default=True)
    lesson = st.Page("pages/lesson.py", title="Lesson", icon=":material/school:", url_path="lesson")
    guess = st.Page(
        "pages/guess.py", title="Guess", icon=":material/how_to_vote:", url_path="guess"
    )
    more = [
        st.Page(
            "pages/number_formats.py",
            title="Number formats",
            icon=":material/memory:",
            url_path="number-formats",
        ),
        st.Page(
            "pages/phase_diagram.py",
            title="Phase diagram",
            icon=":material/grid_on:",
            url_path="phase-diagram",
        ),
        st.Page(
            "pages/width_sweep.py",
            title="Width sweep",
            icon=":material/straighten:",
            url_path="width-sweep",
        ),
        st.Page(
            "pages/your_model.py",
            title="Your model",
            icon=":material/troubleshoot:",
            url_path="your-model",
        ),
        st.Page("pages/papers.py", title="Papers", icon=":material/menu_book:", url_path="papers"),
    ]
    here = st.navigation([explore, lesson, *more, guess], position="top")
    menu.draw([explore, lesson, guess], more, here)
    if here.url_path != "lesson":  # which names the step in its title
        st.set_page_config(page_title=f"{here.title} - Good Init")
    here.run()
