# The two commands of the README, and what developers need. All set-up happens here: a virtual environment in
# $(VENV), filled from the hashed requirements, with this checkout installed in it.
#
#   make demo                          see mailguard at work, offline
#   make test                          run the tests
#   make test PYTHON=python3.12 VENV=.venv-3.12

VENV ?= .venv
PYTHON ?=
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := .venv-bench
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint integration fuzz kills bench peers docs texts wheel lock clean

help: ## この一覧 / this list
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 22

demo: $(READY) ## 架空の病院で試す（ネット不要） / see it at work on fictional hospitals, offline
	@$(BIN)/mailguard demo

test: $(READY) ## テスト / the tests
	$(BIN)/python -m pytest -m 'not integration' $(PYTEST_ARGS)

lint: $(READY) ## 書式と型の検査 / style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict

integration: $(READY) ## 本物のサーバーを使うテスト / tests with real servers (see docs/development.md)
	PATH="$$PATH:/usr/sbin" $(BIN)/python -m pytest -m integration -rs $(PYTEST_ARGS)

SECONDS ?= 600
fuzz: $(READY) ## 乱れた入力を長く試す / strange inputs, for long (SECONDS=600 SEED=1)
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

KILLS ?= 200
kills: $(READY) ## 強制終了を繰り返す / kill the listener and the daemon again and again (KILLS=200)
	MAILGUARD_KILLS=$(KILLS) $(BIN)/python -m pytest -s tests/integration/test_listener.py -k killed
	MAILGUARD_KILL_ROUNDS=$(KILLS) $(BIN)/python -m pytest -s tests/cli/test_serve.py -k killed

bench: $(READY) $(PEERS)/.ready ## 速さの測定 / the measurements (PARTS="reports listener": only these)
	$(BIN)/python -m bench $(PARTS)

peers: $(PEERS)/.ready ## 測定で比べる相手を入れる / what the measurements compare with

docs: $(READY) ## 生成する文書を作り直して検査 / write the generated pages again and check all pages
	$(BIN)/python -m tools.make_docs
	$(BIN)/python -m pytest tests/test_docs.py tests/test_clauses.py

texts: $(READY) ## 画面の言葉の翻訳表を更新 / renew the catalogue of interface texts
	$(BIN)/python -m tools.catalogue

wheel: $(READY) ## 配布物を dist/ に / sdist and wheel into dist/
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} $(BIN)/python -m build --no-isolation

lock: ## 依存の版とハッシュを更新（uv が必要） / renew the hashed requirements (needs uv)
	$(LOCK) --upgrade --output-file requirements/run.txt
	$(LOCK) --upgrade --extra dev --output-file requirements/dev.txt
	$(LOCK) --upgrade --extra bench --output-file requirements/bench.txt

clean: ## 作ったものを消す / remove what was made
	rm -rf $(VENV) $(PEERS) dist build demo-output .mypy_cache .ruff_cache .pytest_cache .hypothesis

# An environment of an older Python, or one that was moved, is made anew; any other is only brought up to date.
$(READY): requirements/dev.txt pyproject.toml
	@if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    python=$$(tools/find-python $(PYTHON)) && \
	    echo "準備しています（初回のみ、1〜2分） / setting up (first time only, a minute or two): $(VENV)" && \
	    "$$python" -m venv --clear $(VENV); \
	fi
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# parsedmarc brings so much with it that it has an environment of its own; nothing but the measurements needs it.
$(PEERS)/.ready: requirements/bench.txt | $(READY)
	$(BIN)/python -m venv --clear $(PEERS)
	@$(PEERS)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/bench.txt
	@touch $@
