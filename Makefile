# Every command of the project, for people and for CI. They need make, git and Python 3.11 or
# newer; whatever else they need, tools/setup puts into .venv, as locked in uv.lock.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
PARALLEL := --numprocesses=auto --dist=loadfile --no-loadscope-reorder
PYTEST := $(BIN)/pytest $(PARALLEL)
PYTEST_ARGS ?=
WORKFLOWS := $(wildcard .github/workflows/*.yml)
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
unexport VIRTUAL_ENV

# $(call check,name,command): one line for a check that passes, the tool's words for one that fails
check = @printf '%-18s' '$(1)'; if said=$$($(2) 2>&1); then echo ok; else echo FAILED; echo "$$said"; exit 1; fi

.PHONY: help
help: ## Show these commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1	\2/p' Makefile | expand -t 26

.PHONY: demo
demo: setup ## Sandbox, tap, Meltano and PostgreSQL at work; prints what came out
	@$(BIN)/python demo/run.py

.PHONY: pictures
pictures: demo ## The pictures of the README, by a headless Chromium, of what make demo shows
	@$(BIN)/python demo/pictures.py

.PHONY: test
test: lint pytest ## Every check: lint, then all tests

.PHONY: setup
setup: ## Install everything into .venv (the other commands see to it themselves)
	@tools/setup

.PHONY: lint
lint: setup ## Style, types, workflows, configuration files, lock file
	$(call check,ruff check,$(BIN)/ruff check --output-format=concise)
	$(call check,ruff format,$(BIN)/ruff format --check)
	$(call check,mypy,$(BIN)/mypy)
	$(call check,workflow schema,$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS))
	$(call check,dependabot schema,$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml)
	$(call check,issue form schema,$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/feature.yml)
	$(call check,meltano schema,$(BIN)/check-jsonschema --builtin-schema vendor.meltano meltano.yml)
	$(call check,jactionlint,$(BIN)/jactionlint --shellcheck= --pyflakes= $(WORKFLOWS) .github/dependabot.yml)
	$(call check,zizmor,$(BIN)/zizmor --offline --quiet --persona=pedantic .github)
	$(call check,uv lock,$(BIN)/uv lock --check --offline --quiet)

.PHONY: ty
ty: setup ## What a second type checker says; for information, mypy decides
	@$(BIN)/ty check

.PHONY: format
format: setup ## Let ruff format the code and mend what it can
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

.PHONY: pytest
pytest: setup ## The tests alone; PYTEST_ARGS='-k alerts' chooses some
	@$(PYTEST) $(PYTEST_ARGS)

UNITS := http api records singer settings streams telemetry
.PHONY: unit
unit: export FUZZ_EXAMPLES ?= 25
unit: setup ## The tests of single parts, in seconds, with a quarter of the fuzzing; PYTEST_ARGS as above
	@$(PYTEST) $(PYTEST_ARGS) $(UNITS:%=tests/%)

.PHONY: sdk-main
sdk-main: setup ## The tests against the SDK's main branch, in an environment of their own
	@PYTEST_ARGS='$(PARALLEL) $(PYTEST_ARGS)' tools/sdk-main

# The fleet is a project of its own: Dagster never meets the packages of the tap, nor of the target.
.PHONY: fleet-setup
fleet-setup: setup
	@cd fleet && UV_PROJECT_ENVIRONMENT=.venv ../$(BIN)/uv sync --quiet --locked --all-extras
	@cd fleet && UV_PROJECT_ENVIRONMENT=.venv-target ../$(BIN)/uv sync --quiet --locked --only-group target

.PHONY: fleet
fleet: fleet-setup ## Five accounts on Dagster, two rounds with kills; prints what became of each
	@cd fleet && PYTHONPATH=.. .venv/bin/python -m rehearsal

.PHONY: fleet-ui
fleet-ui: fleet-setup ## The same, and leaves Dagster's pages open at http://127.0.0.1:3000
	@cd fleet && PYTHONPATH=.. .venv/bin/python -m rehearsal --ui

.PHONY: fleet-pictures
fleet-pictures: fleet-setup ## The pictures of docs/fleet.md, by a headless Chromium, of Dagster's pages
	@cd fleet && PYTHONPATH=.. .venv/bin/python -m rehearsal.pictures

.PHONY: fleet-lint
fleet-lint: fleet-setup
	$(call check,fleet ruff check,$(BIN)/ruff check --output-format=concise fleet)
	$(call check,fleet mypy,cd fleet && .venv/bin/mypy)
	$(call check,compose schema,$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec fleet/deploy/*compose.yaml)
	$(call check,fleet uv lock,cd fleet && ../$(BIN)/uv lock --check --offline --quiet)

.PHONY: fleet-test
fleet-test: fleet-lint ## Types and tests of the fleet, make fleet among them: four to five minutes
	@cd fleet && .venv/bin/pytest --numprocesses=4 --dist=loadfile --no-loadscope-reorder $(PYTEST_ARGS)

.PHONY: fuzz
fuzz: setup ## Pages that try to break the tap, other ones each time: 200,000, ten minutes
	@FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-8000} FUZZ_SEED=$${FUZZ_SEED:-$$(date +%s)} $(PYTEST) --dist=load --show-capture=no tests/records/test_fuzz.py

.PHONY: convergence
convergence: setup ## Account, tap, network and clocks at odds, EXAMPLES times; SEED repeats a run
	@CONVERGENCE_EXAMPLES=$${EXAMPLES:-300} CONVERGENCE_SEED=$${SEED:-$$(date +%s)} $(BIN)/pytest --show-capture=no tests/e2e/test_convergence.py

.PHONY: snapshots
snapshots: setup ## Write every stream's schema to tests/schemas, for review
	@$(BIN)/pytest -q tests/test_schemas.py --snapshot-update

.PHONY: docs
docs: setup ## Write the tables of streams, settings and calls into README and docs/
	@$(BIN)/python -m tools.tables

.PHONY: site
site: setup ## The documentation as a site, into build/site; fails where a link leads nowhere
	@$(BIN)/python -m tools.site
	@echo 'Open build/site/index.html'

.PHONY: spec-sync
spec-sync: setup ## Bring specs/ and the schema snapshots up to the vendor's API description
	@BIN=$(BIN) tools/spec-sync

.PHONY: spec-check
spec-check: setup ## See that every stream can be made from specs/
	@$(BIN)/tap-datto-rmm-spec check

.PHONY: vendor-builds
vendor-builds: setup ## The tests that take the vendor's own documents, from the folder VENDOR_BUILDS
	@$(PYTEST) -m vendor_builds tests/spec_tools tests/test_spec_path.py

.PHONY: spec-feed
spec-feed: setup ## Write docs/api-changes.md and .xml from docs/api-changes.json
	@$(BIN)/python -m tools.spec_feed

.PHONY: spec-propose
spec-propose: ## Open a pull request with what make spec-sync changed (needs gh)
	@tools/spec-propose

.PHONY: spec-sync-rehearsal
spec-sync-rehearsal: setup ## Play the nightly workflow in a copy, against the sandbox
	@$(BIN)/python tools/spec-rehearsal

.PHONY: benchmark
benchmark: setup ## Time, memory, calls: all tables into benchmarks/README.md; PEERS=yes adds the peers
	@BIN=$(BIN) PEERS=$(PEERS) benchmarks/all.sh $(PARTS)

.PHONY: targets
targets: setup ## Try every target with all streams; the table goes into docs/targets.md
	@$(BIN)/python -m tools.targets

.PHONY: audit
audit: setup ## Known vulnerabilities in any locked package
	@$(BIN)/uv export --quiet --locked --all-extras --all-groups --no-emit-project | $(BIN)/pip-audit --strict --disable-pip --require-hashes --progress-spinner=off --requirement=/dev/stdin
	@$(BIN)/uv export --project=fleet --quiet --locked --all-extras --no-dev --no-emit-project | $(BIN)/pip-audit --strict --disable-pip --require-hashes --progress-spinner=off --requirement=/dev/stdin

.PHONY: sbom
sbom: setup ## CycloneDX bill of materials of what users install: build/sbom.cdx.json
	@mkdir -p build
	@$(BIN)/uv export --quiet --locked --all-extras --no-dev --format=cyclonedx1.5 --preview-features=sbom-export --output-file=build/sbom.cdx.json
	@echo 'Wrote build/sbom.cdx.json'

.PHONY: build
build: setup ## Source distribution and wheel, into dist/
	@rm -rf dist
	@$(BIN)/uv build --quiet --all-packages
	@ls dist

.PHONY: clean
clean: ## Remove .venv, builds and caches (not your .env, not Meltano's state)
	@rm -rf .venv fleet/.venv fleet/.venv-target build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
