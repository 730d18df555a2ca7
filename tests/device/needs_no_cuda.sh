#!/usr/bin/env bash
# The program starts where no CUDA is: it needs none of its libraries. And it lends its static runtime to nobody: an engine's own CUDA
# libraries must not be bound to it.
#   needs_no_cuda.sh PROGRAM
set -euo pipefail
if readelf --dynamic --wide "$1" | grep -E 'NEEDED.*(libcuda|libnvidia|libcupti|libnv)'; then
  echo "$1 needs the libraries above"
  exit 1
fi
if nm --dynamic --defined-only "$1" | grep -E ' (__)?cuda[A-Z]'; then
  echo "$1 exports the functions above"
  exit 1
fi
