#!/bin/sh
# Ensembles and conserved quantities, in standard errors. Arguments: flags of swift build.
set -e
cd "$(dirname "$0")/../.."
if ! .venv/bin/python -c "import physical_validation" 2>/dev/null; then
  python3 -m venv .venv
  .venv/bin/pip install -q physical_validation numpy
fi
swift build "$@"
APUS_VALIDATE=1 swift test "$@" --filter ValidationSeries
.venv/bin/python analysis/validate/ensembles.py .build/validate
.venv/bin/python analysis/validate/drift.py
