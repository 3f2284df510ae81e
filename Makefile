# Installs, and hands on to invoke; after the first run, `.venv/bin/invoke` is what people type.

.DEFAULT_GOAL := help
.PHONY: help named setup up check destroy test lint prove site packages image sbom e2e-vagrant FORCE
MAKEFLAGS += --no-print-directory

# The lab's name goes through the environment and is quoted, so neither make nor the shell runs what it says.
override lab := $(value lab)
export lab
quoted_lab = "lab=$$lab"

# Setup runs again when the packages change, the clone moved, or .venv's Python went away.
moved := $(shell exec 2>/dev/null; [ -x .venv/bin/python ] && read -r home <.venv/.ready-lab && [ "$$home" = "$$PWD" ] || echo FORCE)

locks := $(wildcard locks/*.txt)

.venv/.ready-lab: pyproject.toml $(locks) scripts/setup $(moved)
	@scripts/setup lab

.venv/.ready-test: pyproject.toml $(locks) scripts/setup $(moved)
	@scripts/setup test

.venv/.ready-prove: pyproject.toml $(locks) scripts/setup $(moved)
	@scripts/setup prove

.venv/.ready-e2e: pyproject.toml $(locks) scripts/setup $(moved)
	@scripts/setup e2e

.venv/.ready-site: pyproject.toml $(locks) scripts/setup $(moved)
	@scripts/setup site

labs = $(notdir $(patsubst %/topology.yml,%,$(wildcard labs/*/topology.yml)))

named:
	@[ -n "$$lab" ] || { echo 'Which lab? Add lab=NAME, one of: $(labs)' >&2; exit 1; }

help: ## This list
	@sed -n 's/^\([a-z0-9-]*\):.*## /make \1|/p' Makefile | sed 's/|lab=NAME : / lab=NAME|/' | \
	    while IFS='|' read -r command does; do printf '  %-26s %s\n' "$$command" "$$does"; done

setup: .venv/.ready-lab ## Install what a lab needs, and .venv

up: named .venv/.ready-lab ## lab=NAME : Set up, and bring a lab up
	@.venv/bin/invoke up $(quoted_lab)

check: named .venv/.ready-lab ## lab=NAME : Run a lab's exercises and judge every hop
	@.venv/bin/invoke check $(quoted_lab)

destroy: named .venv/.ready-lab ## lab=NAME : Take a lab away
	@.venv/bin/invoke destroy $(quoted_lab)

override turn := $(value turn)
test: export SRV6LAB_TURN := $(turn)
test: .venv/.ready-test ## Set up, and run the tests: of the long ones a twelfth, or all with turn=all
	@.venv/bin/python -m pytest -m 'not prove' -n 2 --dist loadscope --no-loadscope-reorder

lint: .venv/.ready-test ## ruff, mypy --strict and shellcheck
	@scripts/lint

# What `part` and `provider` say goes the way of `lab`.
override part := $(value part)
override provider := $(value provider)
export part provider

prove: .venv/.ready-prove ## The long repeats, part=NAME of them or all; writes prove/PART.json and prove/confusion.txt
	@.venv/bin/python scripts/prove.py $${part:+"$$part"}

site: .venv/.ready-site ## The documents as a site that opens from the folder site/, without a network
	@.venv/bin/python scripts/make_site.py

packages: .venv/.ready-lab ## Wheels and Debian packages, in dist/
	@.venv/bin/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@.venv/bin/python scripts/make_packages.py

image: .venv/.ready-lab ## An image for podman and docker, in dist/
	@.venv/bin/python scripts/make_image.py

sbom: .venv/.ready-site ## What is installed in .venv, as CycloneDX JSON: dist/sbom.json
	@mkdir -p dist
	@.venv/bin/cyclonedx-py environment --output-reproducible --validate --of JSON -o dist/sbom.json .venv/bin/python

e2e-vagrant: named .venv/.ready-e2e ## lab=NAME : Every exercise in virtual machines; writes prove/vagrant-full.json
	@.venv/bin/python tests/vagrant/e2e.py --lab "$$lab" --write prove/vagrant-full.json $${provider:+--provider "$$provider"}
