#!/bin/sh
# Creates Temporal's two databases and brings their schemas up to date. The tool's settings are in the environment
# (SQL_PLUGIN, SQL_HOST, ...). Every step leaves alone what is there already, so this runs at each start.
set -eu

schemas=${TEMPORAL_SCHEMA_DIRECTORY:-/etc/temporal/schema}/postgresql/v12

set_up() {
  temporal-sql-tool --db "$1" create
  temporal-sql-tool --db "$1" setup-schema -v 0.0
  temporal-sql-tool --db "$1" update-schema -d "$schemas/$2/versioned"
}

set_up temporal temporal
set_up temporal_visibility visibility
