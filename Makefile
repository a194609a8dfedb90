# make run: the app. make test: everything. make papers: what the literature printed, measured again.
# All set up what they need, on a bare machine too.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
ADDRESS ?= localhost
# Open a browser only where there is a screen to open it on.
HEADLESS ?= $(if $(DISPLAY)$(WAYLAND_DISPLAY)$(filter Darwin,$(shell uname)),false,true)

# PyTorch's own index has builds for the CPU alone, 0.2 GB instead of some 3 GB with CUDA.
CPU_TORCH := https://download.pytorch.org/whl/cpu

.PHONY: run test lint bench load papers tools clean

run: $(VENV)/app.done
	MALLOC_ARENA_MAX=2 $(BIN)/streamlit run app.py --server.address $(ADDRESS) --server.port $(PORT) \
	  --server.headless $(HEADLESS)

test: lint tools
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=10

lint: $(VENV)/tests.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.audit

bench: $(VENV)/tests.done tools
	$(BIN)/python -m tests.bench

load: $(VENV)/tests.done tools
	$(BIN)/python -m tests.load

papers: $(VENV)/app.done
	$(BIN)/python -m core.papers

# Debian's Chromium, nginx and PostgreSQL, where they are missing and we may install them;
# elsewhere their tests are skipped. Services of Debian's own are not started.
tools:
	@missing=; \
	command -v chromium chromium-browser >/dev/null || missing="$$missing chromium"; \
	PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null || missing="$$missing nginx-light"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	[ -z "$$missing" ] || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	} || echo "missing:$$missing; tests that need them will be skipped"
	@command -v chromium-headless-shell >/dev/null || [ "$$(id -u)" != 0 ] || \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	  chromium-headless-shell >/dev/null 2>&1 || echo "no shell of Chromium: its tests take longer"

$(VENV)/app.done: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check $(without_cuda) -r requirements.txt
	touch $@

# The option that names that index: on Linux without an NVIDIA GPU, if the index answers within 3 s.
without_cuda = $$(! command -v nvidia-smi >/dev/null && [ "$$(uname)" = Linux ] && \
  $(PYTHON) -c "import urllib.request as web; web.urlopen('$(CPU_TORCH)/torch/', timeout=3)" \
  2>/dev/null && echo "--extra-index-url $(CPU_TORCH)")

$(VENV)/tests.done: $(VENV)/app.done tests/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
