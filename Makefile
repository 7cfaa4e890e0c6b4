# Needs Python 3.11 or newer and nothing else; `make` alone lists the targets.
# Variables: PYTHON, VENV, PORT, POSTGRES_PORT, AWS_PORT, DYNAMODB_PORT (free ones are found unless set), and ARGS for the tests.

PYTHON ?= $(shell for each in python3.11 python3 python3.12 python3.13 python3.14; do \
	command -v $$each >/dev/null 2>&1 && $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$each; break; }; done)
# The virtualenv to install packages into.
VENV ?= .venv
VENV_PYTHON = $(VENV)/bin/python
# Installs the locked packages of production and of the groups of pyproject.toml given as arguments.
INSTALL = '$(PYTHON)' -m tools.local_stack.bootstrap --venv $(VENV)
# A tool with conflicting packages gets a separate virtualenv: requirements/NAME.txt names it, `make pins` writes the lock,
# and `$(call tool,NAME)` in a recipe installs it as $(VENV)/NAME/bin/NAME.
tool = '$(PYTHON)' -m tools.local_stack.bootstrap --venv $(VENV)/$(1) --only $(1)
# Dummy values that let the settings load; nothing connects to them.
DUMMY_ENV = CRUDDUR_ENV=test SECRET_KEY=unused-but-of-the-length-that-the-settings-ask-for-here APP_URL=http://localhost DATABASE_URL=postgres://unused@127.0.0.1:1/unused \
	AWS_ENDPOINT_URL=http://localhost:1 COGNITO_USER_POOL_ID=us-east-1_unused COGNITO_DOMAIN=http://localhost \
	OIDC_RP_CLIENT_ID=unused OIDC_RP_CLIENT_SECRET=unused PYTHONWARNINGS=ignore

# The checks of `make lint`. `.pre-commit-config.yaml` has a hook for each.
LINTS = lint-python lint-dead-code lint-prose lint-templates lint-types lint-migrations lint-cloudformation lint-docker lint-github lint-scripts lint-pins

.DEFAULT_GOAL := help
.PHONY: help run test test-fast coverage test-histories test-kills dynamodb-local test-dynamodb-local lint $(LINTS) format screenshots lighthouse bench packages-bench pins audit hooks fuzz docs lambda upgrade-data digests deploy deployed undeploy clean python packages-run packages-test packages-lint packages-deploy

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1	\2/p' Makefile | expand -t 29

run: packages-run ## Start everything on this machine and the web server with reload
	@exec $(VENV_PYTHON) -m tools.local_stack run --stop-with-parent

test: packages-test ## Run the tests on a throw-away stack; ARGS="-k name" passes options to pytest
	@exec $(VENV_PYTHON) -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)

test-fast: packages-test ## Run the tests for development: without the slow ones, and with the table in memory
	@exec $(VENV_PYTHON) -m pytest --fast --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

coverage: packages-test ## Run the tests and tell which branches they do not take
	@exec $(VENV_PYTHON) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --cov $(ARGS)

dynamodb-local: packages-run ## Fetch and start DynamoDB Local, Amazon's own emulator; needs Java
	@exec $(VENV_PYTHON) -m tools.local_stack dynamodb-local --stop-with-parent

test-dynamodb-local: packages-test ## Run the tests against DynamoDB Local; needs Java
	@CRUDDUR_TEST_DYNAMODB_LOCAL=1 exec $(VENV_PYTHON) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-histories: packages-test ## Try 100,000 random steps against the message store, with every fault
	@HISTORIES_STEPS=100000 exec $(VENV_PYTHON) -m pytest tests/histories $(ARGS)

test-kills: packages-test ## Kill a stream worker 100 times while 10,000 messages flow; SEED=n takes another course
	@KILLS=100 MESSAGES=10000 exec $(VENV_PYTHON) -m pytest tests/kills/test_flow.py $(ARGS)

lint: $(LINTS) ## Check the code: style, types, migrations, templates, workflows, scripts

lint-python: packages-lint
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m ruff format --check .

lint-dead-code: packages-lint
	@$(VENV_PYTHON) -m tools.lint.dead_code

lint-prose: python
	@'$(PYTHON)' -m tools.lint.prose

lint-templates: packages-lint
	@find templates -name '*.html' -exec $(VENV)/bin/djade --check --target-version 5.2 {} +

lint-types: packages-lint
	@$(VENV_PYTHON) -m mypy

lint-migrations: packages-lint
	@$(DUMMY_ENV) $(VENV_PYTHON) manage.py makemigrations --check --dry-run

lint-cloudformation: packages-lint
	@$(VENV)/bin/cfn-lint deploy/templates/*.yaml
	@$(call tool,checkov)
	@$(VENV)/checkov/bin/checkov --directory deploy/templates --framework cloudformation --compact --quiet --skip-download

lint-docker: packages-lint
	@$(VENV)/bin/hadolint Dockerfile
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml

lint-github: packages-lint
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema custom.github-workflows-require-timeout .github/workflows/*.yml
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms \
		.github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/feature.yml

lint-scripts: packages-lint
	@$(VENV_PYTHON) -m tools.lint.javascript

lint-pins: python
	@'$(PYTHON)' -m tools.local_stack.pins --venv $(VENV) --check

format: packages-lint ## Format the code and put right what ruff and djade can
	@$(VENV_PYTHON) -m ruff check --fix .
	@$(VENV_PYTHON) -m ruff format .
	@find templates -name '*.html' -exec $(VENV)/bin/djade --target-version 5.2 {} +

screenshots: packages-test ## Take the pictures of docs/screenshots anew; needs a Chromium
	@exec $(VENV_PYTHON) -m pytest tests/browser/screenshots.py $(ARGS)

lighthouse: packages-test ## Measure the list and a conversation with Lighthouse 12; needs Node and a Chromium
	@'$(PYTHON)' -m tools.local_stack.connected npm ci --prefix tools/bench/lighthouse --ignore-scripts --no-audit --no-fund --loglevel=error
	@exec $(VENV_PYTHON) -m pytest tests/browser/lighthouse.py $(ARGS)

bench: packages-bench ## Measure on this machine; ARGS="pages live --full" chooses: tools/bench/README.md
	@exec $(VENV)/bench/bin/python -m tools.bench $(ARGS)

pins: python ## Pin every package, after pyproject.toml changed; ARGS="--upgrade-package NAME" takes a newer one
	@'$(PYTHON)' -m tools.local_stack.pins --venv $(VENV) $(ARGS)

audit: python ## Look up the pinned packages in the database of known vulnerabilities; needs the network
	@$(call tool,audit)
	@'$(PYTHON)' -m tools.local_stack.connected $(VENV)/audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock

hooks: python ## Run the checks of `make lint` before each commit that concerns them
	@$(call tool,pre-commit)
	@$(VENV)/pre-commit/bin/pre-commit install

fuzz: packages-test ## Try 20,000 random requests on all addresses; FUZZ=n for another number
	@FUZZ=$${FUZZ:-20000} exec $(VENV_PYTHON) -m pytest tests/test_fuzz.py --capture=no $(ARGS)

docs: packages-run ## Write docs/commands.md anew from what the commands say of themselves
	@$(DUMMY_ENV) DJANGO_SETTINGS_MODULE=cruddur.settings $(VENV_PYTHON) -m cruddur.cli.command_reference

lambda: packages-deploy ## Build dist/stream-lambda.zip, the stream consumer as an AWS Lambda function
	@$(VENV_PYTHON) -m deploy.lambda_zip

upgrade-data: packages-test ## Copy the data of a release for the tests of upgrades; ARGS=0.3.0: CONTRIBUTING.md
	@exec $(VENV_PYTHON) -m tests.upgrade.take $(ARGS)

digests: python ## Pin the images of Dockerfile and compose.yaml to what their tags mean now; needs the network
	@'$(PYTHON)' -m deploy.digests $(ARGS)

deploy: packages-deploy ## Deploy to AWS, or update; ARGS="--domain … --zone …": docs/deploy.md
	@exec $(VENV_PYTHON) -m deploy up $(ARGS)

deployed: packages-deploy ## Show the addresses and names of what is deployed
	@exec $(VENV_PYTHON) -m deploy outputs $(ARGS)

undeploy: packages-deploy ## Take down what holds no data; table, pool and database stay
	@exec $(VENV_PYTHON) -m deploy down $(ARGS)

clean: python ## Delete .venv, .local with all its data, and caches
	@$(PYTHON) -m tools.local_stack clean

packages-run: python
	@$(INSTALL) local

packages-test: python
	@$(INSTALL) local deploy test

packages-lint: python
	@$(INSTALL) local deploy test lint

packages-deploy: python
	@$(INSTALL) deploy

# In a separate virtualenv, so that packages used only for comparison do not affect tests and type checks.
packages-bench: python
	@'$(PYTHON)' -m tools.local_stack.bootstrap --venv $(VENV)/bench local deploy test bench

python:
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { printf '%s %s\n' >&2 \
		'Python 3.11 or newer is needed: install it,' 'or name it as in `make run PYTHON=/path/to/python3`.'; exit 1; }
