# make run: the app. make test: everything. Both set up what they need, on a bare machine too.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
ADDRESS ?= localhost
# Open a browser only where there is a screen to open it on.
HEADLESS ?= $(if $(DISPLAY)$(WAYLAND_DISPLAY)$(filter Darwin,$(shell uname)),false,true)

.PHONY: run test lint bench browser clean

run: $(VENV)/app.done
	$(BIN)/streamlit run app.py --server.address $(ADDRESS) --server.port $(PORT) \
	  --server.headless $(HEADLESS)

test: lint browser
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/tests.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/tests.done browser
	$(BIN)/python -m tests.bench

# Debian's Chromium, where it is missing and we may install it; elsewhere its tests are skipped.
browser:
	@command -v chromium chromium-browser >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	} || echo "Chromium is missing: the browser tests will be skipped"

$(VENV)/app.done: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/tests.done: $(VENV)/app.done tests/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
