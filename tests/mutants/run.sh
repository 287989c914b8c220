#!/bin/sh
# Lists the mutants and tries each against the quick tests; run in a copy of the tree, for it
# rewrites the files. Leaves one session per part: machine.sqlite, downlink.sqlite, reports.sqlite.
set -eu
: "${CR:=cosmic-ray}"
# Another change of a file within one second would run the byte code of the change before.
export PYTHONDONTWRITEBYTECODE=1
for part in ${PARTS:-machine downlink reports}; do
  config="tests/mutants/$part.toml"
  "$CR" init "$config" "$part.sqlite"
  cr-filter-operators "$part.sqlite" "$config"
  "$CR" baseline "$config"
  "$CR" exec "$config" "$part.sqlite"
done
