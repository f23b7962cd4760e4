#!/usr/bin/env bash
# All tables of benchmarks/README.md, one after the other: `make benchmark`. About 45 minutes with the
# peers, 30 without; the machine should have nothing else to do. Arguments name some of the parts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bin=${BIN:-.venv/bin}

if [ "${PEERS:-}" = yes ]; then
  "$bin/uv" venv --quiet --allow-existing --python "$bin/python" .benchmarks/venv
  "$bin/uv" pip install --quiet --python .benchmarks/venv/bin/python -r benchmarks/requirements.txt
fi

for part in ${*:-start table scaling limit}; do
  case $part in
    table) "$bin/python" -m benchmarks.run ;;
    start | scaling | limit | calls) "$bin/python" -m "benchmarks.$part" ;;
    *) echo "No part $part; there are start, table, scaling, limit and calls." >&2 && exit 2 ;;
  esac
done
