# make run: the app. make test: everything. Both set up what they need, on a bare machine too.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
ADDRESS ?= localhost
# Open a browser only where there is a screen to open it on.
HEADLESS ?= $(if $(DISPLAY)$(WAYLAND_DISPLAY)$(filter Darwin,$(shell uname)),false,true)

.PHONY: run test lint bench tools clean

run: $(VENV)/app.done
	$(BIN)/streamlit run app.py --server.address $(ADDRESS) --server.port $(PORT) \
	  --server.headless $(HEADLESS)

test: lint tools
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/tests.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/tests.done tools
	$(BIN)/python -m tests.bench

# Debian's Chromium and PostgreSQL, where they are missing and we may install them; elsewhere their
# tests are skipped. The tests start a PostgreSQL of their own: the package's own is not needed.
tools:
	@missing=""; \
	command -v chromium chromium-browser >/dev/null || missing="chromium"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	[ -z "$$missing" ] || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	} || echo "Not installed: $$missing. Their tests will be skipped"

$(VENV)/app.done: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/tests.done: $(VENV)/app.done tests/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
