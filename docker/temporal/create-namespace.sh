#!/bin/sh
# Waits until Temporal serves and creates the namespace of the rollouts, unless it is there. The command takes the
# server from the environment (TEMPORAL_ADDRESS), but the namespace not in every case: it is named.
set -eu

patience_s=120
waited_s=0

until temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$NAMESPACE_RETENTION"; do
  if [ "$waited_s" -ge "$patience_s" ]; then
    echo "Namespace $TEMPORAL_NAMESPACE could not be created at $TEMPORAL_ADDRESS within $patience_s s." >&2
    exit 1
  fi
  sleep 2
  waited_s=$((waited_s + 2))
done

echo "Namespace $TEMPORAL_NAMESPACE is there."
