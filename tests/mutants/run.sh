#!/bin/sh
# Lists the mutants, tries each against the quick tests, prints the survivors and the counts.
set -eu
: "${CR:=cosmic-ray}"
CONFIG=tests/mutants/cosmic-ray.toml
# `|` stands in annotations nearly everywhere, where a change says nothing about behaviour.
"$CR" init "$CONFIG" session.sqlite
cr-filter-operators session.sqlite "$CONFIG"
"$CR" baseline "$CONFIG"
"$CR" exec "$CONFIG" session.sqlite
cr-report session.sqlite --surviving-only --show-diff
