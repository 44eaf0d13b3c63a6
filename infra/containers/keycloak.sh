#!/usr/bin/env bash
# Starts Keycloak in a container of the official image, for docker-compose.keycloak.yml, with the realm of infra/keycloak. The
# realm refers to the password of its people, which Keycloak takes from the environment as it imports. In development mode:
# it has no database but a file, speaks HTTP, forgets everything with its container, and may listen to itself alone if no
# address is named.
set -euo pipefail
source /orderly/containers/read-secrets.sh

mkdir -p /opt/keycloak/data/import
cp /orderly/keycloak/realm.json /opt/keycloak/data/import/
exec /opt/keycloak/bin/kc.sh start-dev --import-realm --http-host=0.0.0.0
