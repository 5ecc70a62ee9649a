#!/bin/sh
# SPDX-License-Identifier: MIT
# The long runs of two tests of the disk history: crash states between flushes, and a writer killed with -9.
#
#     BUILD=build tests/soak/disk-log.sh      CRASH_STATES (100000), KILL_CYCLES (1000)
set -eu
SRCDIR=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$SRCDIR/build}
CRASH_STATES=${CRASH_STATES:-100000}
KILL_CYCLES=${KILL_CYCLES:-1000}
TEST_SECONDS=${TEST_SECONDS:-3600}
export BUILD CRASH_STATES KILL_CYCLES TEST_SECONDS

exec "$SRCDIR"/tests/run.sh "$BUILD"/tests/unit/test_crash "$BUILD"/tests/unit/test_kill
